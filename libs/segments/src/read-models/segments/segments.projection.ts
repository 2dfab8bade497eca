import { addDuration, addMillis, open, type RecordedEvent } from '@app/kernel';
import { defineProjection } from '@app/read-store';
import { isRanked, type Rule } from '@app/rules';
import type {
  MadeFrom,
  SegmentActivated,
  SegmentDeactivated,
  SegmentDeleted,
  SegmentEvent,
} from '../../domain/segment.events';

/** An event of the segment in the log: its position (64 bits, so a text) and when it was recorded. */
export type LogPlace = Readonly<{ position: string; at: string }>;

/** A segment as it is defined now. Who is in it is elsewhere. */
export type SegmentDocument = Readonly<{
  segmentId: string;
  /** Of the segment's own stream. */
  revision: number;
  name: string;
  description: string | null;
  status: 'active' | 'inactive' | 'deleted';
  version: number;
  /** Of the latest version; null: manual. */
  rule: Rule | null;
  ruleHash: string | null;
  template: MadeFrom | null;
  /** All versions there were, oldest first; their rules are in `segment_versions`, since a document must not grow for ever. */
  versions: readonly (Readonly<{ version: number; ruleHash: string | null }> & LogPlace)[];
  /** The last event that changed who decides: a version, a status or a cut-off. */
  lastChange: LogPlace;
  /** Of a ranked rule's present version; absent until its first ranking. */
  cutOff?: Readonly<{ value: number | null; membersCount: number; asOfPosition: string }> & LogPlace;
  /** From when on a ranked rule should be ranked again; absent: it should not. */
  rankAt?: string;
  createdAt: string;
  updatedAt: string;
}>;

/** A rule as one version of a segment has it; never changed. */
export type SegmentVersionDocument = Readonly<{
  segmentId: string;
  version: number;
  rule: Rule | null;
  ruleHash: string | null;
  template: MadeFrom | null;
}> &
  LogPlace;

export const segmentVersionId = (segmentId: string, version: number): string => `${segmentId} ${version}`;

/** However often a rule wants to be refreshed: each time everybody is looked at. */
const RANKED_AGAIN_MS = 60_000;

const placeOf = ({ meta }: RecordedEvent<SegmentEvent>): LogPlace => ({
  position: String(meta.position),
  at: meta.recordedAt,
});

const withRanking = ({ rankAt: _, ...segment }: SegmentDocument, at: string): SegmentDocument => {
  const isDue = segment.status === 'active' && segment.rule !== null && isRanked(segment.rule.root);
  return isDue ? { ...segment, rankAt: at } : segment;
};

/** Changes a segment that exists, and notes the revision it is now at. */
const change =
  <E extends SegmentEvent>(fold: (segment: SegmentDocument, event: RecordedEvent<E>) => SegmentDocument) =>
  (segment: SegmentDocument | null, event: RecordedEvent<E>): SegmentDocument | null =>
    segment && {
      ...fold(segment, event),
      revision: event.meta.revision,
      updatedAt: event.data.occurredAt,
    };

type Of<Type extends SegmentEvent['type']> = Extract<SegmentEvent, { type: Type }>;

/** Who deactivates and activates again wants it ranked anew. */
const toStatus = <E extends SegmentActivated | SegmentDeactivated | SegmentDeleted>(
  status: SegmentDocument['status'],
) =>
  change<E>((segment, event) =>
    withRanking({ ...segment, status, lastChange: placeOf(event) }, event.data.occurredAt),
  );

export const segmentsProjection = defineProjection<SegmentDocument, SegmentEvent>({
  name: 'segments',
  version: 1,
  keys: ({ data }) => [data.segmentId],
  indexes: [{ key: { createdAt: 1, _id: 1 } }, { key: { rankAt: 1 }, sparse: true }],
  fields: {
    segmentId: open,
    revision: open,
    name: open,
    description: open,
    status: open,
    version: open,
    rule: open,
    ruleHash: open,
    template: open,
    versions: open,
    lastChange: open,
    cutOff: open,
    rankAt: open,
    createdAt: open,
    updatedAt: open,
  },
  on: {
    'segments.SegmentDefined.v1': (_, event) => {
      const { occurredAt, ...defined } = event.data;
      const { version, ruleHash } = defined;
      const segment: SegmentDocument = {
        ...defined,
        revision: event.meta.revision,
        status: 'active',
        versions: [{ version, ruleHash, ...placeOf(event) }],
        lastChange: placeOf(event),
        createdAt: occurredAt,
        updatedAt: occurredAt,
      };
      return withRanking(segment, occurredAt);
    },
    'segments.SegmentRenamed.v1': change<Of<'segments.SegmentRenamed.v1'>>((segment, { data }) => ({
      ...segment,
      name: data.name,
    })),
    'segments.RuleChanged.v1': change<Of<'segments.RuleChanged.v1'>>(({ cutOff: _, ...segment }, event) => {
      const { rule, ruleHash, template, version, occurredAt } = event.data;
      const changed: SegmentDocument = {
        ...segment,
        rule,
        ruleHash,
        template,
        version,
        versions: [...segment.versions, { version, ruleHash, ...placeOf(event) }],
        lastChange: placeOf(event),
      };
      return withRanking(changed, occurredAt);
    }),
    'segments.SegmentActivated.v1': toStatus<SegmentActivated>('active'),
    'segments.SegmentDeactivated.v1': toStatus<SegmentDeactivated>('inactive'),
    'segments.SegmentDeleted.v1': toStatus<SegmentDeleted>('deleted'),
    'segments.CutOffRecorded.v1': change<Of<'segments.CutOffRecorded.v1'>>((segment, event) => {
      const { version, cutOff: value, membersCount, asOfPosition, occurredAt } = event.data;
      if (version !== segment.version || segment.rule === null || !isRanked(segment.rule.root))
        return segment;
      const place = placeOf(event);
      const ranked = {
        ...segment,
        cutOff: { value, membersCount, asOfPosition, ...place },
        lastChange: place,
      };
      const next = addDuration(occurredAt, segment.rule.root.ranked.refresh);
      const earliest = addMillis(occurredAt, RANKED_AGAIN_MS);
      return withRanking(ranked, next > earliest ? next : earliest);
    }),
    // Nothing of the definition changes by it.
    'segments.SnapshotTaken.v1': (segment, { meta }) => segment && { ...segment, revision: meta.revision },
  },
});

/** The rules of all versions: what decided in the past has to be there to be asked. */
export const segmentVersionsProjection = defineProjection<
  SegmentVersionDocument,
  Of<'segments.SegmentDefined.v1'> | Of<'segments.RuleChanged.v1'>
>({
  name: 'segment_versions',
  version: 1,
  keys: ({ data }) => [segmentVersionId(data.segmentId, data.version)],
  indexes: [],
  fields: {
    segmentId: open,
    version: open,
    rule: open,
    ruleHash: open,
    template: open,
    position: open,
    at: open,
  },
  on: {
    'segments.SegmentDefined.v1': (_, event) => versionOf(event),
    'segments.RuleChanged.v1': (_, event) => versionOf(event),
  },
});

const versionOf = (
  event: RecordedEvent<Of<'segments.SegmentDefined.v1'> | Of<'segments.RuleChanged.v1'>>,
): SegmentVersionDocument => {
  const { segmentId, version, rule, ruleHash, template } = event.data;
  return { segmentId, version, rule, ruleHash, template, ...placeOf(event) };
};

import type { RecordedEvent } from '@app/kernel';
import { EVERY_RULE, isRanked, type DependencyKey, type Rule } from '@app/rules';
import type { SegmentEvent } from '../domain/segment.events';
import { keysOf, referencesIn, type Definition, type DefinitionSet } from '../membership/definitions';
import type { Cause } from '../membership/membership';

/** What a segment's stream had come to with one of its events, as far as it matters who is in. */
export type DefinitionChange = Readonly<{
  position: bigint;
  segmentId: string;
  /** When it was recorded, ISO 8601 UTC. */
  at: string;
  eventId: string;
  /** Why those enter or leave who do so by it; a cut-off that is taken anew is the clock's doing. */
  kind: Cause['kind'];
  /** Which rule decides while the segment is active. */
  definition: Definition;
  isActive: boolean;
}>;

/** Folds an event of a segment's stream; null: nobody enters or leaves by it. `before`: what the stream had come to. */
export const changeBy = (
  before: DefinitionChange | null,
  { type, data, meta }: RecordedEvent<SegmentEvent>,
): DefinitionChange | null => {
  const { segmentId } = data;
  const of = { position: meta.position, segmentId, at: meta.recordedAt, eventId: meta.eventId };
  switch (type) {
    case 'segments.SegmentDefined.v1': {
      const { version, rule } = data;
      return { ...of, kind: 'initial', definition: definitionOf(segmentId, version, rule), isActive: true };
    }
    case 'segments.RuleChanged.v1': {
      // Whom a ranking lets in is known with its first cut-off; until then the version before decides.
      if (before?.isActive && data.rule !== null && isRanked(data.rule.root)) return null;
      const definition = definitionOf(segmentId, data.version, data.rule);
      return before && { ...of, kind: 'definition', definition, isActive: before.isActive };
    }
    case 'segments.CutOffRecorded.v1': {
      if (before === null) return null;
      const { version, rule, cutOff } = data;
      const { definition: known, isActive } = before;
      const kind =
        version !== known.version ? 'definition' : known.cutOff === undefined ? 'initial' : 'clock';
      return { ...of, kind, definition: { ...definitionOf(segmentId, version, rule), cutOff }, isActive };
    }
    case 'segments.SegmentActivated.v1':
      return before && { ...of, kind: 'initial', definition: before.definition, isActive: true };
    case 'segments.SegmentDeactivated.v1':
    case 'segments.SegmentDeleted.v1':
      return before && { ...of, kind: 'deactivation', definition: before.definition, isActive: false };
    default:
      return null;
  }
};

const definitionOf = (segmentId: string, version: number, rule: Rule | null): Definition => ({
  segmentId,
  version,
  rule,
});

/** All definitions at any position of the log, from the changes that there have been. */
export class DefinitionsLog {
  private readonly changes: DefinitionChange[] = [];
  private readonly bySegment = new Map<string, DefinitionChange[]>();
  /** Segments that depended on something, or referred to another, at some time. */
  private readonly everByKey = new Map<DependencyKey, Set<string>>();
  private readonly everReferring = new Map<string, Set<string>>();

  constructor(changes: readonly DefinitionChange[] = []) {
    for (const change of changes) this.add(change);
  }

  /** In the order of the log; one that is known already changes nothing. */
  add(change: DefinitionChange): void {
    const last = this.changes.at(-1);
    if (last !== undefined && change.position <= last.position) return;
    this.changes.push(change);
    const { segmentId, definition } = change;
    const known = this.bySegment.get(segmentId);
    if (known === undefined) this.bySegment.set(segmentId, [change]);
    else known.push(change);
    for (const key of keysOf(definition)) addTo(this.everByKey, key, segmentId);
    for (const referred of referencesIn(definition)) addTo(this.everReferring, referred, segmentId);
  }

  /** The last change of a segment before a position. */
  before(segmentId: string, position: bigint): DefinitionChange | null {
    const changes = this.bySegment.get(segmentId) ?? [];
    return changes[countBelow(changes, position) - 1] ?? null;
  }

  /** Changes in `(after, before)`, in order. */
  between(after: bigint, before: bigint): readonly DefinitionChange[] {
    return this.changes.slice(countBelow(this.changes, after + 1n), countBelow(this.changes, before));
  }

  /** The position of the last change below a position; -1: none. */
  lastBelow(position: bigint): bigint {
    return this.changes[countBelow(this.changes, position) - 1]?.position ?? -1n;
  }

  /** What decides on an event at this position: everything that was defined before it. A view, which costs nothing to make. */
  at(position: bigint): DefinitionSet {
    const get = (segmentId: string): Definition | undefined => {
      const change = this.before(segmentId, position);
      return change?.isActive === true ? change.definition : undefined;
    };
    const now = (ids: Iterable<string>, holds: (definition: Definition) => boolean): string[] =>
      [...ids].filter((id) => {
        const definition = get(id);
        return definition !== undefined && holds(definition);
      });
    return {
      get,
      dependingOn: (keys) => {
        if (keys.includes(EVERY_RULE)) return now(this.bySegment.keys(), () => true);
        const ids = new Set(keys.flatMap((key) => [...(this.everByKey.get(key) ?? [])]));
        return now(ids, (definition) => keysOf(definition).some((key) => keys.includes(key)));
      },
      referringTo: (segmentId) =>
        now(this.everReferring.get(segmentId) ?? [], (definition) =>
          referencesIn(definition).includes(segmentId),
        ),
    };
  }
}

const addTo = (sets: Map<string, Set<string>>, key: string, value: string): void => {
  const known = sets.get(key);
  if (known === undefined) sets.set(key, new Set([value]));
  else known.add(value);
};

const countBelow = (changes: readonly DefinitionChange[], position: bigint): number => {
  let [low, high] = [0, changes.length];
  // Most ask for the end.
  if (high > 0 && (changes[high - 1] as DefinitionChange).position < position) return high;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((changes[middle] as DefinitionChange).position < position) low = middle + 1;
    else high = middle;
  }
  return low;
};

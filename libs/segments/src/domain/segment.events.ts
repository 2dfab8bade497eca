import { defineEvent, open, type DomainEvent, type EventDefinition } from '@app/kernel';
import type { Rule } from '@app/rules';

/** Everything on stream `segment-<uuid>`: what the segment means, version by version, and whether it is kept. */

/** Which template a rule was made from, and with what. */
export type MadeFrom = Readonly<{ name: string; params: Readonly<Record<string, unknown>> }>;

/** A rule as one version of a segment has it; null: manual, whoever is in it was put there by hand. */
export type SegmentRule = Readonly<{
  rule: Rule | null;
  /** Hash of the canonical rule; null with it. */
  ruleHash: string | null;
  template: MadeFrom | null;
}>;

type OfSegment = { segmentId: string; /** When it happened, ISO 8601 UTC. */ occurredAt: string };

export type SegmentDefined = DomainEvent<
  'segments.SegmentDefined.v1',
  OfSegment & SegmentRule & { name: string; description: string | null; version: number }
>;
export type SegmentRenamed = DomainEvent<'segments.SegmentRenamed.v1', OfSegment & { name: string }>;
/** From here on version `version` is what decides; the ones before stay as they were. */
export type RuleChanged = DomainEvent<
  'segments.RuleChanged.v1',
  OfSegment & SegmentRule & { version: number }
>;
export type SegmentActivated = DomainEvent<'segments.SegmentActivated.v1', OfSegment>;
/** Everybody leaves. */
export type SegmentDeactivated = DomainEvent<'segments.SegmentDeactivated.v1', OfSegment>;
/** Everybody leaves, and it is shown no more. */
export type SegmentDeleted = DomainEvent<'segments.SegmentDeleted.v1', OfSegment>;

/** Whom a ranked rule lets in from here on: `cutOff` is the figure of the last who is in; null: nobody is. */
export type CutOffRecorded = DomainEvent<
  'segments.CutOffRecorded.v1',
  OfSegment & {
    version: number;
    /** Of the version: it decides from here on, with its first cut-off. */
    rule: Rule;
    cutOff: number | null;
    /** How many were at or above it. */
    membersCount: number;
    /** Up to where the log was known when they were ranked; 64 bits, so a text. */
    asOfPosition: string;
  }
>;

/** Who was in at an instant, under a name: a list that changes no more. Its members are not in the event. */
export type SnapshotTaken = DomainEvent<
  'segments.SnapshotTaken.v1',
  OfSegment & { snapshotId: string; name: string; /** ISO 8601 UTC. */ asOf: string }
>;

export type SegmentEvent =
  | SegmentDefined
  | SegmentRenamed
  | RuleChanged
  | SegmentActivated
  | SegmentDeactivated
  | SegmentDeleted
  | CutOffRecorded
  | SnapshotTaken;

const ofSegment = { segmentId: open, occurredAt: open } as const;
const withRule = { ...ofSegment, rule: open, ruleHash: open, template: open, version: open } as const;

export const segmentEventDefinitions: readonly EventDefinition[] = [
  defineEvent<SegmentDefined>({
    type: 'segments.SegmentDefined.v1',
    fields: { ...withRule, name: open, description: open },
  }),
  defineEvent<SegmentRenamed>({ type: 'segments.SegmentRenamed.v1', fields: { ...ofSegment, name: open } }),
  defineEvent<RuleChanged>({ type: 'segments.RuleChanged.v1', fields: withRule }),
  defineEvent<SegmentActivated>({ type: 'segments.SegmentActivated.v1', fields: ofSegment }),
  defineEvent<SegmentDeactivated>({ type: 'segments.SegmentDeactivated.v1', fields: ofSegment }),
  defineEvent<SegmentDeleted>({ type: 'segments.SegmentDeleted.v1', fields: ofSegment }),
  defineEvent<CutOffRecorded>({
    type: 'segments.CutOffRecorded.v1',
    fields: { ...ofSegment, version: open, rule: open, cutOff: open, membersCount: open, asOfPosition: open },
  }),
  defineEvent<SnapshotTaken>({
    type: 'segments.SnapshotTaken.v1',
    fields: { ...ofSegment, snapshotId: open, name: open, asOf: open },
  }),
];

export const segmentStream = (segmentId: string): string => `segment-${segmentId}`;

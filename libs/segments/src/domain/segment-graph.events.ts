import { defineEvent, open, type DomainEvent, type EventDefinition } from '@app/kernel';

/** Everything on stream `segmentgraph-main`: which segments name which, since no segment's own stream can tell a cycle. */

type Admission = {
  /** The command that asked for it. */
  admissionId: string;
  segmentId: string;
  /** Segments that its rule names. */
  references: readonly string[];
  /** ISO 8601 UTC. */
  occurredAt: string;
};

/** A definition may be written to its segment's stream. Until it is settled, it counts beside what the segment had before. */
export type ReferencesAdmitted = DomainEvent<
  'segments.ReferencesAdmitted.v1',
  Admission & {
    /** Whether the segment is active by it. */
    activates: boolean;
  }
>;

/** What the segment's own stream says, as of a revision of it; null: there is none. */
export type ReferencesSettled = DomainEvent<
  'segments.ReferencesSettled.v1',
  Admission & { revision: number | null; status: 'unknown' | 'active' | 'inactive' | 'deleted' }
>;

export type SegmentGraphEvent = ReferencesAdmitted | ReferencesSettled;

const ofAdmission = { admissionId: open, segmentId: open, references: open, occurredAt: open } as const;

export const segmentGraphEventDefinitions: readonly EventDefinition[] = [
  defineEvent<ReferencesAdmitted>({
    type: 'segments.ReferencesAdmitted.v1',
    fields: { ...ofAdmission, activates: open },
  }),
  defineEvent<ReferencesSettled>({
    type: 'segments.ReferencesSettled.v1',
    fields: { ...ofAdmission, revision: open, status: open },
  }),
];

export const SEGMENT_GRAPH_STREAM = 'segmentgraph-main';

import type { Decider, Decision, RecordedEvent } from '@app/kernel';
import { assertReferences, type References } from './references';
import { ACTIVE_SEGMENTS_MAX, TooManySegmentsError } from './segment.errors';
import type { SegmentGraphEvent } from './segment-graph.events';

type Settled = Readonly<{
  revision: number;
  status: 'active' | 'inactive' | 'deleted';
  references: readonly string[];
}>;

export type Admitted = Readonly<{
  segmentId: string;
  references: readonly string[];
  activates: boolean;
  occurredAt: string;
}>;

/** All segments that there ever were, and the definitions that are just being made. */
export type SegmentGraph = Readonly<{
  settled: Map<string, Settled>;
  /** By admission. */
  open: Map<string, Admitted>;
}>;

/** May this segment have a rule that names these others, and be active? */
export type AdmitReferences = Readonly<{
  type: 'AdmitReferences';
  admissionId: string;
  segmentId: string;
  references: readonly string[];
  activates: boolean;
  now: string;
}>;
/** How it ended, from the segment's own stream. */
export type SettleReferences = Readonly<{
  type: 'SettleReferences';
  admissionId: string;
  segmentId: string;
  references: readonly string[];
  revision: number | null;
  status: 'unknown' | Settled['status'];
  now: string;
}>;
export type SegmentGraphCommand = AdmitReferences | SettleReferences;

const decideAdmission = (command: AdmitReferences, graph: SegmentGraph): SegmentGraphEvent[] => {
  const { admissionId, segmentId, references, activates, now } = command;
  if (graph.open.has(admissionId)) return [];
  const isKnown = (id: string): boolean => (graph.settled.get(id)?.status ?? 'deleted') !== 'deleted';
  assertReferences(segmentId, references, referencesOf(graph), isKnown);
  if (activates) {
    const active = activeIn(graph);
    if (!active.has(segmentId) && active.size >= ACTIVE_SEGMENTS_MAX) throw new TooManySegmentsError();
  }
  const data = { admissionId, segmentId, references, activates, occurredAt: now };
  return [{ type: 'segments.ReferencesAdmitted.v1', data }];
};

const decideSettlement = (command: SettleReferences, graph: SegmentGraph): SegmentGraphEvent[] => {
  const { type: _, now, ...settled } = command;
  const known = graph.settled.get(command.segmentId)?.revision ?? -1;
  if (!graph.open.has(command.admissionId) && (command.revision ?? -1) <= known) return [];
  return [{ type: 'segments.ReferencesSettled.v1', data: { ...settled, occurredAt: now } }];
};

/** What each segment names, or may come to name by a definition that is just being made. */
const referencesOf = ({ settled, open }: SegmentGraph): References => {
  const all = new Map<string, readonly string[]>();
  for (const [id, { status, references }] of settled) if (status !== 'deleted') all.set(id, references);
  for (const { segmentId, references } of open.values()) {
    all.set(segmentId, [...new Set([...(all.get(segmentId) ?? []), ...references])]);
  }
  return all;
};

const activeIn = ({ settled, open }: SegmentGraph): ReadonlySet<string> => {
  const active = new Set<string>();
  for (const [id, { status }] of settled) if (status === 'active') active.add(id);
  for (const { segmentId, activates } of open.values()) if (activates) active.add(segmentId);
  return active;
};

const decide = (
  command: SegmentGraphCommand,
  graph: SegmentGraph,
): Decision<SegmentGraphEvent, Record<string, never>> => ({
  events:
    command.type === 'AdmitReferences' ? decideAdmission(command, graph) : decideSettlement(command, graph),
  answer: {},
});

const evolve = (graph: SegmentGraph, event: RecordedEvent<SegmentGraphEvent>): SegmentGraph => {
  const { settled, open } = graph;
  if (event.type === 'segments.ReferencesAdmitted.v1') {
    const { admissionId, segmentId, references, activates, occurredAt } = event.data;
    open.set(admissionId, { segmentId, references, activates, occurredAt });
    return graph;
  }
  const { admissionId, segmentId, references, revision, status } = event.data;
  open.delete(admissionId);
  // Who settles late does not bring back what was before.
  if (revision !== null && status !== 'unknown' && revision > (settled.get(segmentId)?.revision ?? -1)) {
    settled.set(segmentId, { revision, status, references });
  }
  return graph;
};

/**
 * Lets in one definition after the other, so that two that are made at one time cannot make a cycle together, go too deep
 * together or be one too many. Between its admission and its settlement a definition counts as made and what it replaces as
 * still there, so whatever a crash leaves open forbids too much, never too little.
 */
export const segmentGraphDecider: Decider<
  SegmentGraph,
  SegmentGraphCommand,
  SegmentGraphEvent,
  Record<string, never>
> = {
  name: 'segment-graph',
  initialState: () => ({ settled: new Map(), open: new Map() }),
  decide,
  evolve,
};

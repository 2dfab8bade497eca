import type { RecordedEvent } from '@app/kernel';
import { isRanked, type Rule } from '@app/rules';
import type { SegmentEvent } from '../domain/segment.events';
import { Definitions, type Definition } from '../membership/definitions';
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

/** So many states of all definitions are kept at hand: those that contacts are just being brought up to. */
const SNAPSHOTS_MAX = 64;

/** All definitions at any position of the log, from the changes that there have been. */
export class DefinitionsLog {
  private readonly changes: DefinitionChange[] = [];
  private readonly latestBySegment = new Map<string, DefinitionChange>();
  /** By how many changes they come after. */
  private readonly snapshots = new Map<number, Definitions>();

  constructor(changes: readonly DefinitionChange[] = []) {
    for (const change of changes) this.add(change);
  }

  /** In the order of the log; one that is known already changes nothing. */
  add(change: DefinitionChange): void {
    const last = this.changes.at(-1);
    if (last !== undefined && change.position <= last.position) return;
    this.changes.push(change);
    this.latestBySegment.set(change.segmentId, change);
  }

  /** The last change of a segment before a position. */
  before(segmentId: string, position: bigint): DefinitionChange | null {
    const latest = this.latestBySegment.get(segmentId);
    if (latest === undefined || latest.position < position) return latest ?? null;
    return this.changes.findLast((one) => one.segmentId === segmentId && one.position < position) ?? null;
  }

  /** Changes in `(after, before)`, in order. */
  between(after: bigint, before: bigint): readonly DefinitionChange[] {
    return this.changes.slice(this.countBelow(after + 1n), this.countBelow(before));
  }

  /** The position of the last change below a position; -1: none. */
  lastBelow(position: bigint): bigint {
    return this.changes[this.countBelow(position) - 1]?.position ?? -1n;
  }

  /** What decides on an event at this position: everything that was defined before it. */
  at(position: bigint): Definitions {
    return this.after(this.countBelow(position));
  }

  private after(count: number): Definitions {
    const known = this.snapshots.get(count);
    if (known !== undefined) return known;
    const active = new Map<string, Definition>();
    for (const { segmentId, definition, isActive } of this.changes.slice(0, count)) {
      if (isActive) active.set(segmentId, definition);
      else active.delete(segmentId);
    }
    const definitions = new Definitions([...active.values()]);
    this.snapshots.set(count, definitions);
    if (this.snapshots.size > SNAPSHOTS_MAX) {
      this.snapshots.delete(this.snapshots.keys().next().value as number);
    }
    return definitions;
  }

  private countBelow(position: bigint): number {
    let [low, high] = [0, this.changes.length];
    // Most ask for the end.
    if (high > 0 && (this.changes[high - 1] as DefinitionChange).position < position) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.changes[middle] as DefinitionChange).position < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

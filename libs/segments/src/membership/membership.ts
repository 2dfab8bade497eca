import type { OverlayMode } from '@app/contacts';
import type { RecordedEvent } from '@app/kernel';
import { evaluate, EVERY_RULE, touchedBy, type ContactFacts, type Membership } from '@app/rules';
import { inOrder, type Definition, type DefinitionSet } from './definitions';

/** Why somebody entered or left, and when that took effect. */
export type Cause = Readonly<{
  kind: 'initial' | 'event' | 'clock' | 'definition' | 'manual' | 'erasure' | 'deactivation';
  /** Absent: the clock. */
  eventId?: string;
  /** ISO 8601 UTC. */
  at: string;
  /** Of the last event that was known then; 64 bits, so a text. */
  position: string;
}>;

/** One stay in a segment under one version of its rule. `(segmentId, from, causeIn.position)` names it. */
export type Interval = Readonly<{
  segmentId: string;
  version: number;
  from: string;
  to: string | null;
  causeIn: Cause;
  causeOut: Cause | null;
}>;

/** What one contact is in and what is due for it, JSON-safe. */
export type MembershipState = Readonly<{
  contactId: string;
  /** The stays that go on, by segment. */
  open: Readonly<Record<string, Interval>>;
  /** Stays that ended, oldest first, of those segments that another's rule refers to. */
  past: Readonly<Record<string, readonly Stay[]>>;
  /** When each segment has to be asked again without an event; those that need not are not in it. */
  due: Readonly<Record<string, string>>;
  overlays: Readonly<Record<string, OverlayState>>;
  profilingObjected: boolean;
  erased: boolean;
  /** The latest instant this is the answer for: time goes on from here. */
  evaluatedAt: string | null;
  position: string;
}>;

type Stay = Readonly<{ from: string; to: string }>;
export type OverlayState = Readonly<{ mode: OverlayMode; expiresAt: string | null }>;

/** `changes`: each stay as it is when it opens and again when it closes, in order. */
export type Step = Readonly<{ state: MembershipState; changes: readonly Interval[] }>;

/** The contact's facts, with its stays in segments by id, as the machine knows them. */
export type FactsWith = (memberships: (segmentId: string) => readonly Membership[]) => ContactFacts;

export const noMembership = (contactId: string): MembershipState => ({
  contactId,
  open: {},
  past: {},
  due: {},
  overlays: {},
  profilingObjected: false,
  erased: false,
  evaluatedAt: null,
  position: '-1',
});

/** The earliest instant at which the answer may change without an event; null: never. */
export const nextDueAt = ({ due }: MembershipState): string | null => {
  let earliest: string | null = null;
  for (const at of Object.values(due)) if (earliest === null || at < earliest) earliest = at;
  return earliest;
};

/** The time of an event for memberships: when it was recorded, and never before what was evaluated already. */
const effectiveAt = ({ evaluatedAt }: MembershipState, recordedAt: string): string =>
  evaluatedAt !== null && evaluatedAt > recordedAt ? evaluatedAt : recordedAt;

/**
 * Applies all that fell due up to an instant, each change at its own due instant. The caller has to have applied all events
 * that were recorded before it: then the clock may tick whenever it likes, and the stays are the same.
 */
export const advance = (
  before: MembershipState,
  facts: FactsWith,
  definitions: DefinitionSet,
  until: string,
): Step => {
  const first = nextDueAt(before);
  if (first === null || first > until) return { state: before, changes: [] };
  const work = new Work(before, facts, definitions);
  for (let due: string | null = first; due !== null && due <= until; due = nextDueAt(work.state)) {
    const at: string = due;
    const ready = Object.entries(work.state.due).flatMap(([id, dueAt]) => (dueAt <= at ? [id] : []));
    work.judgeAll(ready, { kind: 'clock', at, position: work.state.position });
    const following = nextDueAt(work.state);
    // Time goes on with every step, so that there is an end to them.
    if (following !== null && following <= at) throw new Error(`What was due at ${at} is due again.`);
  }
  return work.step();
};

type FactEvent = RecordedEvent<Readonly<{ type: string; data: object }>>;

/**
 * Applies one event of the contact's stream: first what fell due up to its `recordedAt`, on the facts as they were, then the
 * event, for the segments that depend on what it changed. An event at or below the state's position changes nothing.
 */
export const applyEvent = (
  before: MembershipState,
  facts: Readonly<{ before: FactsWith | null; after: FactsWith | null }>,
  definitions: DefinitionSet,
  event: FactEvent,
): Step => {
  const { eventId, recordedAt, position } = event.meta;
  if (position <= BigInt(before.position)) return { state: before, changes: [] };
  const due =
    facts.before === null
      ? { state: before, changes: [] }
      : advance(before, facts.before, definitions, recordedAt);
  const at = effectiveAt(due.state, recordedAt);
  const told = toldBy(event);
  const state = { ...due.state, ...told.state(due.state), evaluatedAt: at, position: String(position) };
  const asked = [...definitions.dependingOn(told.keys), ...told.segments];
  if (facts.after === null || asked.length === 0) return { state, changes: due.changes };
  const work = new Work(state, facts.after, definitions);
  const cause: Cause = { kind: told.kind, eventId, at, position: String(position) };
  work.judgeAll(asked, cause);
  return work.step(due.changes);
};

/**
 * Applies new definitions: the segments named are judged anew, by the version that decides now or, where there is none any
 * more, left. A new version closes the stay under the old one and opens another at the same instant.
 * Where nothing is opened, closed or due otherwise, the state is as it was.
 */
export const applyDefinitions = (
  before: MembershipState,
  facts: FactsWith,
  definitions: Readonly<{ before: DefinitionSet; after: DefinitionSet }>,
  changed: readonly string[],
  cause: Omit<Cause, 'at'>,
  at: string,
): Step => {
  const due = advance(before, facts, definitions.before, at);
  const effective = effectiveAt(due.state, at);
  const state = { ...due.state, evaluatedAt: effective, position: cause.position };
  const work = new Work(state, facts, definitions.after);
  work.judgeAll(changed, { ...cause, at: effective });
  const { open, due: nowDue } = work.state;
  // Whom it does not concern it leaves as it was, so that nothing has to be written for it, now or later.
  if (open === due.state.open && nowDue === due.state.due) return due;
  return work.step(due.changes);
};

type Told = Readonly<{
  kind: Cause['kind'];
  keys: readonly string[];
  /** Segments that are meant by name. */
  segments: readonly string[];
  state: (before: MembershipState) => Partial<MembershipState>;
}>;

/** What an event says to memberships beside what rules look at. */
const toldBy = (event: FactEvent): Told => {
  const data = event.data as Readonly<Record<string, unknown>>;
  const keys = touchedBy(event);
  const nothing = (): Partial<MembershipState> => ({});
  switch (event.type) {
    case 'contacts.SegmentAssigned.v1': {
      const segmentId = String(data['segmentId']);
      const overlay = {
        mode: data['mode'] as OverlayMode,
        expiresAt: typeof data['expiresAt'] === 'string' ? data['expiresAt'] : null,
      };
      return {
        kind: 'manual',
        keys,
        segments: [segmentId],
        state: ({ overlays }) => ({ overlays: { ...overlays, [segmentId]: overlay } }),
      };
    }
    case 'contacts.SegmentUnassigned.v1': {
      const segmentId = String(data['segmentId']);
      return {
        kind: 'manual',
        keys,
        segments: [segmentId],
        state: ({ overlays }) => ({ overlays: without(overlays, segmentId) }),
      };
    }
    case 'contacts.ProfilingObjected.v1':
      return { kind: 'event', keys: [EVERY_RULE], segments: [], state: () => ({ profilingObjected: true }) };
    case 'contacts.ObjectionLifted.v1':
      return { kind: 'event', keys: [EVERY_RULE], segments: [], state: () => ({ profilingObjected: false }) };
    // From here on nobody is shown the contact; its keys are destroyed later.
    case 'contacts.ErasureStarted.v1':
    case 'contacts.ContactErased.v1':
      return {
        kind: 'erasure',
        keys: [EVERY_RULE],
        segments: [],
        state: () => ({ erased: true, overlays: {} }),
      };
    default:
      return { kind: 'event', keys, segments: [], state: nothing };
  }
};

const without = <T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> => {
  const { [key]: _, ...others } = record;
  return others;
};

/** One pass over the segments that may have changed, each after those that it refers to. */
class Work {
  private readonly changes: Interval[] = [];
  private known: ContactFacts | undefined;

  constructor(
    public state: MembershipState,
    private readonly factsWith: FactsWith,
    private readonly definitions: DefinitionSet,
  ) {}

  step(earlier: readonly Interval[] = []): Step {
    return { state: this.state, changes: [...earlier, ...this.changes] };
  }

  judgeAll(segmentIds: readonly string[], cause: Cause): void {
    let order = inOrder(new Set(segmentIds), this.definitions);
    for (let n = 0; n < order.length; n += 1) {
      const next = order[n] as string;
      if (!this.judge(next, cause)) continue;
      // Whoever refers to it comes after it.
      const waiting = new Set(order.slice(n + 1));
      const known = waiting.size;
      for (const id of this.definitions.referringTo(next)) waiting.add(id);
      if (waiting.size > known) order = [...order.slice(0, n + 1), ...inOrder(waiting, this.definitions)];
    }
    this.state = { ...this.state, evaluatedAt: cause.at };
  }

  /** Whether anything changed that another segment's rule could see. */
  private judge(segmentId: string, cause: Cause): boolean {
    const definition = this.definitions.get(segmentId);
    const { isIn, dueAt } = this.verdictOn(segmentId, definition, cause.at);
    const { due } = this.state;
    if (dueAt !== null && due[segmentId] !== dueAt) {
      this.state = { ...this.state, due: { ...due, [segmentId]: dueAt } };
    }
    if (dueAt === null && Object.hasOwn(due, segmentId))
      this.state = { ...this.state, due: without(due, segmentId) };
    const open = Object.hasOwn(this.state.open, segmentId) ? this.state.open[segmentId] : undefined;
    const stays = isIn && open !== undefined && open.version === definition?.version;
    if (stays || (!isIn && open === undefined)) return false;
    if (open !== undefined) this.close(open, cause);
    if (isIn && definition !== undefined) this.open(definition, cause);
    return true;
  }

  /** exclude > include > rule; nobody is in what is not active, and who is erased is in nothing. */
  private verdictOn(
    segmentId: string,
    definition: Definition | undefined,
    at: string,
  ): Readonly<{ isIn: boolean; dueAt: string | null }> {
    if (definition === undefined || this.state.erased) return { isIn: false, dueAt: null };
    const { overlays, profilingObjected } = this.state;
    const overlay = Object.hasOwn(overlays, segmentId) ? overlays[segmentId] : undefined;
    if (overlay !== undefined && (overlay.expiresAt === null || overlay.expiresAt > at)) {
      return { isIn: overlay.mode === 'include', dueAt: overlay.expiresAt };
    }
    if (definition.rule === null || profilingObjected) return { isIn: false, dueAt: null };
    const { cutOff } = definition;
    const { truth, nextChangeAt } = evaluate(
      definition.rule,
      (this.known ??= this.factsWith((id) => this.staysIn(id))),
      new Date(at),
      cutOff === undefined ? {} : { cutOff },
    );
    return { isIn: truth === 'true', dueAt: nextChangeAt };
  }

  private open({ segmentId, version }: Definition, cause: Cause): void {
    const stay = { segmentId, version, from: cause.at, to: null, causeIn: cause, causeOut: null };
    this.state = { ...this.state, open: { ...this.state.open, [segmentId]: stay } };
    this.changes.push(stay);
  }

  private close(stay: Interval, cause: Cause): void {
    const { segmentId, from } = stay;
    const { open, past } = this.state;
    this.changes.push({ ...stay, to: cause.at, causeOut: cause });
    const isSeen = this.definitions.referringTo(segmentId).length > 0;
    const ended = [...((Object.hasOwn(past, segmentId) && past[segmentId]) || []), { from, to: cause.at }];
    this.state = {
      ...this.state,
      open: without(open, segmentId),
      past: isSeen ? { ...past, [segmentId]: ended } : past,
    };
  }

  private staysIn(segmentId: string): readonly Membership[] {
    const { open, past } = this.state;
    const ended = (Object.hasOwn(past, segmentId) ? past[segmentId] : undefined) ?? [];
    const current = Object.hasOwn(open, segmentId) ? open[segmentId] : undefined;
    return [
      ...ended.map(({ from, to }) => ({ from: Date.parse(from), to: Date.parse(to) })),
      ...(current === undefined ? [] : [{ from: Date.parse(current.from), to: null }]),
    ];
  }
}

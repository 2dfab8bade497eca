import type { ContactEvent } from '@app/contacts';
import type { RecordedEvent } from '@app/kernel';
import {
  dependenciesOf,
  evaluate,
  foldHistory,
  HistoryFacts,
  parseRule,
  type ContactHistory,
  type Membership,
  type Rule,
} from '@app/rules';
import { anyLeafRule, anyRule, CONTACT_ID, contactLogs, facts, recordedLog } from '@app/testing';
import fc from 'fast-check';
import { BucketedFacts } from '../facts/bucketed.facts';
import { bucketsNeeded } from '../facts/buckets-needed';
import {
  bucketId,
  bucketsWritten,
  foldBucket,
  foldFacts,
  type FactsBucket,
  type FactsDocument,
} from '../facts/facts.document';
import { Definitions, type Definition } from './definitions';
import {
  advance,
  applyDefinitions,
  applyEvent,
  noMembership,
  type FactsWith,
  type Interval,
  type MembershipState,
} from './membership';

type Recorded = RecordedEvent<ContactEvent>;
const DAY_MS = 86_400_000;
const iso = (instant: number): string => new Date(instant).toISOString();

/** The documents of a contact as a store would keep them, giving out only what is said to be needed. */
class Store {
  doc: FactsDocument | null = null;
  buckets = new Map<string, FactsBucket>();

  fold(event: Recorded): void {
    for (const name of bucketsWritten(this.doc, event)) {
      const id = bucketId(event.data.contactId, name);
      this.buckets.set(id, foldBucket(this.buckets.get(id) ?? null, event.data.contactId, name, event));
    }
    this.doc = foldFacts(this.doc, event);
  }

  /** For all instants from `now` on. */
  facts(definitions: readonly Definition[], now: number): FactsWith | null {
    const { doc } = this;
    if (doc === null) return null;
    const months = new Set(
      definitions.flatMap(({ rule }) => (rule === null ? [] : bucketsNeeded(rule, doc, now))),
    );
    const buckets = [...this.buckets.values()].filter(({ month }) => months.has(month));
    return (staysIn) => new BucketedFacts(doc, buckets, staysIn);
  }
}

/** Folds a history the way the product does: event by event, the clock ticking in between whenever it likes. */
class Machine {
  readonly store = new Store();
  state: MembershipState;
  readonly stays = new Map<string, Interval>();

  constructor(
    contactId: string,
    private readonly definitions: readonly Definition[],
  ) {
    this.state = noMembership(contactId);
  }

  event(event: Recorded): void {
    const from = Math.min(Date.parse(event.meta.recordedAt), this.evaluatedAt());
    const before = this.store.facts(this.definitions, from);
    this.store.fold(event);
    const after = this.store.facts(this.definitions, from);
    this.keep(applyEvent(this.state, { before, after }, new Definitions(this.definitions), event));
  }

  tick(until: number): void {
    const known = this.store.facts(this.definitions, Math.min(until, this.evaluatedAt()));
    if (known !== null) this.keep(advance(this.state, known, new Definitions(this.definitions), iso(until)));
  }

  /** As after a restart: nothing is left but what was stored. */
  restart(): void {
    this.state = JSON.parse(JSON.stringify(this.state)) as MembershipState;
  }

  intervals(): Interval[] {
    return sorted([...this.stays.values()]);
  }

  private evaluatedAt(): number {
    return this.state.evaluatedAt === null ? Infinity : Date.parse(this.state.evaluatedAt);
  }

  private keep({ state, changes }: ReturnType<typeof advance>): void {
    this.state = state;
    for (const stay of changes) {
      this.stays.set(`${stay.segmentId} ${stay.from} ${stay.causeIn.position} ${stay.causeIn.kind}`, stay);
    }
  }
}

const sorted = (stays: Interval[]): Interval[] =>
  stays.sort((one, other) =>
    `${one.segmentId} ${one.from}` < `${other.segmentId} ${other.from}`
      ? -1
      : one.segmentId === other.segmentId && one.from === other.from
        ? Number(one.causeIn.position) - Number(other.causeIn.position)
        : 1,
  );

class Recalled extends HistoryFacts {
  constructor(
    history: ContactHistory,
    private readonly staysIn: (segmentId: string) => readonly Membership[],
  ) {
    super(history);
  }
  override memberships(segmentId: string): readonly Membership[] {
    return this.staysIn(segmentId);
  }
}

/** Written apart from the product: every segment asked at every event and at every instant at which any of them may change. */
const bruteForce = (
  events: readonly Recorded[],
  inOrder: readonly Definition[],
  until: number,
): Interval[] => {
  const stays: Interval[] = [];
  const overlays = new Map<string, { mode: string; expiresAt: string }>();
  let history: ContactHistory | null = null;
  let [erased, objected, position] = [false, false, '-1'];
  let next = Infinity;
  const askAll = (at: number, cause: { kind: Interval['causeIn']['kind']; eventId?: string }): void => {
    next = Infinity;
    if (history === null) return;
    const known = new Recalled(history, (id) =>
      stays
        .filter(({ segmentId }) => segmentId === id)
        .map(({ from, to }) => ({ from: Date.parse(from), to: to === null ? null : Date.parse(to) })),
    );
    for (const { segmentId, version, rule } of inOrder) {
      let isIn = false;
      const overlay = overlays.get(segmentId);
      if (erased) isIn = false;
      else if (overlay !== undefined && Date.parse(overlay.expiresAt) > at) {
        isIn = overlay.mode === 'include';
        next = Math.min(next, Date.parse(overlay.expiresAt));
      } else if (rule !== null && !objected) {
        const { truth, nextChangeAt } = evaluate(rule, known, new Date(at));
        isIn = truth === 'true';
        if (nextChangeAt !== null) next = Math.min(next, Date.parse(nextChangeAt));
      }
      const open = stays.findIndex((stay) => stay.segmentId === segmentId && stay.to === null);
      const full = { ...cause, at: iso(at), position };
      if (isIn && open < 0) {
        stays.push({ segmentId, version, from: iso(at), to: null, causeIn: full, causeOut: null });
      }
      if (!isIn && open >= 0) stays[open] = { ...(stays[open] as Interval), to: iso(at), causeOut: full };
    }
  };
  for (const event of events) {
    const { recordedAt, eventId } = event.meta;
    while (next <= Date.parse(recordedAt)) askAll(next, { kind: 'clock' });
    history = foldHistory(history, event);
    position = String(event.meta.position);
    let kind: Interval['causeIn']['kind'] = 'event';
    if (event.type === 'contacts.SegmentAssigned.v1') {
      kind = 'manual';
      const { segmentId, mode, expiresAt = '9999-12-31T00:00:00.000Z' } = event.data;
      overlays.set(segmentId, { mode, expiresAt });
    } else if (event.type === 'contacts.SegmentUnassigned.v1') {
      kind = 'manual';
      overlays.delete(event.data.segmentId);
    } else if (event.type === 'contacts.ErasureStarted.v1') [kind, erased] = ['erasure', true];
    else if (event.type === 'contacts.ProfilingObjected.v1') objected = true;
    else if (event.type === 'contacts.ObjectionLifted.v1') objected = false;
    askAll(Date.parse(recordedAt), { kind, eventId });
  }
  while (next <= until) askAll(next, { kind: 'clock' });
  return sorted(stays);
};

const refersTo = (rule: Rule): readonly string[] => dependenciesOf(rule).segments;
const parsed = fc.oneof(anyLeafRule, anyRule).map((input) => parseRule(input));
const ofSegment = (segment: string) =>
  fc.constantFrom<object>(
    { segment, op: 'in' },
    { segment, op: 'notIn' },
    { segment, op: 'inFor', value: 'P1M' },
    { segment, op: 'wasIn', window: { last: 'P7D' } },
    { segment, op: 'wasIn', window: { period: 'month', offset: -1 } },
  );
const referring = (segment: string): fc.Arbitrary<Rule> =>
  fc
    .tuple(
      ofSegment(segment),
      parsed.filter((rule) => refersTo(rule).length === 0),
      fc.constantFrom('all', 'any', 'alone'),
    )
    .map(([node, { tz, root }, joined]) =>
      parseRule({ dsl: 1, tz, root: joined === 'alone' ? node : { [joined]: [node, root] } }),
    );
const anyDefinitions: fc.Arbitrary<readonly Definition[]> = fc
  .tuple(
    parsed.filter((rule) => refersTo(rule).length === 0),
    fc.oneof(
      referring('s1'),
      parsed.filter((rule) => !refersTo(rule).includes('s2')),
    ),
    fc.oneof(referring('s2'), parsed),
  )
  .map((rules) => [
    ...rules.map((rule, n) => ({ segmentId: `s${n + 1}`, version: 1, rule })),
    { segmentId: 's4', version: 1, rule: null },
  ]);

const contactId = '00000000-0000-4000-8000-000000000000';
const anyTold = fc.record({
  after: fc.nat(40),
  delayMs: fc.constantFrom(0, 1, 3_600_000),
  segmentId: fc.constantFrom('s1', 's2', 's4'),
  kind: fc.constantFrom('include', 'exclude', 'include', 'unassign', 'object', 'lift', 'erase'),
  days: fc.constantFrom(0, 1, 3, 40),
});
/** A contact's stream, with words by hand, objections and erasures among what happens. */
const anyStream = fc
  .tuple(contactLogs({ contactsMax: 1, stepsMax: 10 }), fc.array(anyTold, { maxLength: 4 }))
  .map(([log, told]) => {
    const written = log.map((event, n) => ({
      event: { type: event.type, data: event.data } as ContactEvent,
      at: Date.parse(event.meta.recordedAt),
      n: 2 * n,
    }));
    for (const { after, delayMs, segmentId, kind, days } of told) {
      const n = after % log.length;
      const at = Math.min((written[n]?.at ?? 0) + delayMs, written[n + 1]?.at ?? Infinity);
      const of = { contactId, occurredAt: iso(at) };
      const event = ((): ContactEvent => {
        if (kind === 'include' || kind === 'exclude') {
          const expiry = days === 0 ? {} : { expiresAt: iso(at + days * DAY_MS) };
          return { type: 'contacts.SegmentAssigned.v1', data: { ...of, segmentId, mode: kind, ...expiry } };
        }
        if (kind === 'unassign') return { type: 'contacts.SegmentUnassigned.v1', data: { ...of, segmentId } };
        if (kind === 'object') return { type: 'contacts.ProfilingObjected.v1', data: of };
        if (kind === 'lift') return { type: 'contacts.ObjectionLifted.v1', data: of };
        return { type: 'contacts.ErasureStarted.v1', data: { ...of, erasureId: 'erasure' } };
      })();
      written.push({ event, at, n: 2 * n + 1 });
    }
    written.sort((one, other) => one.at - other.at || one.n - other.n);
    return recordedLog(
      written.map(({ event }) => event),
      written.map(({ at }) => iso(at)),
    );
  });

describe('memberships', () => {
  it('are what brute force says, however the log is split and whenever the clock ticks', () => {
    let intervals = 0;
    fc.assert(
      fc.property(
        anyDefinitions,
        anyStream,
        fc.array(fc.tuple(fc.integer({ min: 0, max: 100 }), fc.boolean()), { minLength: 1, maxLength: 8 }),
        (definitions, stream, ways) => {
          const end = Date.parse((stream.at(-1) as Recorded).meta.recordedAt) + 60 * DAY_MS;
          const expected = bruteForce(stream, definitions, end);
          intervals += expected.length;
          for (const ticking of [false, true]) {
            const machine = new Machine(contactId, definitions);
            stream.forEach((event, n) => {
              const [part, restarts] = ways[n % ways.length] as [number, boolean];
              machine.event(event);
              if (restarts) machine.restart();
              const now = Date.parse(event.meta.recordedAt);
              const following = Date.parse(stream[n + 1]?.meta.recordedAt ?? iso(end));
              if (ticking) machine.tick(now + Math.floor(((following - now) * part) / 100));
            });
            machine.tick(end);
            expect(machine.intervals()).toEqual(expected);
            // Delivery is at least once.
            const { state } = machine;
            const known = machine.store.facts(definitions, Date.parse(state.evaluatedAt ?? iso(end)));
            for (const event of stream) {
              const told = { before: known, after: known };
              const again = applyEvent(state, told, new Definitions(definitions), event);
              expect(again).toEqual({ state, changes: [] });
            }
          }
        },
      ),
      { numRuns: 300 },
    );
    expect(intervals).toBeGreaterThan(300);
  });
});

const women = parseRule({ attr: 'profile.gender', op: 'eq', value: 'female' });
const men = parseRule({ attr: 'profile.gender', op: 'eq', value: 'male' });
const at = (day: number): string => iso(Date.UTC(2026, 2, day));

describe('by the definitions', () => {
  const machineWith = (...definitions: Definition[]): Machine => {
    const machine = new Machine(CONTACT_ID, definitions);
    const [event] = recordedLog(
      [facts.registered({ profile: { gender: 'female' }, occurredAt: at(1) })],
      [at(1)],
    );
    machine.event(event as Recorded);
    return machine;
  };
  const change = (
    machine: Machine,
    before: Definition[],
    after: Definition[],
    changed: string[],
    kind: 'definition' | 'deactivation' | 'initial',
  ) =>
    applyDefinitions(
      machine.state,
      machine.store.facts([...before, ...after], Date.parse(at(1))) as FactsWith,
      { before: new Definitions(before), after: new Definitions(after) },
      changed,
      { kind, position: '9' },
      at(5),
    );
  const s1 = { segmentId: 's1', version: 1, rule: women };
  const follower = { segmentId: 's2', version: 1, rule: parseRule({ segment: 's1', op: 'in' }) };

  it('a first fill says so', () => {
    const machine = machineWith();
    const { changes } = change(machine, [], [s1], ['s1'], 'initial');
    expect(changes).toMatchObject([{ segmentId: 's1', from: at(5), to: null, causeIn: { kind: 'initial' } }]);
  });

  it('a new version closes one stay and opens another at the same instant', () => {
    const machine = machineWith(s1);
    const { changes } = change(machine, [s1], [{ ...s1, version: 2 }], ['s1'], 'definition');
    expect(changes).toMatchObject([
      { version: 1, from: at(1), to: at(5), causeOut: { kind: 'definition', position: '9' } },
      { version: 2, from: at(5), to: null, causeIn: { kind: 'definition' } },
    ]);
  });

  it('who no longer meets the rule leaves, also what refers to it', () => {
    const machine = machineWith(s1, follower);
    const after = [{ ...s1, version: 2, rule: men }, follower];
    const { changes, state } = change(machine, [s1, follower], after, ['s1'], 'definition');
    expect(changes.map(({ segmentId, to }) => [segmentId, to])).toEqual([
      ['s1', at(5)],
      ['s2', at(5)],
    ]);
    expect(state.open).toEqual({});
  });

  it('everybody leaves a segment that is deactivated, also what refers to it', () => {
    const machine = machineWith(s1, follower);
    const { changes } = change(machine, [s1, follower], [follower], ['s1'], 'deactivation');
    expect(changes).toMatchObject([
      { segmentId: 's1', to: at(5), causeOut: { kind: 'deactivation' } },
      { segmentId: 's2', to: at(5), causeOut: { kind: 'deactivation' } },
    ]);
  });
});

it('applies what is due at the very instant of an event before it', () => {
  const machine = new Machine(CONTACT_ID, [{ segmentId: 's1', version: 1, rule: null }]);
  const events = recordedLog(
    [
      facts.registered({ occurredAt: at(1) }),
      {
        type: 'contacts.SegmentAssigned.v1',
        data: {
          contactId: CONTACT_ID,
          occurredAt: at(2),
          segmentId: 's1',
          mode: 'include',
          expiresAt: at(5),
        },
      },
      facts.checkedIn('visit', 0, { occurredAt: at(5) }),
    ],
    [at(1), at(2), at(5)],
  );
  for (const event of events) machine.event(event);
  const position = String(events[1]?.meta.position);
  expect(machine.intervals()).toMatchObject([
    {
      segmentId: 's1',
      from: at(2),
      to: at(5),
      causeIn: { kind: 'manual' },
      causeOut: { kind: 'clock', position },
    },
  ]);
});

it('asks only the segments that an event can have changed', () => {
  const asked: string[] = [];
  const definitions = new Definitions([
    { segmentId: 's1', version: 1, rule: parseRule({ metric: 'checkIns.count', op: 'gte', value: 1 }) },
    { segmentId: 's2', version: 1, rule: women },
  ]);
  const [registered, visit] = recordedLog(
    [facts.registered({ occurredAt: at(1) }), facts.checkedIn('visit', 0, { occurredAt: at(2) })],
    [at(1), at(2)],
  ) as [Recorded, Recorded];
  const history = foldHistory(foldHistory(null, registered), visit) as ContactHistory;
  const spied: FactsWith = () =>
    new Proxy(new HistoryFacts(history), {
      get: (target, name) => {
        if (name === 'attribute') asked.push('attribute');
        return Reflect.get(target, name) as unknown;
      },
    });
  const { state } = applyEvent(
    noMembership(CONTACT_ID),
    { before: null, after: spied },
    definitions,
    registered,
  );
  asked.length = 0;
  const { changes } = applyEvent(state, { before: spied, after: spied }, definitions, visit);
  expect(asked).toEqual([]);
  expect(changes.map(({ segmentId }) => segmentId)).toEqual(['s1']);
});

import type { ContactEvent } from '@app/contacts';
import type { RecordedEvent } from '@app/kernel';
import { MongoReadStore, openReadDatabase, type ReadDatabase } from '@app/read-store';
import { contactsProjection } from '@app/contacts';
import {
  dependenciesOf,
  evaluate,
  foldHistory,
  HistoryFacts,
  parseRule,
  ruleHash,
  type ContactHistory,
  type Membership,
  type Rule,
} from '@app/rules';
import {
  anyLeafRule,
  anyRule,
  CONTACT_ID,
  contactLogs,
  facts,
  recordedLog,
  type TestMongo,
} from '@app/testing';
import fc from 'fast-check';
import type { Document } from 'mongodb';
import type { SegmentEvent } from '../domain/segment.events';
import { FillState } from '../read-models/mongo.fill-state';
import type { StayDocument } from '../read-models/segmented-contact';
import { MongoSegmentStore } from './mongo.segment-store';
import { SegmentEngine } from './segment-engine';

export type AnyEvent = RecordedEvent<ContactEvent | SegmentEvent>;

const DAY_MS = 86_400_000;
const SEGMENTS = ['s1', 's2', 's3', 's4'];
const iso = (instant: number): string => new Date(instant).toISOString();

/** What is done to definitions, somewhere among what happens to contacts. */
type Defining = Readonly<{ after: number; segmentId: string; kind: 'rule' | 'off' | 'on'; rule: Rule }>;

const parsed = fc.oneof(anyLeafRule, anyRule).map((input) => parseRule(input));
const plain = parsed.filter((rule) => dependenciesOf(rule).segments.length === 0);
/** May refer to the segments before it, so that there are no cycles. */
const ruleOf = (segmentId: string): fc.Arbitrary<Rule> => {
  const earlier = SEGMENTS.slice(0, SEGMENTS.indexOf(segmentId));
  if (earlier.length === 0) return plain;
  const referring = fc
    .tuple(
      fc
        .constantFrom(...earlier)
        .chain((segment) =>
          fc.constantFrom<object>(
            { segment, op: 'in' },
            { segment, op: 'notIn' },
            { segment, op: 'inFor', value: 'P7D' },
            { segment, op: 'wasIn', window: { last: 'P30D' } },
            { segment, op: 'wasIn', window: { from: '2020-01-01', to: '2030-01-01' } },
          ),
        ),
      plain,
      fc.constantFrom('all', 'any', 'alone'),
    )
    .map(([node, { tz, root }, joined]) =>
      parseRule({ dsl: 1, tz, root: joined === 'alone' ? node : { [joined]: [node, root] } }),
    );
  return fc.oneof(plain, referring);
};
const anyDefining: fc.Arbitrary<readonly Defining[]> = fc.array(
  fc.constantFrom(...SEGMENTS).chain((segmentId) =>
    fc.record({
      after: fc.nat(60),
      segmentId: fc.constant(segmentId),
      kind: fc.constantFrom('rule', 'rule', 'rule', 'off', 'on'),
      rule: ruleOf(segmentId),
    }),
  ),
  { minLength: 1, maxLength: 8 },
);

/** One log of contacts and segments, in the order in which they were written. */
export const anyLog = fc
  .tuple(contactLogs({ contactsMax: 4, stepsMax: 8 }), anyDefining)
  .map(([contactLog, defining]) => {
    const versions = new Map<string, number>();
    const written: { event: ContactEvent | SegmentEvent; at: number }[] = [];
    const inOrder = [...defining].sort(
      (one, other) => (one.after % contactLog.length) - (other.after % contactLog.length),
    );
    contactLog.forEach((event, n) => {
      const at = Date.parse(event.meta.recordedAt);
      written.push({ event: { type: event.type, data: event.data } as ContactEvent, at });
      for (const { after, segmentId, kind, rule } of inOrder) {
        if (after % contactLog.length !== n) continue;
        const of = { segmentId, occurredAt: iso(at) };
        const version = (versions.get(segmentId) ?? 0) + 1;
        if (version === 1 || kind === 'rule') {
          versions.set(segmentId, version);
          const told = { ...of, rule, ruleHash: ruleHash(rule), template: null, version };
          written.push({
            at,
            event:
              version === 1
                ? {
                    type: 'segments.SegmentDefined.v1',
                    data: { ...told, name: segmentId, description: null },
                  }
                : { type: 'segments.RuleChanged.v1', data: told },
          });
        } else {
          const type = kind === 'off' ? 'segments.SegmentDeactivated.v1' : 'segments.SegmentActivated.v1';
          written.push({ at, event: { type, data: of } });
        }
      }
    });
    return recordedLog(
      written.map(({ event }) => event as ContactEvent),
      written.map(({ at }) => iso(at)),
    ) as unknown as readonly AnyEvent[];
  });

class Recalled extends HistoryFacts {
  constructor(
    history: ContactHistory,
    private readonly stays: readonly StayDocument[],
  ) {
    super(history);
  }
  override memberships(id: string): readonly Membership[] {
    return this.stays
      .filter(({ segmentId, contactId }) => segmentId === id && contactId === this.contactId)
      .sort((one, other) => (one.from < other.from ? -1 : 1))
      .map(({ from, to }) => ({ from: Date.parse(from), to: to === null ? null : Date.parse(to) }));
  }
}

/** Every rule asked on the whole history of every contact. Answers how many are in something. */
const expectMembersByRule = (
  log: readonly AnyEvent[],
  stays: readonly StayDocument[],
  contacts: readonly Document[],
  at: number,
): number => {
  const rules = new Map<string, Rule>();
  const active = new Set<string>();
  const histories = new Map<string, ContactHistory>();
  for (const event of log) {
    if ('segmentId' in event.data && event.type.startsWith('segments.')) {
      const { segmentId } = event.data;
      if ('rule' in event.data && event.data.rule !== null) rules.set(segmentId, event.data.rule);
      if (event.type === 'segments.SegmentDeactivated.v1') active.delete(segmentId);
      else if (event.type !== 'segments.RuleChanged.v1') active.add(segmentId);
      continue;
    }
    const { contactId } = event.data as ContactEvent['data'];
    const history = foldHistory(histories.get(contactId) ?? null, event);
    if (history !== null) histories.set(contactId, history);
  }
  let count = 0;
  for (const [contactId, history] of histories) {
    const doc = contacts.find(({ _id }) => _id === contactId);
    const isApart = doc?.['erasure'] !== undefined || doc?.['profilingObjected'] !== undefined;
    const members = [...active].filter(
      (id) =>
        !isApart &&
        evaluate(rules.get(id) as Rule, new Recalled(history, stays), new Date(at)).truth === 'true',
    );
    expect([contactId, doc?.['segments']]).toEqual([contactId, members.sort()]);
    count += members.length;
  }
  return count;
};

/** Memberships on one document store: the same whatever happens in between. */
export const segmentEngineSuite = (name: string, start: () => Promise<TestMongo>): void => {
  describe(`memberships on ${name}`, () => {
    let server: TestMongo;
    let database: ReadDatabase;

    beforeAll(async () => {
      server = await start();
      database = await openReadDatabase(server);
    });

    afterAll(async () => {
      await database?.close();
      await server?.close();
    });

    /** The engine as a process has it, with a log that ends where it is told. */
    const engineAt = (state: { now: number; head: bigint | null }) => {
      const { db } = database;
      const readStore = new MongoReadStore(db);
      return new SegmentEngine({
        store: new MongoSegmentStore(db, readStore),
        fills: new FillState(db),
        events: { head: async () => state.head },
        clock: { now: () => new Date(state.now) },
        onTrouble: (error) => {
          throw error;
        },
      });
    };

    const emptied = async (): Promise<void> => {
      for (const { name: collection } of await database.db.listCollections().toArray()) {
        await database.db.collection(collection).deleteMany({});
      }
      await new MongoReadStore(database.db).open('engine', {
        projections: [contactsProjection],
        journals: [],
      });
    };

    const stored = async () => {
      const stays = await database.db
        .collection<StayDocument & { _id: string }>('memberships_v1')
        .find()
        .sort({ _id: 1 })
        .toArray();
      const contacts = await database.db.collection('contacts_v3').find().sort({ _id: 1 }).toArray();
      const buckets = await database.db.collection('fact_buckets_v1').find().sort({ _id: 1 }).toArray();
      return {
        stays,
        buckets,
        contacts: contacts.map(({ _step, membership, ...doc }) => ({
          ...doc,
          membership: { ...membership, definitionsAt: null },
        })),
      };
    };

    /** Until nothing is left to fill or due. */
    const settled = async (engine: SegmentEngine): Promise<void> => {
      while (await engine.step());
    };

    it('are the same however the log is split, whenever it ticks, fills and dies', async () => {
      let count = 0;
      await fc.assert(
        fc.asyncProperty(
          anyLog,
          fc.array(
            fc.record({
              size: fc.integer({ min: 1, max: 6 }),
              then: fc.constantFrom('nothing', 'step', 'ahead', 'settle', 'again', 'restart'),
              part: fc.integer({ min: 0, max: 99 }),
            }),
            { minLength: 1, maxLength: 12 },
          ),
          async (log, ways) => {
            const last = log.at(-1) as AnyEvent;
            const end = Date.parse(last.meta.recordedAt) + 60 * DAY_MS;
            await emptied();
            const whole = { now: end, head: last.meta.position };
            const rebuilt = engineAt(whole);
            await rebuilt.begin(null);
            await rebuilt.apply(log);
            await settled(rebuilt);
            const expected = await stored();

            await emptied();
            const state = { now: 0, head: last.meta.position as bigint | null };
            let engine = engineAt(state);
            await engine.begin(null);
            for (let done = 0, n = 0; done < log.length; n += 1) {
              const way = ways[n % ways.length] as (typeof ways)[number];
              const batch = log.slice(done, done + way.size);
              done += batch.length;
              await engine.apply(batch);
              const { position, recordedAt } = (batch.at(-1) as AnyEvent).meta;
              const following = Date.parse(log[done]?.meta.recordedAt ?? iso(end));
              // Anywhere before the next event is written.
              const now = Date.parse(recordedAt);
              state.now = now + 500 + Math.floor(((following - now) * way.part) / 100);
              state.head = position;
              if (way.then === 'step') await engine.step();
              if (way.then === 'ahead') {
                const next = log[Math.min(done + (way.part % 5), log.length - 1)] as AnyEvent;
                Object.assign(state, { now: Date.parse(next.meta.recordedAt), head: next.meta.position });
                await engine.step();
              }
              if (way.then === 'settle') await settled(engine);
              if (way.then === 'again') await engine.apply(batch);
              if (way.then === 'restart') {
                engine = engineAt(state);
                await engine.begin(position);
              }
            }
            Object.assign(state, whole);
            await settled(engine);
            expect(await stored()).toEqual(expected);
            count += expectMembersByRule(log, expected.stays, expected.contacts, end - 500);

            // Contacts built anew beside what there is of stays, facts and fills.
            await database.db.collection('contacts_v3').deleteMany({});
            engine = engineAt(whole);
            await engine.begin(null);
            await engine.apply(log);
            await settled(engine);
            expect(await stored()).toEqual(expected);
          },
        ),
        { numRuns: 30 },
      );
      expect(count).toBeGreaterThan(30);
    });

    it('follow the clock though the log grows all the time', async () => {
      const at = (hours: number): string => iso(Date.parse('2026-03-01T12:00:00.000Z') + hours * 3_600_000);
      const rule = parseRule({ attr: 'tenure', op: 'gte', value: 'P1D' });
      const of = { name: 's1', description: null, template: null, rule, ruleHash: 's1', version: 1 };
      const log = recordedLog(
        [
          facts.registered({ occurredAt: at(0) }),
          {
            type: 'segments.SegmentDefined.v1',
            data: { segmentId: 's1', occurredAt: at(1), ...of },
          } as never,
          ...[25, 26, 27].map((hours) =>
            facts.registered({ contactId: `other-${hours}`, occurredAt: at(hours) }),
          ),
        ],
        [0, 1, 25, 26, 27].map(at),
      ) as unknown as readonly AnyEvent[];
      await emptied();
      const state = { now: Date.parse(at(1)), head: null as bigint | null };
      const engine = engineAt(state);
      await engine.begin(null);
      for (const [n, event] of log.entries()) {
        await engine.apply([event]);
        // By the time that it is folded, the next one has been written.
        const next = log[n + 1] ?? event;
        Object.assign(state, { now: Date.parse(next.meta.recordedAt) + 1_000, head: next.meta.position });
        if (n < log.length - 1) await settled(engine);
      }
      const { contacts } = await stored();
      const contact = (contacts as readonly Document[]).find((doc) => doc['_id'] === CONTACT_ID);
      expect(contact?.['segments']).toEqual(['s1']);
    });

    it('know of a past that nobody asked for when it was', async () => {
      const rule = (root: object): Rule => parseRule({ dsl: 1, root });
      const at = (day: number): string => `2026-03-${String(day).padStart(2, '0')}T12:00:00.000Z`;
      const defined = (segmentId: string, root: object, day: number): SegmentEvent => ({
        type: 'segments.SegmentDefined.v1',
        data: {
          ...{ segmentId, occurredAt: at(day), name: segmentId, description: null, template: null },
          ...{ rule: rule(root), ruleHash: segmentId, version: 1 },
        },
      });
      const changed = (profile: Readonly<Record<string, string>>, day: number): ContactEvent => ({
        type: 'contacts.ContactDetailsChanged.v1',
        data: {
          contactId: CONTACT_ID,
          occurredAt: at(day),
          changed: Object.keys(profile),
          profile,
        } as never,
      });
      const isFemale = { attr: 'profile.gender', op: 'eq', value: 'female' };
      const wasIn = { segment: 's1', op: 'wasIn', window: { ever: true } };
      const log = recordedLog(
        [
          facts.registered({ profile: { gender: 'male', language: 'de' }, occurredAt: at(1) }),
          defined('s1', { attr: 'profile.language', op: 'eq', value: 'de' }, 2) as never,
          changed({ language: 'en' }, 3),
          // The contact is in neither, and nothing is due: nothing of it seems to matter here.
          defined('s2', { all: [isFemale, wasIn] }, 4) as never,
          changed({ gender: 'female' }, 5),
        ],
        [1, 2, 3, 4, 5].map(at),
      ) as unknown as readonly AnyEvent[];
      await emptied();
      const last = log.at(-1) as AnyEvent;
      const engine = engineAt({ now: Date.parse(at(9)), head: last.meta.position });
      await engine.begin(null);
      for (const event of log) {
        await engine.apply([event]);
        await engine.step();
      }
      const { contacts } = await stored();
      expect(contacts.map((doc) => (doc as Document)['segments'])).toEqual([['s2']]);
    });
  });
};

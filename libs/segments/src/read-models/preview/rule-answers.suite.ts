import {
  ContactPresence,
  ContactReads,
  contactsProjection,
  NOTHING_FILLING,
  type ContactDocument,
  type ContactEvent,
} from '@app/contacts';
import type { EventStore } from '@app/event-store';
import { CursorCodec } from '@app/http';
import type { RecordedEvent } from '@app/kernel';
import {
  foldBatch,
  MongoReadStore,
  openReadDatabase,
  ReadGate,
  type Change,
  type ReadDatabase,
} from '@app/read-store';
import {
  dependenciesOf,
  explain,
  foldHistory,
  parseRule,
  ruleHash,
  RULE_CHANNELS,
  type ContactHistory,
  type Explanation,
  type Membership,
  type Rule,
} from '@app/rules';
import {
  anyLeafRule,
  anyRule,
  contactLogs,
  FixedClock,
  recordedLog,
  ScriptedEventStore,
  type TestMongo,
} from '@app/testing';
import fc from 'fast-check';
import type { SegmentEvent } from '../../domain/segment.events';
import { MongoSegmentStore } from '../../engine/mongo.segment-store';
import { SegmentEngine } from '../../engine/segment-engine';
import { Recalled } from '../../evaluation/membership-by-then';
import { StoredContactFacts } from '../../evaluation/mongo.contact-facts';
import { OccurredMembers } from '../../evaluation/occurred-members';
import { PastContactFacts } from '../../evaluation/past.contact-facts';
import { StoredRuleMatcher } from '../../evaluation/stored.rule-matcher';
import { FactBuckets } from '../../read-models/mongo.fact-buckets';
import { ContactRanking } from '../../ranking/mongo.contact-ranking';
import { ExplainHandler } from '../explain/explain.handler';
import { ExplainQuery } from '../explain/explain.query';
import { FillState } from '../mongo.fill-state';
import type { StayDocument } from '../segmented-contact';
import { SegmentReads } from '../segments/mongo.segment-reads';
import {
  segmentsProjection,
  segmentVersionsProjection,
  type SegmentDocument,
} from '../segments/segments.projection';
import { Members } from '../stays/members';
import { CountMembersHandler, ListMembersHandler } from '../stays/members.handlers';
import { PendingChanges } from '../stays/mongo.pending-changes';
import { StayReads } from '../stays/mongo.stay-reads';
import { CountMembersQuery, ListMembersQuery } from '../stays/stays.queries';
import { ShownAsOf } from '../../evaluation/shown-as-of';
import { LivePreview } from './live.preview';
import { PastPreview } from './past.preview';
import { PreviewHandler } from './preview.handler';
import { PreviewQuery } from './preview.query';

type AnyEvent = RecordedEvent<ContactEvent | SegmentEvent>;

const DAY_MS = 86_400_000;
/** They are slow, and shrinking them is slower. */
const RUNS = { numRuns: 4, endOnFailure: true };
const iso = (instant: number): string => new Date(instant).toISOString();

const parsed = fc.oneof(anyLeafRule, anyRule).map((input) => parseRule(input));
const plain = parsed.filter((rule) => dependenciesOf(rule).segments.length === 0);

/** What is done by hand, somewhere among what happens. */
const anyWord = fc.record({
  after: fc.nat(80),
  segmentId: fc.constantFrom('s1', 's2'),
  kind: fc.constantFrom('include', 'exclude', 'unassign', 'object', 'lift', 'restrict'),
  days: fc.constantFrom(null, 3, 400),
});

/** Two segments, the contacts, and words by hand. */
const anyLog = fc
  .tuple(
    contactLogs({ contactsMax: 6, stepsMax: 8 }),
    fc.tuple(plain, plain),
    fc.array(anyWord, { maxLength: 6 }),
  )
  .map(([contactLog, rules, words]) => {
    const written: { event: ContactEvent | SegmentEvent; at: string }[] = [];
    const first = contactLog[0]?.meta.recordedAt as string;
    rules.forEach((rule, n) => {
      const told = { rule, ruleHash: ruleHash(rule), template: null, version: 1, occurredAt: first };
      const named = { segmentId: `s${n + 1}`, name: `s${n + 1}`, description: null };
      written.push({ at: first, event: { type: 'segments.SegmentDefined.v1', data: { ...told, ...named } } });
    });
    contactLog.forEach(({ type, data, meta }, n) => {
      const at = meta.recordedAt;
      written.push({ at, event: { type, data } as ContactEvent });
      for (const { after, segmentId, kind, days } of words) {
        if (after % contactLog.length !== n) continue;
        const of = { contactId: data.contactId, occurredAt: at };
        const expiry = days === null ? {} : { expiresAt: iso(Date.parse(at) + days * DAY_MS) };
        const event = {
          include: {
            type: 'SegmentAssigned',
            data: { ...of, segmentId, mode: 'include', reason: 'asked', ...expiry },
          },
          exclude: { type: 'SegmentAssigned', data: { ...of, segmentId, mode: 'exclude', ...expiry } },
          unassign: { type: 'SegmentUnassigned', data: { ...of, segmentId } },
          object: { type: 'ProfilingObjected', data: of },
          lift: { type: 'ObjectionLifted', data: of },
          restrict: { type: 'ProcessingRestricted', data: of },
        }[kind];
        written.push({
          at,
          event: { ...event, type: `contacts.${event.type}.v1` } as unknown as ContactEvent,
        });
      }
    });
    const log = recordedLog(
      written.map(({ event }) => event as ContactEvent),
      written.map(({ at }) => at),
    ) as unknown as readonly AnyEvent[];
    return log.map((event) =>
      'segmentId' in event.data && event.type.startsWith('segments.')
        ? { ...event, meta: { ...event.meta, stream: `segment-${event.data.segmentId}` } }
        : event,
    );
  });

const ofContact = (event: AnyEvent): event is RecordedEvent<ContactEvent> =>
  event.type.startsWith('contacts.');

const truthsIn = ({ pointer, truth, children = [] }: Explanation): readonly [string, string][] => [
  [pointer, truth],
  ...children.flatMap(truthsIn),
];

/** One contact by brute force: its whole stream, as far as it counts. */
class Person {
  readonly history: ContactHistory | null;
  readonly isObjecting: boolean;

  constructor(
    readonly contactId: string,
    readonly events: readonly RecordedEvent<ContactEvent>[],
    readonly stays: (segmentId: string) => readonly Membership[],
  ) {
    this.history = events.reduce<ContactHistory | null>(foldHistory, null);
    const last = events.findLast(({ type }) => /ProfilingObjected|ObjectionLifted/.test(type));
    this.isObjecting = last?.type === 'contacts.ProfilingObjected.v1';
  }

  byHand(segmentId: string, at: string): string | null {
    let mode: string | null = null;
    let expiresAt: string | undefined;
    for (const { type, data } of this.events) {
      if (!('segmentId' in data) || data.segmentId !== segmentId) continue;
      if (type === 'contacts.SegmentAssigned.v1') [mode, expiresAt] = [data.mode, data.expiresAt];
      if (type === 'contacts.SegmentUnassigned.v1') [mode, expiresAt] = [null, undefined];
    }
    return expiresAt !== undefined && expiresAt <= at ? null : mode;
  }

  facts(): Recalled | null {
    return this.history && new Recalled(this.history, this.stays);
  }

  explained(rule: Rule, at: Date): Explanation {
    const facts = this.facts();
    return facts === null ? { pointer: '/root', truth: 'false' } : explain(rule, facts, at);
  }
}

/** Previews, explanations and filters against asking everybody's whole history. */
export const ruleAnswersSuite = (name: string, start: () => Promise<TestMongo>): void => {
  describe(`what rules find on ${name}`, () => {
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

    const given = async (log: readonly AnyEvent[]) => {
      const { db } = database;
      for (const { name: collection } of await db.listCollections().toArray()) {
        await db.collection(collection).deleteMany({});
      }
      const projections = [contactsProjection, segmentsProjection, segmentVersionsProjection];
      const store = new MongoReadStore(db);
      await store.open('rule-answers', { projections, journals: [] });
      const last = log.at(-1) as AnyEvent;
      const end = Date.parse(last.meta.recordedAt) + 40 * DAY_MS;
      const events = new ScriptedEventStore(log as readonly RecordedEvent[]) as unknown as EventStore;
      const engine = new SegmentEngine({
        store: new MongoSegmentStore(db, store),
        fills: new FillState(db),
        events,
        clock: new FixedClock(iso(end)),
        onTrouble: (error) => {
          throw error;
        },
      });
      await engine.begin(null);
      await engine.apply(log as readonly RecordedEvent[]);
      while (await engine.step());
      const segments = foldBatch(
        segmentsProjection,
        log.filter((event) => !ofContact(event)) as never,
        new Map(),
      ) as Change<SegmentDocument>[];
      await store.save(segmentsProjection, segments);

      const now = new Date(end - 500);
      const clock = new FixedClock(now.toISOString());
      const gate = new ReadGate({ positions: async () => new Map([['contacts_v3', last.meta.position]]) }, [
        contactsProjection,
      ]);
      const reads = new SegmentReads(db);
      const contacts = new ContactReads(db);
      const stored = new StoredContactFacts(db, new FactBuckets(db));
      const past = new PastContactFacts(stored, reads, events);
      const live = new LivePreview(stored, contacts, new ContactRanking(db, new FactBuckets(db)));
      const byTime = new OccurredMembers(stored, past, events);
      const cursors = new CursorCodec({ derive: () => Buffer.alloc(32, 1) });
      const shown = new ShownAsOf(gate, reads, new FillState(db), new PendingChanges(db), events, clock);
      const docs = await db.collection<ContactDocument & { _id: string }>('contacts_v3').find().toArray();
      const stays = await db.collection<StayDocument & { _id: string }>('memberships_v1').find().toArray();
      const matcher = new StoredRuleMatcher(
        stored,
        reads,
        new FillState(db),
        new PendingChanges(db),
        new StayReads(db),
      );
      return {
        now,
        docs,
        stays,
        matcher,
        preview: new PreviewHandler(gate, clock, reads, live, new PastPreview(past, live), contacts, matcher),
        members: new ListMembersHandler(
          shown,
          new Members(new StayReads(db), contacts, cursors, byTime, matcher),
          byTime,
        ),
        count: new CountMembersHandler(shown, new StayReads(db), byTime),
        explain: new ExplainHandler(shown, new ContactPresence(contacts, gate), stored, past, events),
      };
    };
    type Given = Awaited<ReturnType<typeof given>>;

    /** Everybody who is not erased, with what counts of their streams, and their stays as they were then. */
    const everybody = (
      log: readonly AnyEvent[],
      { docs, stays }: Given,
      counts: (event: RecordedEvent<ContactEvent>) => boolean,
      at?: string,
    ): Person[] =>
      docs
        .filter(({ erasure }) => erasure === undefined)
        .map(({ contactId }) => {
          const events = log.filter(
            (event): event is RecordedEvent<ContactEvent> =>
              ofContact(event) && event.data.contactId === contactId && counts(event),
          );
          return new Person(contactId, events, (segmentId) =>
            stays
              .filter((stay) => stay.contactId === contactId && stay.segmentId === segmentId)
              .filter(({ from }) => at === undefined || from <= at)
              .sort((one, other) => (one.from < other.from ? -1 : 1))
              .map(({ from, to }) => ({
                from: Date.parse(from),
                to: to === null || (at !== undefined && to > at) ? null : Date.parse(to),
              })),
          );
        });

    const expected = (people: readonly Person[], rule: Rule, at: Date) => {
      const asked = people.filter(({ isObjecting }) => !isObjecting);
      const clauses = new Map<string, number>();
      const found: Person[] = [];
      for (const person of asked) {
        const tree = person.explained(rule, at);
        for (const [pointer, truth] of truthsIn(tree)) {
          clauses.set(pointer, (clauses.get(pointer) ?? 0) + (truth === 'true' ? 1 : 0));
        }
        if (tree.truth === 'true') found.push(person);
      }
      const reach = Object.fromEntries(
        RULE_CHANNELS.map((channel) => [
          channel,
          found.filter((one) => one.facts()?.reachable(channel)).length,
        ]),
      );
      return { found, reach, clauses };
    };

    const expectPreview = async (
      world: Given,
      people: readonly Person[],
      rule: Rule,
      at: Date,
      asked: { asOf?: string; axis?: 'occurred' | 'recorded' },
    ): Promise<void> => {
      const { found, reach, clauses } = expected(people, rule, at);
      const ids = found.map(({ contactId }) => contactId).sort();
      const compareTo = 's1';
      const isIn = (id: string) =>
        world.docs.find(({ _id }) => _id === id)?.segments?.includes(compareTo) === true;
      const nowIso = world.now.toISOString();
      const present = new Map(everybodyNow.map((one) => [one.contactId, one.byHand(compareTo, nowIso)]));
      const wouldBeIn = new Set(
        [...present].flatMap(([id, mode]) =>
          mode === 'include' || (mode === null && ids.includes(id)) ? [id] : [],
        ),
      );
      const members = world.docs.map(({ contactId }) => contactId).filter(isIn);
      const answer = await world.preview.execute(
        new PreviewQuery({ rule, reader: 'admin', sample: 3, compareTo, ...asked }),
      );
      const seen = Object.fromEntries(answer.clauses.map(({ pointer, count }) => [pointer, count]));
      const wanted = Object.fromEntries(
        Object.keys(seen).map((pointer) => [pointer, clauses.get(pointer) ?? 0]),
      );
      expect([asked, rule, answer.count, seen, answer.reach]).toEqual([
        asked,
        rule,
        ids.length,
        wanted,
        reach,
      ]);
      expect(answer.sample.map(({ contactId }) => contactId)).toEqual(ids.slice(0, 3));
      expect([rule, answer.wouldEnter, answer.wouldLeave]).toEqual([
        rule,
        [...wouldBeIn].filter((id) => !isIn(id)).length,
        members.filter((id) => !wouldBeIn.has(id)).length,
      ]);
    };
    let everybodyNow: readonly Person[] = [];

    it('is whom the evaluator finds, now, with every clause, and against the members there are', async () => {
      await fc.assert(
        fc.asyncProperty(anyLog, fc.array(parsed, { minLength: 8, maxLength: 8 }), async (log, rules) => {
          const world = await given(log);
          everybodyNow = everybody(log, world, () => true);
          for (const rule of rules) {
            await expectPreview(world, everybodyNow, rule, world.now, {});
            const ids = everybodyNow.map(({ contactId }) => contactId);
            const matches = everybodyNow.filter((one) => one.explained(rule, world.now).truth === 'true');
            expect([
              rule,
              [...(await world.matcher.matching(rule, ids, world.now, NOTHING_FILLING))].sort(),
            ]).toEqual([rule, matches.map(({ contactId }) => contactId).sort()]);
          }
        }),
        RUNS,
      );
    });

    const anyPast = fc.array(
      fc.record({
        rule: parsed,
        pick: fc.nat(1_000),
        off: fc.constantFrom(-1, 0, 1, DAY_MS, 20 * DAY_MS),
      }),
      { minLength: 8, maxLength: 8 },
    );

    it('is whom the evaluator finds of what had happened, or been recorded, by a past instant', async () => {
      await fc.assert(
        fc.asyncProperty(anyLog, anyPast, async (log, questions) => {
          const world = await given(log);
          everybodyNow = everybody(log, world, () => true);
          for (const { rule, pick, off } of questions) {
            const { data, meta } = log[pick % log.length] as AnyEvent;
            const time = Date.parse(pick % 2 === 0 ? meta.recordedAt : data.occurredAt) + off;
            const at = new Date(Math.min(time, world.now.getTime()));
            const asOf = at.toISOString();
            const byRecord = everybody(log, world, (event) => event.meta.recordedAt <= asOf, asOf);
            await expectPreview(world, byRecord, rule, at, { asOf, axis: 'recorded' });

            const asksPast = JSON.stringify(rule).match(/"(wasIn|inFor)"/) !== null;
            if (asksPast) continue;
            const rulesNow = new Map(
              log.flatMap((event) =>
                event.type === 'segments.SegmentDefined.v1'
                  ? [[event.data.segmentId, event.data.rule as Rule] as const]
                  : [],
              ),
            );
            const byTime = everybody(log, world, ({ data: { occurredAt } }) => occurredAt <= asOf).map(
              (one) =>
                new Person(one.contactId, one.events, (segmentId) => {
                  const mode = one.byHand(segmentId, asOf);
                  const plainTruth = one.explained(rulesNow.get(segmentId) as Rule, at).truth === 'true';
                  const isIn =
                    one.history !== null &&
                    (mode === null ? plainTruth && !one.isObjecting : mode === 'include');
                  return isIn ? [{ from: at.getTime(), to: null }] : [];
                }),
            );
            await expectPreview(world, byTime, rule, at, { asOf, axis: 'occurred' });
          }
        }),
        RUNS,
      );
    });

    it('is who was in by when things happened, as counted, listed and explained', async () => {
      let found = 0;
      await fc.assert(
        fc.asyncProperty(
          anyLog,
          fc.array(fc.tuple(fc.nat(1_000), fc.constantFrom(-1, 0, 1, DAY_MS, 20 * DAY_MS)), {
            minLength: 4,
            maxLength: 4,
          }),
          async (log, picks) => {
            const world = await given(log);
            for (const [pick, off] of picks) {
              const { data } = log[pick % log.length] as AnyEvent;
              const at = new Date(Math.min(Date.parse(data.occurredAt) + off, world.now.getTime()));
              const asked = { asOf: at.toISOString() };
              const people = everybody(log, world, ({ data: { occurredAt } }) => occurredAt <= asked.asOf);
              for (const event of log) {
                if (event.type !== 'segments.SegmentDefined.v1') continue;
                const { segmentId, rule } = event.data;
                const members = people.filter((one) => {
                  const mode = one.byHand(segmentId, asked.asOf);
                  if (one.history === null || mode !== null)
                    return one.history !== null && mode === 'include';
                  return !one.isObjecting && one.explained(rule as Rule, at).truth === 'true';
                });
                const ids = members.map(({ contactId }) => contactId).sort();
                const { count } = await world.count.execute(
                  new CountMembersQuery(segmentId, asked, 'occurred'),
                );
                const listed: string[] = [];
                for (let cursor: string | undefined; ;) {
                  const paging = { limit: 2, cursor };
                  const page = await world.members.execute(
                    new ListMembersQuery(segmentId, asked, 'occurred', paging, 'admin'),
                  );
                  listed.push(...page.items.map(({ contactId }) => contactId));
                  for (const { membership } of page.items) {
                    expect(membership).toMatchObject({ segmentId, to: null, causeOut: null });
                    expect(membership.from <= asked.asOf).toBe(true);
                    const caused = log.find(
                      ({ meta }) => String(meta.position) === membership.causeIn.position,
                    );
                    expect(caused && 'contactId' in caused.data && caused.data.contactId).toBe(
                      membership.contactId,
                    );
                  }
                  if (page.nextCursor === null) break;
                  cursor = page.nextCursor;
                }
                expect([rule, asked, count, listed]).toEqual([rule, asked, ids.length, ids]);
                for (const { contactId } of people) {
                  const question = { ...asked, axis: 'occurred' } as const;
                  const { member } = await world.explain.execute(
                    new ExplainQuery(segmentId, contactId, question, 'admin'),
                  );
                  expect([rule, asked, contactId, member]).toEqual([
                    rule,
                    asked,
                    contactId,
                    ids.includes(contactId),
                  ]);
                }
                found += ids.length;
              }
            }
          },
        ),
        RUNS,
      );
      expect(found).toBeGreaterThan(3);
    });

    it('is explained as it is decided, now and then', async () => {
      await fc.assert(
        fc.asyncProperty(
          anyLog,
          fc.array(fc.tuple(fc.nat(1_000), fc.constantFrom(-1, 0, 1, DAY_MS)), {
            minLength: 3,
            maxLength: 3,
          }),
          async (log, picks) => {
            const world = await given(log);
            const rules = new Map<string, Rule>();
            for (const event of log) {
              if (event.type === 'segments.SegmentDefined.v1')
                rules.set(event.data.segmentId, event.data.rule as Rule);
            }
            const check = async (
              segmentId: string,
              person: Person,
              at: Date,
              asOf?: string,
            ): Promise<void> => {
              const answer = await world.explain.execute(
                new ExplainQuery(segmentId, person.contactId, { asOf }, 'admin'),
              );
              const rule = rules.get(segmentId) as Rule;
              const tree = person.explained(rule, at);
              const mode = person.byHand(segmentId, at.toISOString());
              const decided = tree.truth === 'true' && !person.isObjecting;
              const isIn = person.stays(segmentId).some(({ to }) => to === null);
              expect([rule, asOf, answer.tree, answer.truth]).toEqual([rule, asOf, tree, tree.truth]);
              expect([rule, asOf, answer.member]).toEqual([rule, asOf, isIn]);
              expect(answer.overlay?.mode ?? null).toBe(mode);
              if (answer.version !== null && person.history !== null) {
                expect([rule, asOf, isIn]).toEqual([
                  rule,
                  asOf,
                  mode === null ? decided : mode === 'include',
                ]);
              }
              expect(answer.nextChangeAt === null || answer.nextChangeAt > at.toISOString()).toBe(true);
            };
            const people = everybody(log, world, () => true);
            for (const person of people) {
              for (const segmentId of rules.keys()) await check(segmentId, person, world.now);
            }
            for (const [pick, off] of picks) {
              const { meta } = log[pick % log.length] as AnyEvent;
              const at = new Date(Date.parse(meta.recordedAt) + off);
              const asOf = at.toISOString();
              for (const person of everybody(log, world, (event) => event.meta.recordedAt <= asOf, asOf)) {
                if (asOf >= (log[0] as AnyEvent).meta.recordedAt) await check('s1', person, at, asOf);
              }
            }
          },
        ),
        RUNS,
      );
    });
  });
};

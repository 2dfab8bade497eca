import { ContactReads, contactsProjection, ContactPresence, type Reader } from '@app/contacts';
import type { EventStore } from '@app/event-store';
import { CursorCodec, InvalidCursorError } from '@app/http';
import { addMillis } from '@app/kernel';
import { collectionOf, MongoReadStore, ReadBehindError, ReadGate } from '@app/read-store';
import { eventually, FixedClock, type TestMongo } from '@app/testing';
import fc from 'fast-check';
import { MongoClient, type CommandStartedEvent, type Db, type Document } from 'mongodb';
import { FactBuckets } from '../mongo.fact-buckets';
import { FillState } from '../mongo.fill-state';
import { STAYS } from '../segmented-contact';
import { SegmentReads } from '../segments/mongo.segment-reads';
import { SegmentNotShownError } from '../segments/segment-not-shown.error';
import { segmentsProjection } from '../segments/segments.projection';
import { SnapshotReads } from '../snapshots/mongo.snapshot-reads';
import { snapshotsProjection } from '../snapshots/snapshots.projection';
import { GetMemberSeriesHandler, ListChangesHandler } from './changes.handlers';
import { ListContactStaysHandler } from './contact-stays.handler';
import { Members } from './members';
import { CountMembersHandler, ListMembersHandler, ListSnapshotMembersHandler } from './members.handlers';
import { PendingChanges } from './mongo.pending-changes';
import { StayReads } from './mongo.stay-reads';
import { GetOverlapHandler } from './overlap.handler';
import { StoredContactFacts } from '../../evaluation/mongo.contact-facts';
import { OccurredMembers } from '../../evaluation/occurred-members';
import { PastContactFacts } from '../../evaluation/past.contact-facts';
import { StoredRuleMatcher } from '../../evaluation/stored.rule-matcher';
import { InvalidMomentError, ShownAsOf, type AskedOf } from '../../evaluation/shown-as-of';
import {
  BEGIN,
  CONTACTS,
  SEGMENTS,
  stayHistories,
  type Change,
  type Happening,
  type History,
} from './stay-histories.fixture';
import { STAY_INDEXES } from './stay-indexes';
import {
  CountMembersQuery,
  GetMemberSeriesQuery,
  GetOverlapQuery,
  ListChangesQuery,
  ListContactStaysQuery,
  ListMembersQuery,
  ListSnapshotMembersQuery,
  type Axis,
} from './stays.queries';

const [SEGMENT = '', OTHER = ''] = SEGMENTS;
const [ANNA = '', BERT = ''] = CONTACTS;
const SNAPSHOT = '33333333-0000-4000-8000-000000000001';

type Row = { _id: string | bigint; [field: string]: unknown };

/** Everything that is answered from stays, on one document store, against going through the history by hand. */
export const staysSuite = (name: string, start: () => Promise<TestMongo>): void => {
  describe(`stays on ${name}`, () => {
    let server: TestMongo;
    let client: MongoClient;
    let db: Db;
    let store: MongoReadStore;
    let history: History;
    let asked: Asked;
    const clock = new FixedClock(BEGIN);
    const sent: Document[] = [];
    let fillReads = 0;

    beforeAll(async () => {
      server = await start();
      client = new MongoClient(server.url, {
        useBigInt64: true,
        ignoreUndefined: true,
        monitorCommands: true,
      });
      client.on('commandStarted', ({ command, commandName }: CommandStartedEvent) => {
        if (command[commandName] === 'segment_fills' && commandName === 'find') fillReads += 1;
        if (command[commandName] === STAYS && ['find', 'aggregate'].includes(commandName)) sent.push(command);
      });
      db = client.db(server.dbName);
      store = new MongoReadStore(db);
      await store.open('spec', {
        projections: [contactsProjection, segmentsProjection, snapshotsProjection],
        journals: [],
      });
      await db
        .collection<Row>(STAYS)
        .createIndexes(
          STAY_INDEXES.map(({ key, sparse }) => ({ key: { ...key }, ...(sparse && { sparse }) })),
        );
    });

    afterAll(async () => {
      await client?.close();
      await server?.close();
    });

    /** `filledAt`: definitions beyond it are not applied to everybody. */
    const given = async (told: History, filledAt: bigint): Promise<void> => {
      history = told;
      const last = told.happenings.at(-1)?.recordedAt ?? BEGIN;
      const newClock = Date.parse(addMillis(last, 10_000)) - clock.now().getTime();
      clock.advance(newClock);
      for (const collection of [STAYS, 'definition_changes_v1', 'segments_v1', 'contacts_v3']) {
        await db.collection<Row>(collection).deleteMany({});
      }
      if (told.stays.length > 0) await db.collection<Row>(STAYS).insertMany([...told.stays]);
      const defining = told.happenings.filter(({ defines }) => defines !== null);
      await db.collection<Row>('definition_changes_v1').insertMany(
        defining.map(({ position, recordedAt, defines }) => ({
          _id: position as bigint,
          segmentId: defines,
          at: recordedAt,
        })),
      );
      await db.collection<Row>('segments_v1').insertMany(SEGMENTS.map((id) => segmentOf(told, id)));
      await db.collection<Row>('contacts_v3').insertMany(CONTACTS.map((id) => contactOf(id)));
      await new FillState(db).set(filledAt);
      asked = new Asked(db, told, clock);
    };

    const positions = () =>
      history.happenings.flatMap(({ position }) => (position === null ? [] : [position]));
    const instants = () =>
      [
        ...new Set(
          history.happenings.flatMap(({ recordedAt }) => [
            addMillis(recordedAt, -1),
            recordedAt,
            addMillis(recordedAt, 1),
            addMillis(recordedAt, 1_000),
          ]),
        ),
      ].sort();

    it('answers who is in and how many as of any instant and position, while definitions are filled too', async () => {
      await fc.assert(
        fc.asyncProperty(
          stayHistories,
          fc.nat(),
          fc.array(fc.nat(), { minLength: 6, maxLength: 6 }),
          async (told, fill, picks) => {
            const defined = told.happenings.filter(({ defines }) => defines !== null);
            const filledAt =
              pick(
                [...defined.map(({ position }) => position), told.happenings.at(-1)?.position ?? 0n],
                fill,
              ) ?? 0n;
            await given(told, filledAt);
            for (const segmentId of SEGMENTS) {
              const unfilled = history.happenings.findIndex(
                ({ defines, position }) => defines === segmentId && (position as bigint) > filledAt,
              );
              const shown = unfilled < 0 ? history.happenings : history.happenings.slice(0, unfilled);
              const now = membersAfter(shown, segmentId);
              expect(await asked.members(segmentId, {})).toEqual(now);
              expect(await asked.count(segmentId, {})).toMatchObject({ count: now.size });
              for (const at of [
                pick(instants(), picks[0]),
                pick(instants(), picks[1]),
                pick(instants(), picks[2]),
              ]) {
                if (at > clock.now().toISOString()) continue;
                const then = membersAt(shown, segmentId, at);
                expect(await asked.members(segmentId, { asOf: at })).toEqual(then);
                expect(await asked.count(segmentId, { asOf: at })).toMatchObject({ count: then.size });
              }
              for (const position of [pick(positions(), picks[3]), pick(positions(), picks[4])]) {
                const upTo = history.happenings.findLastIndex((one) => one.position === position);
                const then = membersAfter(shown.slice(0, upTo + 1), segmentId);
                const version = shown.findLast(
                  (one) => one.defines === segmentId && (one.position as bigint) <= position,
                );
                expect(await asked.members(segmentId, { asOfPosition: position })).toEqual(then);
                const counted = await asked.count(segmentId, { asOfPosition: position });
                expect(counted).toMatchObject({ count: then.size, version: version?.version ?? null });
                expect(BigInt(counted.asOfPosition)).toBeLessThanOrEqual(position);
              }
            }
          },
        ),
        { numRuns: 4 },
      );
    });

    it('tells who entered and left in any period, each once, in order, whatever the size of the pages', async () => {
      await fc.assert(
        fc.asyncProperty(
          stayHistories,
          fc.nat(),
          fc.nat(),
          fc.integer({ min: 1, max: 4 }),
          async (told, a, b, limit) => {
            await given(told, positionAfterAll(told));
            for (const segmentId of SEGMENTS) {
              const ends = [pick(instants(), a), pick(instants(), b)].sort();
              const [from = '', to = ''] = ends;
              for (const period of [{}, { from }, { from, to }]) {
                const expected = changesIn(history, segmentId, period);
                expect(await asked.changes(segmentId, period, limit)).toEqual(expected);
              }
            }
          },
        ),
        { numRuns: 8 },
      );
    });

    it('counts along a row of instants as at each of them', async () => {
      await fc.assert(
        fc.asyncProperty(
          stayHistories,
          fc.nat(),
          fc.constantFrom('PT1S', 'PT3S', 'PT10S', 'P1D'),
          async (told, a, step) => {
            await given(told, positionAfterAll(told));
            const from = pick(instants(), a);
            const to = addMillis(from, 30_000);
            const { points } = await asked.series(SEGMENT, from, to, step);
            const stepMs = step === 'P1D' ? 86_400_000 : Number(/\d+/.exec(step)?.[0]) * 1_000;
            const expected: object[] = [];
            for (let at = from; at <= to && at <= clock.now().toISOString(); at = addMillis(at, stepMs)) {
              expected.push({ at, count: membersAt(history.happenings, SEGMENT, at).size });
            }
            expect(points).toEqual(expected);
          },
        ),
        { numRuns: 8 },
      );
    });

    it('tells every region of overlapping segments, and what a contact was in, newest first', async () => {
      await fc.assert(
        fc.asyncProperty(stayHistories, async (told) => {
          await given(told, positionAfterAll(told));
          const [one, other] = SEGMENTS.map((id) => membersAfter(history.happenings, id));
          const both = CONTACTS.filter((id) => one?.has(id) && other?.has(id)).length;
          const sizes = { [SEGMENT]: one?.size ?? 0, [OTHER]: other?.size ?? 0 };
          expect(await asked.overlap([SEGMENT, OTHER])).toMatchObject({
            sizes,
            regions: [
              { in: [SEGMENT], count: (sizes[SEGMENT] as number) - both },
              { in: [OTHER], count: (sizes[OTHER] as number) - both },
              { in: [SEGMENT, OTHER], count: both },
            ],
          });
          const stays = history.stays.filter(({ contactId }) => contactId === ANNA);
          const found = await asked.ofContact(ANNA, 2);
          expect(found.map(({ from }) => from)).toEqual(
            stays
              .map(({ from }) => from)
              .sort()
              .reverse(),
          );
          expect(new Set(found)).toEqual(new Set(stays.map(({ _id: _, ...stay }) => stay)));
        }),
        { numRuns: 8 },
      );
    });

    it('reads each of these from an index, without sorting', async () => {
      const [told] = fc.sample(stayHistories, { seed: 5, numRuns: 1 });
      await given(told as History, positionAfterAll(told as History));
      // With few stays the store would rather sort them.
      const filler = CONTACTS.length * 800;
      await db.collection<Row>(STAYS).insertMany(
        Array.from({ length: filler }, (_, n) => ({
          ...(history.stays[0] as object),
          _id: `filler ${n}`,
          segmentId: SEGMENTS[n % 2],
          contactId: `44444444-0000-4000-8000-${String(n).padStart(12, '0')}`,
          to: n % 3 === 0 ? addMillis(BEGIN, 4_000) : null,
        })),
      );
      sent.length = 0;
      const position = positions().at(-2) as bigint;
      const asOf = pick(instants(), 9);
      for (const when of [{}, { asOf }, { asOfPosition: position }]) {
        await asked.page(SEGMENT, when, 'operator', { limit: 2 });
        await asked.count(SEGMENT, when);
      }
      await asked.changes(SEGMENT, {}, 1_000);
      await asked.changes(SEGMENT, { from: asOf }, 500);
      await asked.series(SEGMENT, BEGIN, addMillis(BEGIN, 60_000), 'PT1S');
      await asked.overlap([SEGMENT, OTHER]);
      await asked.ofContact(ANNA, 1);
      // And while one is filled.
      await new FillState(db).set(0n);
      await asked.page(SEGMENT, {}, 'operator', { limit: 2 });
      await asked.overlap([SEGMENT, OTHER]);
      await asked.series(SEGMENT, BEGIN, addMillis(BEGIN, 60_000), 'PT1S');
      expect(sent.length).toBeGreaterThan(20);
      for (const { find, filter, sort, hint, pipeline } of sent) {
        const match =
          find === undefined ? ((pipeline as Document[])[0]?.['$match'] as Document) : (filter as Document);
        const query = db
          .collection<Row>(STAYS)
          .find(match, { ...(sort && { sort }), ...(hint && { hint }) } as Document);
        const plan = await query.explain('queryPlanner');
        const { winningPlan } = plan['queryPlanner'] as { winningPlan: object };
        expect(`${JSON.stringify(match)} ${JSON.stringify(winningPlan)}`).not.toMatch(/COLLSCAN|"SORT"/);
      }
    });

    describe('of one segment', () => {
      const told = (): History => fc.sample(stayHistories, { seed: 11, numRuns: 1 })[0] as History;
      beforeEach(async () => given(told(), positionAfterAll(told())));
      const put = (contactId: string, fields: Document) =>
        db.collection<Row>('contacts_v3').updateOne({ _id: contactId }, { $set: fields });
      const staying = async (ids: readonly string[]) => {
        await db.collection<Row>(STAYS).deleteMany({});
        const cause = { kind: 'event', eventId: 'e', at: BEGIN, position: '4' };
        await db.collection<Row>(STAYS).insertMany(
          ids.map((contactId) => ({
            _id: contactId,
            segmentId: SEGMENT,
            contactId,
            version: 1,
            from: BEGIN,
            to: null,
            causeIn: cause,
            causeOut: null,
          })),
        );
      };

      it('shows rows of those who are in, to whom they may be shown', async () => {
        await staying(CONTACTS);
        await put(ANNA, { processingRestricted: true });
        await put(BERT, { erasure: 'executing' });
        const [, , ...others] = CONTACTS;
        expect([...(await asked.members(SEGMENT, {}, 'operator')).keys()]).toEqual(others);
        expect([...(await asked.members(SEGMENT, {}, 'admin')).keys()]).toEqual([ANNA, ...others]);
        expect(await asked.count(SEGMENT, {})).toMatchObject({ count: CONTACTS.length });
        const { items } = await asked.page(SEGMENT, {}, 'operator', { limit: 50 });
        expect(items[0]).toMatchObject({
          contactId: others[0],
          contact: { contactId: others[0], firstName: 'A' },
        });
      });

      it('shows of the past that somebody was in, and nothing else of whom was erased', async () => {
        await staying(CONTACTS);
        await put(ANNA, { processingRestricted: true });
        await put(BERT, { erasure: 'erased' });
        const { items } = await asked.page(SEGMENT, { asOf: BEGIN }, 'operator', { limit: 50 });
        const [, , ...others] = CONTACTS;
        expect(items.map(({ contactId }) => contactId)).toEqual([BERT, ...others]);
        expect(items[0]).toEqual({
          contactId: BERT,
          erased: true,
          membership: expect.objectContaining({ from: BEGIN }) as object,
        });
        expect(items[1]).not.toHaveProperty('contact');
        expect(items[1]).not.toHaveProperty('erased');
      });

      it('fills its pages where some may not be seen, and ends them where nearly nobody may', async () => {
        await staying(CONTACTS);
        for (const contactId of CONTACTS.slice(0, 4)) await put(contactId, { processingRestricted: true });
        const page = await asked.page(SEGMENT, {}, 'operator', { limit: 1 });
        expect(page.items.map(({ contactId }) => contactId)).toEqual([CONTACTS[4]]);
        expect(page.nextCursor).not.toBeNull();
        expect([...(await asked.members(SEGMENT, {}, 'operator')).keys()]).toEqual(CONTACTS.slice(4));
      });

      it('shows a membership of the past as it was known then', async () => {
        await staying([ANNA]);
        const end = { kind: 'event', eventId: 'f', at: addMillis(BEGIN, 5_000), position: '6' };
        await db.collection<Row>(STAYS).updateOne({ _id: ANNA }, { $set: { to: end.at, causeOut: end } });
        const of = { asOf: addMillis(BEGIN, 1_000) };
        const { items } = await asked.page(SEGMENT, of, 'operator', { limit: 5 });
        expect(items[0]?.membership).toMatchObject({ to: null, causeOut: null });
      });

      it('goes on between two changes of one contact at one instant', async () => {
        const causes = ['5', '6', '7', '8'].map((position) => ({
          kind: 'event',
          eventId: 'e',
          at: BEGIN,
          position,
        }));
        await db.collection<Row>(STAYS).deleteMany({});
        await db.collection<Row>(STAYS).insertMany(
          [0, 2].map((n) => ({
            _id: `${n}`,
            segmentId: SEGMENT,
            contactId: ANNA,
            version: 1,
            from: BEGIN,
            to: BEGIN,
            causeIn: causes[n],
            causeOut: causes[n + 1],
          })),
        );
        for (const limit of [1, 2, 3]) {
          const found = await asked.changes(SEGMENT, {}, limit);
          expect(found.map(({ change, cause }) => `${change} ${cause.position}`)).toEqual([
            'entered 5',
            'left 6',
            'entered 7',
            'left 8',
          ]);
        }
      });

      it('keeps a snapshot as it was taken', async () => {
        await staying([ANNA, BERT]);
        const asOf = addMillis(BEGIN, 1_000);
        await db
          .collection<Row>(collectionOf(snapshotsProjection))
          .replaceOne(
            { _id: SNAPSHOT },
            { snapshotId: SNAPSHOT, segmentId: SEGMENT, name: 'A list', asOf, takenAt: asOf },
            { upsert: true },
          );
        const end = { kind: 'event', eventId: 'f', at: addMillis(BEGIN, 5_000), position: '6' };
        await db.collection<Row>(STAYS).updateOne({ _id: ANNA }, { $set: { to: end.at, causeOut: end } });
        const { items } = await asked.snapshot(SEGMENT, SNAPSHOT);
        expect(items.map(({ contactId, membership }) => [contactId, membership.to])).toEqual([
          [ANNA, null],
          [BERT, null],
        ]);
        await expect(asked.snapshot(OTHER, SNAPSHOT)).rejects.toMatchObject({
          code: 'segments.snapshot-not-found',
        });
      });

      it('refuses unknown and deleted segments, instants to come and positions where nothing is', async () => {
        await expect(asked.count('33333333-0000-4000-8000-000000000009', {})).rejects.toThrow(
          SegmentNotShownError,
        );
        await db.collection<Row>('segments_v1').updateOne({ _id: OTHER }, { $set: { status: 'deleted' } });
        await expect(asked.overlap([SEGMENT, OTHER])).rejects.toThrow(SegmentNotShownError);
        const future = addMillis(clock.now().toISOString(), 120_000);
        await expect(asked.count(SEGMENT, { asOf: future })).rejects.toThrow(InvalidMomentError);
        await expect(asked.count(SEGMENT, { asOfPosition: 1n })).rejects.toThrow(InvalidMomentError);
        await expect(asked.changes(SEGMENT, { from: addMillis(BEGIN, 1), to: BEGIN }, 5)).rejects.toThrow(
          InvalidMomentError,
        );
        await expect(asked.series(SEGMENT, BEGIN, addMillis(BEGIN, 1_000_000), 'PT1S')).rejects.toMatchObject(
          { code: 'segments.too-many-points' },
        );
        await expect(asked.series(SEGMENT, BEGIN, addMillis(BEGIN, 1_000), 'P0D')).rejects.toMatchObject({
          code: 'segments.invalid-step',
        });
      });

      it('refuses a cursor of another list', async () => {
        await staying(CONTACTS);
        const { nextCursor } = await asked.page(SEGMENT, {}, 'operator', { limit: 1 });
        const cursor = nextCursor as string;
        await expect(asked.page(SEGMENT, { asOf: BEGIN }, 'operator', { limit: 1, cursor })).rejects.toThrow(
          InvalidCursorError,
        );
        await expect(asked.page(OTHER, {}, 'operator', { limit: 1, cursor })).rejects.toThrow(
          InvalidCursorError,
        );
      });

      it('waits for definitions up to minPosition, and no longer than it may', async () => {
        const last = history.happenings.findLast(({ defines }) => defines !== null)?.position as bigint;
        await new FillState(db).set(last - 1n);
        const readBefore = fillReads;
        const filling = asked.count(SEGMENT, { minPosition: last });
        await eventually('it is seen to be filling', () => fillReads > readBefore + 1);
        await new FillState(db).set(last);
        await expect(filling).resolves.toMatchObject({
          count: membersAfter(history.happenings, SEGMENT).size,
          asOfPosition: asked.reached.toString(),
        });
        await expect(asked.count(SEGMENT, { minPosition: asked.reached + 1n })).rejects.toThrow(
          ReadBehindError,
        );
      });
    });
  });
};

/** The questions, as controllers ask them. */
class Asked {
  readonly reached: bigint;
  private readonly handlers: ReturnType<typeof handlersOn>;

  constructor(db: Db, { happenings }: History, clock: FixedClock) {
    this.reached = happenings.reduce((last, { position }) => position ?? last, 0n);
    const times = new Map(happenings.map(({ position, recordedAt }) => [position, recordedAt]));
    this.handlers = handlersOn(db, this.reached, times, clock);
  }

  page(
    segmentId: string,
    of: AskedOf,
    reader: Reader,
    paging: { limit: number; cursor?: string },
    axis: Axis = 'recorded',
  ) {
    return this.handlers.members.execute(new ListMembersQuery(segmentId, of, axis, paging, reader));
  }

  /** From when each of all is in, by contact, in order. */
  async members(segmentId: string, of: AskedOf, reader: Reader = 'operator'): Promise<Map<string, string>> {
    const items = await all((paging) => this.page(segmentId, of, reader, { limit: 2, ...paging }));
    for (const { membership } of items)
      expect(membership).toMatchObject({ segmentId, to: null, causeOut: null });
    const found = new Map(items.map(({ contactId, membership }) => [contactId, membership.from]));
    expect(found.size).toBe(items.length);
    return found;
  }

  count(segmentId: string, of: AskedOf) {
    return this.handlers.count.execute(new CountMembersQuery(segmentId, of));
  }

  changes(segmentId: string, period: { from?: string; to?: string }, limit: number) {
    return all((paging) =>
      this.handlers.changes.execute(
        new ListChangesQuery(segmentId, period, { limit, ...paging }, 'operator'),
      ),
    );
  }

  series(segmentId: string, from: string, to: string, step: string) {
    return this.handlers.series.execute(new GetMemberSeriesQuery(segmentId, from, to, step));
  }

  overlap(ids: readonly string[]) {
    return this.handlers.overlap.execute(new GetOverlapQuery(ids));
  }

  ofContact(contactId: string, limit: number) {
    return all((paging) =>
      this.handlers.ofContact.execute(new ListContactStaysQuery(contactId, { limit, ...paging }, 'operator')),
    );
  }

  snapshot(segmentId: string, snapshotId: string) {
    return this.handlers.snapshot.execute(
      new ListSnapshotMembersQuery(segmentId, snapshotId, { limit: 50 }, 'operator'),
    );
  }
}

const handlersOn = (
  db: Db,
  reached: bigint,
  times: ReadonlyMap<bigint | null, string>,
  clock: FixedClock,
) => {
  const gate = new ReadGate(
    { positions: async () => new Map([['segments_v1', reached]]) },
    [segmentsProjection],
    {
      waitMs: 50,
    },
  );
  const events = {
    recordedAt: async (position: bigint) => times.get(position) ?? null,
  } as unknown as EventStore;
  const [stays, pending, fills] = [new StayReads(db), new PendingChanges(db), new FillState(db)];
  const contacts = new ContactReads(db);
  const cursors = new CursorCodec({ derive: () => Buffer.alloc(32, 1) });
  const shown = new ShownAsOf(gate, new SegmentReads(db), fills, pending, events, clock);
  const stored = new StoredContactFacts(db, new FactBuckets(db));
  const byTime = new OccurredMembers(
    stored,
    new PastContactFacts(stored, new SegmentReads(db), events),
    events,
  );
  const members = new Members(
    stays,
    contacts,
    cursors,
    byTime,
    new StoredRuleMatcher(stored, new SegmentReads(db), fills, pending, stays),
  );
  return {
    members: new ListMembersHandler(shown, members, byTime),
    count: new CountMembersHandler(shown, stays, byTime),
    changes: new ListChangesHandler(shown, stays, contacts, cursors),
    series: new GetMemberSeriesHandler(shown, stays),
    overlap: new GetOverlapHandler(shown, stays),
    ofContact: new ListContactStaysHandler(
      new ContactPresence(contacts, gate),
      stays,
      pending,
      shown,
      cursors,
    ),
    snapshot: new ListSnapshotMembersHandler(shown, new SnapshotReads(db), members),
  };
};

type Paged<Item> = Readonly<{ items: readonly Item[]; nextCursor: string | null }>;

const all = async <Item>(read: (paging: { cursor?: string }) => Promise<Paged<Item>>): Promise<Item[]> => {
  const items: Item[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < 200; page += 1) {
    const answer = await read(cursor === undefined ? {} : { cursor });
    items.push(...answer.items);
    if (answer.nextCursor === null) return items;
    cursor = answer.nextCursor;
  }
  throw new Error('The list does not end.');
};

const pick = <T>(values: readonly T[], n = 0): T => values[n % values.length] as T;
const positionAfterAll = ({ happenings }: History): bigint =>
  happenings.reduce((last, { position }) => position ?? last, 0n);

/** From when each is in behind some changes, by contact, in order. */
const membersBy = (changes: readonly Change[]): Map<string, string> => {
  const found = new Map<string, string>();
  for (const { contactId, change, cause } of changes) {
    if (change === 'entered') found.set(contactId, cause.at);
    else found.delete(contactId);
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
};

const changesOf = (happenings: readonly Happening[], segmentId: string): Change[] =>
  happenings.flatMap(({ changes }) => changes.filter((change) => change.segmentId === segmentId));

const membersAfter = (happenings: readonly Happening[], segmentId: string) =>
  membersBy(changesOf(happenings, segmentId));

const membersAt = (happenings: readonly Happening[], segmentId: string, instant: string) =>
  membersBy(changesOf(happenings, segmentId).filter(({ cause }) => cause.at <= instant));

const changesIn = (
  { happenings }: History,
  segmentId: string,
  { from = '', to = '9999' }: { from?: string; to?: string },
): object[] =>
  changesOf(happenings, segmentId)
    .filter(({ change, cause, isSwitch }) => !isSwitch && !(change === 'entered' && cause.kind === 'initial'))
    .filter(({ cause: { at } }) => from <= at && at < to)
    .map((change, order) => ({ change, order }))
    .sort((one, other) => {
      const [a, b] = [one.change, other.change].map(({ cause, contactId }) => `${cause.at} ${contactId}`) as [
        string,
        string,
      ];
      return a === b ? one.order - other.order : a < b ? -1 : 1;
    })
    .map(({ change: { contactId, change, version, cause } }) => ({
      contactId,
      change,
      at: cause.at,
      version,
      cause,
    }));

const segmentOf = ({ happenings }: History, segmentId: string): Row => {
  const versions = new Map<number, object>();
  for (const { defines, version, position, recordedAt } of happenings) {
    if (defines === segmentId && !versions.has(version))
      versions.set(version, { version, ruleHash: null, position: String(position), at: recordedAt });
  }
  return {
    _id: segmentId,
    segmentId,
    status: 'active',
    version: Math.max(...versions.keys()),
    versions: [...versions.values()],
  };
};

const contactOf = (contactId: string): Row => ({
  _id: contactId,
  contactId,
  profile: { firstName: 'A' },
  points: {},
  registeredAt: BEGIN,
  lastActivityAt: BEGIN,
  lastCheckInAt: null,
  counts: { purchases: 0, checkIns: 0, redemptions: 0, messages: 0 },
  spend: {},
});

import { CursorCodec } from '@app/http';
import {
  MongoReadStore,
  openReadDatabase,
  ReadBehindError,
  ReadGate,
  type ReadDatabase,
} from '@app/read-store';
import { parseRule, ruleHash, type Rule } from '@app/rules';
import type { TestMongo } from '@app/testing';
import { FillState } from '../mongo.fill-state';
import { STAYS } from '../segmented-contact';
import { PendingChanges } from '../stays/mongo.pending-changes';
import { STAY_INDEXES } from '../stays/stay-indexes';
import { StayReads } from '../stays/mongo.stay-reads';
import { MemberCounts } from './mongo.member-counts';
import { SegmentReads } from './mongo.segment-reads';
import { SegmentNotShownError } from './segment-not-shown.error';
import { GetSegmentHandler, ListSegmentsHandler } from './segments.handlers';
import { segmentsProjection, type SegmentDocument } from './segments.projection';
import { GetSegmentQuery, ListSegmentsQuery } from './segments.queries';
import { SegmentsShown } from './segments-shown';

const rule = parseRule({ attr: 'profile.gender', op: 'eq', value: 'female' });
const top = parseRule({ ranked: { by: 'points.balance', top: 3 } });
const at = (second: number): string => `2026-03-01T12:00:${String(second).padStart(2, '0')}.000Z`;

/** Segments as the API shows them, on one document store. A position is a second, too. */
export const segmentsShownSuite = (name: string, start: () => Promise<TestMongo>): void => {
  describe(`segments as they are shown, on ${name}`, () => {
    let server: TestMongo;
    let database: ReadDatabase;
    let fills: FillState;
    let get: (segmentId: string, minPosition?: bigint) => ReturnType<GetSegmentHandler['execute']>;
    let list: (query: Partial<ListSegmentsQuery>) => ReturnType<ListSegmentsHandler['execute']>;

    beforeAll(async () => {
      server = await start();
      database = await openReadDatabase(server);
      const { db } = database;
      const store = new MongoReadStore(db);
      await store.open('spec', { projections: [segmentsProjection], journals: [] });
      await db.collection(STAYS).createIndexes(STAY_INDEXES.map((index) => ({ ...index })));
      fills = new FillState(db);
      const segments = new SegmentReads(db);
      const gate = new ReadGate({ positions: async () => new Map([['segments_v1', 50n]]) }, [
        segmentsProjection,
      ]);
      const counts = new MemberCounts(db, new PendingChanges(db), new StayReads(db));
      const shown = new SegmentsShown(gate, fills, counts, { waitMs: 300 });
      const getting = new GetSegmentHandler(segments, shown);
      const listing = new ListSegmentsHandler(
        segments,
        shown,
        new CursorCodec({ derive: () => Buffer.alloc(32, 1) }),
      );
      get = (segmentId, minPosition) => getting.execute(new GetSegmentQuery(segmentId, minPosition));
      list = ({ limit = 10, cursor, count = false, minPosition }) =>
        listing.execute(new ListSegmentsQuery(limit, cursor, count, minPosition));
    });
    afterAll(async () => {
      await database?.close();
      await server?.close();
    });
    beforeEach(async () => {
      for (const collection of ['segments_v1', STAYS, 'definition_changes_v1', 'segment_fills']) {
        await database.db.collection(collection).deleteMany({});
      }
    });

    /** A segment with changes at these positions. */
    const segment = async (
      segmentId: string,
      changes: readonly number[],
      fields: Partial<SegmentDocument> & { rule?: Rule } = {},
    ): Promise<void> => {
      const place = (position: number) => ({ position: String(position), at: at(position) });
      const document: SegmentDocument = {
        segmentId,
        revision: 0,
        name: segmentId,
        description: null,
        status: 'active',
        version: changes.length,
        rule,
        ruleHash: ruleHash(rule),
        template: null,
        versions: changes.map((position, n) => ({ version: n + 1, ruleHash: null, ...place(position) })),
        lastChange: place(changes.at(-1) as number),
        createdAt: at(changes[0] as number),
        updatedAt: at(changes[0] as number),
        ...fields,
      };
      await database.db
        .collection<{ _id: string }>('segments_v1')
        .insertOne({ _id: segmentId, ...document } as { _id: string });
      for (const position of changes) {
        await database.db
          .collection<{ _id: bigint }>('definition_changes_v1')
          .insertOne({ _id: BigInt(position), segmentId, at: at(position) } as { _id: bigint });
      }
    };
    const stay = async (segmentId: string, contactId: string, from: number, to: number | null = null) => {
      const cause = (position: number) => ({ kind: 'event', at: at(position), position: String(position) });
      await database.db.collection(STAYS).insertOne({
        segmentId,
        contactId,
        version: 1,
        from: at(from),
        to: to === null ? null : at(to),
        causeIn: cause(from),
        causeOut: to === null ? null : cause(to),
      });
    };

    it('are counted, a page at a time', async () => {
      for (const [n, id] of ['a', 'b', 'c', 'd'].entries()) await segment(id, [n + 1]);
      await segment('gone', [5], { status: 'deleted' });
      await segment('off', [6], { status: 'inactive' });
      await fills.set(6n);
      for (const contact of ['x', 'y']) await stay('a', contact, 10);
      await stay('a', 'z', 10, 11);
      await stay('c', 'x', 12);
      const first = await list({ limit: 3, count: true });
      expect(first.items.map(({ segmentId, memberCount }) => [segmentId, memberCount])).toEqual([
        ['a', 2],
        ['b', 0],
        ['c', 1],
      ]);
      expect([first.total, first.asOfPosition]).toEqual([5, '50']);
      const second = await list({ limit: 3, cursor: first.nextCursor as string });
      expect(second.items.map(({ segmentId, status }) => [segmentId, status])).toEqual([
        ['d', 'active'],
        ['off', 'inactive'],
      ]);
      expect(second.nextCursor).toBeNull();
      await expect(get('gone')).rejects.toThrow(SegmentNotShownError);
    });

    it('show nobody until they are filled for the first time', async () => {
      await segment('a', [20]);
      await fills.set(19n);
      await stay('a', 'x', 20);
      expect(await get('a')).toMatchObject({ status: 'filling', memberCount: 0 });
      await fills.set(20n);
      expect(await get('a')).toMatchObject({ status: 'active', memberCount: 1 });
    });

    it('show who was in until a change is applied to everybody', async () => {
      await segment('a', [5, 20]);
      await fills.set(19n);
      await stay('a', 'stays', 10, 20);
      await stay('a', 'stays', 20);
      await stay('a', 'leaves', 10, 20);
      await stay('a', 'not yet', 10);
      await stay('a', 'left before', 10, 19);
      await stay('a', 'enters', 20);
      await stay('a', 'enters later', 25);
      await stay('a', 'leaves later', 10, 30);
      expect(await get('a')).toMatchObject({ status: 'filling', version: 2, memberCount: 4 });
      await fills.set(20n);
      expect(await get('a')).toMatchObject({ status: 'active', memberCount: 4 });
      await stay('a', 'enters now', 31);
      expect(await get('a')).toMatchObject({ memberCount: 5 });
    });

    it('are filling as long as their first ranking is not taken', async () => {
      await segment('a', [5], { rule: top });
      await fills.set(5n);
      expect(await get('a')).toMatchObject({ status: 'filling', cutOff: null });
      await expect(get('a', 6n)).rejects.toThrow(ReadBehindError);
      const cutOff = { value: 7, membersCount: 3, asOfPosition: '6', position: '7', at: at(7) };
      await segment('b', [4, 7], { rule: top, cutOff });
      await fills.set(7n);
      const { position: _, ...shown } = cutOff;
      expect(await get('b', 6n)).toMatchObject({ status: 'active', cutOff: shown });
    });

    it('are to be ranked when that is due, those that wait longest first', async () => {
      await segment('late', [1], { rankAt: at(9) });
      await segment('due', [2], { rankAt: at(5) });
      await segment('first', [3], { rankAt: at(4) });
      await segment('other', [4]);
      const due = async (second: number, limit = 10) =>
        (await new SegmentReads(database.db).toRank(at(second), limit)).map(({ segmentId }) => segmentId);
      expect(await due(3)).toEqual([]);
      expect(await due(5)).toEqual(['first', 'due']);
      expect(await due(9, 2)).toEqual(['first', 'due']);
    });

    it('are waited for, where they were defined by then', async () => {
      await segment('a', [20]);
      await fills.set(19n);
      await expect(get('a', 20n)).rejects.toThrow(ReadBehindError);
      await expect(list({ minPosition: 30n })).rejects.toThrow(ReadBehindError);
      expect(await get('a', 19n)).toMatchObject({ status: 'filling' });
      const waiting = get('a', 20n);
      await fills.set(20n);
      expect(await waiting).toMatchObject({ status: 'active' });
      expect((await list({ minPosition: 30n })).items).toMatchObject([{ status: 'active' }]);
    });
  });
};

import { contactsProjection, ContactReads, type ContactEvent } from '@app/contacts';
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
import { parseRule, ruleHash } from '@app/rules';
import { facts, FixedClock, recordedLog, startEmbeddedTestMongo, type TestMongo } from '@app/testing';
import { GetContactHandler } from '../../../contacts/src/read-models/get-contact/get-contact.handler';
import { GetContactQuery } from '../../../contacts/src/read-models/get-contact/get-contact.query';
import { ContactSearch } from '../../../contacts/src/read-models/list-contacts/contact-search';
import { ListContactsHandler } from '../../../contacts/src/read-models/list-contacts/list-contacts.handler';
import { ListContactsQuery } from '../../../contacts/src/read-models/list-contacts/list-contacts.query';
import type { SegmentEvent } from '../domain/segment.events';
import { MongoSegmentStore } from '../engine/mongo.segment-store';
import { SegmentEngine } from '../engine/segment-engine';
import { FillState } from '../read-models/mongo.fill-state';
import { FactBuckets } from '../read-models/mongo.fact-buckets';
import { MemberCounts } from '../read-models/segments/mongo.member-counts';
import { SegmentReads } from '../read-models/segments/mongo.segment-reads';
import { segmentsProjection, type SegmentDocument } from '../read-models/segments/segments.projection';
import { PendingChanges } from '../read-models/stays/mongo.pending-changes';
import { StayReads } from '../read-models/stays/mongo.stay-reads';
import { StoredContactFacts } from './mongo.contact-facts';
import { StoredRuleMatcher } from './stored.rule-matcher';

type Event = RecordedEvent<ContactEvent | SegmentEvent>;

/** More than are filled in one go. */
const CONTACTS = 520;
const AT = '2026-03-01T12:00:00.000Z';
const DAY_BEFORE = '2026-02-28T12:00:00.000Z';
const contactOf = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const isWoman = (n: number): boolean => n % 2 === 0;
/** With something that the clock decides, so that everybody is looked at. */
const gender = (value: string): object => ({
  any: [
    { attr: 'profile.gender', op: 'eq', value },
    { attr: 'registeredAt', op: 'newerThan', value: 'PT1S' },
  ],
});
const all = Array.from({ length: CONTACTS }, (_, n) => contactOf(n));
const women = all.filter((_, n) => isWoman(n));
const men = all.filter((_, n) => !isWoman(n));

const defined = (segmentId: string, root: object, version = 1): SegmentEvent => {
  const rule = parseRule(root);
  const told = { segmentId, rule, ruleHash: ruleHash(rule), template: null, version, occurredAt: AT };
  return version === 1
    ? { type: 'segments.SegmentDefined.v1', data: { ...told, name: segmentId, description: null } }
    : { type: 'segments.RuleChanged.v1', data: told };
};

describe('while a definition is being filled', () => {
  let server: TestMongo;
  let database: ReadDatabase;
  let engine: SegmentEngine;
  let log: Event[] = [];
  let counts: MemberCounts;
  let list: ListContactsHandler;
  let details: GetContactHandler;

  beforeAll(async () => {
    server = await startEmbeddedTestMongo();
    database = await openReadDatabase(server);
    const { db } = database;
    await new MongoReadStore(db).open('spec', {
      projections: [contactsProjection, segmentsProjection],
      journals: [],
    });
    const [fills, pending, stays] = [new FillState(db), new PendingChanges(db), new StayReads(db)];
    const [contacts, reads] = [new ContactReads(db), new SegmentReads(db)];
    const clock = new FixedClock('2026-03-02T00:00:00.000Z');
    const gate = new ReadGate({ positions: async () => new Map([['segments_v1', 1_000_000n]]) }, [
      segmentsProjection,
    ]);
    const known = new StoredContactFacts(db, new FactBuckets(db));
    const matcher = new StoredRuleMatcher(known, reads, fills, pending, stays);
    counts = new MemberCounts(db, pending, stays);
    list = new ListContactsHandler(
      contacts,
      new ContactSearch(contacts, matcher, clock),
      gate,
      new CursorCodec({ derive: () => Buffer.alloc(32, 1) }),
    );
    details = new GetContactHandler(contacts, gate, matcher);
    engine = new SegmentEngine({
      store: new MongoSegmentStore(db, new MongoReadStore(db)),
      fills,
      events: { head: async () => log.at(-1)?.meta.position ?? null },
      clock,
      onTrouble: (error) => {
        throw error;
      },
    });
    await engine.begin(null);
    await happens(
      all.map((contactId, n) => {
        const profile = { gender: isWoman(n) ? 'female' : 'male' } as const;
        return facts.registered({ contactId, profile, occurredAt: DAY_BEFORE });
      }),
    );
  }, 90_000);

  afterAll(async () => {
    await database?.close();
    await server?.close();
  });

  const happens = async (events: readonly (ContactEvent | SegmentEvent)[]): Promise<void> => {
    const before = log.length;
    log = recordedLog(
      [...log, ...events] as ContactEvent[],
      [...log, ...events].map(() => AT),
    ) as unknown as Event[];
    const fresh = log.slice(before);
    await engine.apply(fresh as readonly RecordedEvent[]);
    const ofSegments = fresh.filter(({ type }) => type.startsWith('segments.'));
    if (ofSegments.length === 0) return;
    const store = new MongoReadStore(database.db);
    const known = await store.load(segmentsProjection, ['s1', 's2', 's3']);
    const changes = foldBatch(segmentsProjection, ofSegments as readonly RecordedEvent[], known);
    await store.save(segmentsProjection, changes as Change<SegmentDocument>[]);
  };

  const listed = async (asked: object): Promise<Readonly<Record<string, readonly string[]>>> => {
    const found: Record<string, readonly string[]> = {};
    for (let cursor: string | undefined; ;) {
      const page = await list.execute(
        new ListContactsQuery({
          ...asked,
          reader: 'admin',
          limit: 500,
          sort: 'registeredAt',
          cursor,
          count: true,
        }),
      );
      for (const { contactId, segments } of page.items) found[contactId] = segments;
      if (page.nextCursor === null) {
        expect(page.total).toBe(Object.keys(found).length);
        return found;
      }
      cursor = page.nextCursor;
    }
  };

  /** Whom every way of asking shows in a segment. */
  const expectShown = async (segmentId: string, members: readonly string[]): Promise<void> => {
    const others = all.filter((id) => !members.includes(id));
    const found = await listed({});
    expect(all.filter((id) => found[id]?.includes(segmentId))).toEqual(members);
    const leaf = (op: string): object => ({ segment: segmentId, op });
    const history = { since: 'registration', op: 'gt', value: 'PT1S', never: 'noMatch' };
    const bought = { not: { event: 'PurchaseRecorded', window: { last: 'P1D' } } };
    const ways: [string, object, readonly string[]][] = [
      ['shorthand', { segment: segmentId }, members],
      ['in', { filter: leaf('in') }, members],
      ['not in', { filter: leaf('notIn') }, others],
      ['with history', { filter: { all: [history, bought, leaf('in')] } }, members],
      [
        'within a clause',
        { filter: { any: [{ all: [bought, leaf('in')] }, { not: { everyone: true } }] } },
        members,
      ],
      ['now and then', { filter: { segment: segmentId, op: 'inFor', value: 'PT1S' } }, members],
    ];
    for (const [way, asked, expected] of ways) {
      expect([way, Object.keys(await listed(asked)).sort()]).toEqual([way, expected]);
    }
    for (const id of [0, 1, CONTACTS - 2, CONTACTS - 1].map(contactOf)) {
      const { segments } = await details.execute(new GetContactQuery(id, 'admin'));
      expect([id, segments.includes(segmentId)]).toEqual([id, members.includes(id)]);
    }
    const filledAt = await new FillState(database.db).filledAt();
    expect((await counts.of([segmentId], filledAt))?.get(segmentId) ?? 0).toBe(members.length);
  };

  const filledHalf = async (): Promise<void> => {
    expect(await engine.step()).toBe(true);
    const docs = database.db.collection<{ segments?: string[] }>('contacts_v3');
    expect(await docs.countDocuments({ segments: 's1' })).toBeGreaterThan(0);
  };
  const filled = async (): Promise<void> => {
    while (await engine.step());
  };

  it('nobody is in a new segment, and then all at once', async () => {
    await happens([defined('s1', gender('female'))]);
    await expectShown('s1', []);
    await filledHalf();
    await expectShown('s1', []);
    await filled();
    await expectShown('s1', women);
  }, 60_000);

  it('an edited one is what it was, also for those that refer to it', async () => {
    await happens([defined('s2', { segment: 's1', op: 'in' }), defined('s3', { segment: 's2', op: 'in' })]);
    await filled();
    await expectShown('s3', women);
    await happens([defined('s1', gender('male'), 2)]);
    await filledHalf();
    for (const segmentId of ['s1', 's3']) await expectShown(segmentId, women);
    await filled();
    await expectShown('s3', men);
  }, 60_000);
});

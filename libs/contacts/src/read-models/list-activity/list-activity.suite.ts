import { SealedFields } from '@app/event-store';
import { CursorCodec } from '@app/http';
import type { DomainEvent, RecordedEvent } from '@app/kernel';
import { foldBatch, MongoReadStore, ReadGate, type Change } from '@app/read-store';
import { contactIdOf, contactLogs } from '@app/testing';
import fc from 'fast-check';
import type { Db } from 'mongodb';
import type { ContactEvent } from '../../domain/contact.events';
import { ACTIVITY_LISTS, activityJournal, type ActivityList } from '../activity/activity.journal';
import { ActivityReads } from '../activity/mongo.activity-reads';
import { ContactNotFoundError } from '../contacts/contact-not-found.error';
import { contactsProjection } from '../contacts/contacts.projection';
import { ContactPresence } from '../contacts/contact-presence';
import { ContactReads } from '../contacts/mongo.contact-reads';
import { ListActivityHandler } from './list-activity.handler';
import { ListActivityQuery, ListContactActivityQuery, type ActivityPage } from './list-activity.query';
import { ListContactActivityHandler } from './list-contact-activity.handler';

type Log = readonly RecordedEvent<ContactEvent>[];

/** Feeds and lists against the log itself. */
export const listActivitySuite = (db: () => Db): void => {
  describe('activity', () => {
    let store: MongoReadStore;
    let checkpoint = 0n;
    let feed: ListActivityHandler;
    let lists: ListContactActivityHandler;

    beforeAll(async () => {
      store = new MongoReadStore(db());
      await store.open('spec', { projections: [contactsProjection], journals: [activityJournal] });
      const entries = new ActivityReads(db());
      const cursors = new CursorCodec({ derive: () => Buffer.alloc(32, 1) });
      const positions = async () => new Map([['activity_v1', checkpoint]]);
      // Each question sees the checkpoint as it is, not as it was a moment ago.
      const gate = { wait: async () => (await positions()).get('activity_v1') } as unknown as ReadGate;
      const opened = { open: async (sealed: string) => JSON.parse(sealed) as unknown };
      feed = new ListActivityHandler(
        new ContactPresence(new ContactReads(db()), gate),
        entries,
        gate,
        cursors,
      );
      lists = new ListContactActivityHandler(
        new ContactReads(db()),
        entries,
        new SealedFields(opened as never),
        gate,
        cursors,
      );
    });

    const fill = async (log: Log): Promise<void> => {
      await db().collection('activity_v1').deleteMany({});
      await db().collection('contacts_v3').deleteMany({});
      const events = log as readonly RecordedEvent<DomainEvent>[];
      await store.save(contactsProjection, foldBatch(contactsProjection, events, new Map()) as Change[]);
      const entries = events.flatMap((event) => {
        const doc = activityJournal.entry(event);
        return doc === null ? [] : [{ position: event.meta.position, doc }];
      });
      await store.insert(activityJournal, entries);
    };

    const positionsOf = async (page: (cursor?: string) => Promise<ActivityPage>): Promise<string[]> => {
      const found: string[] = [];
      let cursor: string | undefined;
      do {
        const { items, nextCursor } = await page(cursor);
        found.push(...items.map(({ position }) => position));
        cursor = nextCursor ?? undefined;
      } while (cursor !== undefined);
      return found;
    };
    const expected = (log: Log, shown: (event: RecordedEvent<ContactEvent>) => boolean): string[] =>
      log
        .filter((event) => event.meta.position <= checkpoint && shown(event))
        .map(({ meta }) => meta.position.toString())
        .reverse();

    it('shows everything up to the checkpoint once, newest first, whatever it is narrowed to', async () => {
      await fc.assert(
        fc.asyncProperty(
          contactLogs({ contactsMax: 5, stepsMax: 10 }),
          fc.integer({ min: 1, max: 6 }),
          fc.double({ min: 0, max: 1, noNaN: true }),
          async (log, limit, share) => {
            await fill(log);
            checkpoint = log[Math.floor((log.length - 1) * share)]?.meta.position ?? 0n;
            const of = (input: object) => (cursor?: string) =>
              feed.execute(new ListActivityQuery({ reader: 'operator', limit, cursor, ...input }));
            const contactId = contactIdOf(0);
            const is = (type: string) => (event: ContactEvent) => event.type.split('.')[1] === type;
            const at = ({ data }: ContactEvent) => 'locationId' in data && data.locationId === 'l1';
            expect(await positionsOf(of({}))).toEqual(expected(log, () => true));
            expect(await positionsOf(of({ contactId }))).toEqual(
              expected(log, ({ data }) => data.contactId === contactId),
            );
            expect(await positionsOf(of({ type: 'CheckedIn' }))).toEqual(expected(log, is('CheckedIn')));
            expect(await positionsOf(of({ locationId: 'l1' }))).toEqual(expected(log, at));
            const segmentId =
              log.flatMap(({ data }) => ('segmentId' in data ? [data.segmentId] : []))[0] ?? contactId;
            expect(await positionsOf(of({ segmentId }))).toEqual(
              expected(log, ({ data }) => 'segmentId' in data && data.segmentId === segmentId),
            );
            expect(await positionsOf(of({ contactId, type: 'CheckedIn', locationId: 'l1' }))).toEqual(
              expected(
                log,
                (event) => event.data.contactId === contactId && is('CheckedIn')(event) && at(event),
              ),
            );
            for (const list of ACTIVITY_LISTS) {
              const page = (cursor?: string) =>
                lists.execute(
                  new ListContactActivityQuery({ reader: 'operator', contactId, list, limit, cursor }),
                );
              expect(await positionsOf(page)).toEqual(
                expected(log, (event) => event.data.contactId === contactId && belongs(event, list)),
              );
            }
          },
        ),
        { numRuns: 6 },
      );
    }, 60_000);

    it('opens what a contact’s own lists show, and nothing for the feed', async () => {
      const contactId = contactIdOf(0);
      const [log = []] = fc.sample(
        contactLogs({ contactsMax: 3, stepsMax: 15 }).filter((events) =>
          events.some(({ type, data }) => type === 'contacts.MessageSent.v1' && data.contactId === contactId),
        ),
        { seed: 5, numRuns: 1 },
      );
      const sealed = log.map((event) => ({ ...event, meta: { ...event.meta, sealed: sealedLike(event) } }));
      await fill(sealed);
      checkpoint = log.at(-1)?.meta.position ?? 0n;
      const { items } = await lists.execute(
        new ListContactActivityQuery({ reader: 'operator', contactId, list: 'messages', limit: 500 }),
      );
      expect(items.length).toBeGreaterThan(0);
      for (const { data } of items)
        expect(data).toMatchObject({ subject: 'Hello', body: 'A secret', channel: expect.anything() });
      const everything = await feed.execute(new ListActivityQuery({ reader: 'operator', limit: 500 }));
      expect(JSON.stringify(everything)).not.toMatch(/secret|for you|invoice|Anna|Berg|Wien|Example/i);
    });

    it('does not know the lists of nobody', async () => {
      await expect(
        lists.execute(
          new ListContactActivityQuery({
            reader: 'operator',
            contactId: contactIdOf(99),
            list: 'points',
            limit: 5,
          }),
        ),
      ).rejects.toThrow(ContactNotFoundError);
    });

    it('reads each from an index', async () => {
      const [log = []] = fc.sample(contactLogs({ contactsMax: 5, stepsMax: 20 }), { seed: 2, numRuns: 1 });
      await fill(log);
      const up = { _id: { $lte: 50n } };
      for (const filter of [
        {},
        { contactId: contactIdOf(0), lists: 'purchases' },
        { contactId: contactIdOf(0), lists: 'activity' },
        { type: 'CheckedIn' },
        { 'data.locationId': 'l1' },
        { 'data.segmentId': 's1' },
      ]) {
        const plan = await db()
          .collection('activity_v1')
          .find({ ...filter, ...up } as object)
          .sort({ _id: -1 })
          .limit(5)
          .explain('queryPlanner');
        const { winningPlan } = plan['queryPlanner'] as { winningPlan: object };
        expect(JSON.stringify(winningPlan)).not.toMatch(/COLLSCAN|"SORT"/);
      }
    });
  });
};

/** As the write side marks them, though in the clear. */
const sealedLike = ({ data }: RecordedEvent<ContactEvent>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(data)
      .filter(([name]) => ['profile', 'note', 'invoiceNumber', 'content', 'device'].includes(name))
      .map(([name, value]) => [name, JSON.stringify(value)]),
  );

const belongs = ({ type, data }: ContactEvent, list: ActivityList): boolean => {
  switch (list) {
    case 'activity':
      return true;
    case 'points':
      return 'points' in data && data.points !== 0;
    case 'check-ins':
      return type === 'contacts.CheckedIn.v1';
    case 'purchases':
      return type === 'contacts.PurchaseRecorded.v1' || type === 'contacts.PurchaseReturned.v1';
    case 'redemptions':
      return type === 'contacts.RewardRedeemed.v1' || type === 'contacts.RedemptionCancelled.v1';
    case 'messages':
      return type === 'contacts.MessageSent.v1';
  }
};

import type { DomainEvent, RecordedEvent } from '@app/kernel';
import { MongoReadStore, type ReadGate } from '@app/read-store';
import { contactIdOf, contactLogs, eventually, recordedLog } from '@app/testing';
import fc from 'fast-check';
import type { Db } from 'mongodb';
import type { ContactEvent } from '../../domain/contact.events';
import { matchesActivity, type ActivityFilter } from '../activity/activity-filter';
import { activityJournal } from '../activity/activity.journal';
import { ActivityReads } from '../activity/mongo.activity-reads';
import { ActivityFeed } from './activity-feed';

/** The live feed, cut and resumed at random, against the log itself. */
export const followActivitySuite = (db: () => Db): void => {
  describe('the live feed', () => {
    let store: MongoReadStore;
    let checkpoint = 0n;
    let feed: ActivityFeed;

    beforeAll(async () => {
      store = new MongoReadStore(db());
      await store.open('spec', { projections: [], journals: [activityJournal] });
    });

    const begin = async (): Promise<void> => {
      await db().collection('activity_v1').deleteMany({});
      checkpoint = 0n;
      const gate = { position: async () => checkpoint } as unknown as ReadGate;
      feed = new ActivityFeed(new ActivityReads(db()), gate);
    };
    beforeEach(begin);

    const write = async (events: readonly RecordedEvent<ContactEvent>[]): Promise<void> => {
      const entries = (events as readonly RecordedEvent<DomainEvent>[]).flatMap((event) => {
        const doc = activityJournal.entry(event);
        return doc === null ? [] : [{ position: event.meta.position, doc }];
      });
      if (entries.length > 0) await store.insert(activityJournal, entries);
    };

    /** Takes events until `enough`, breaking off after `cut` of them and going on behind the last one. */
    const followWithCuts = async (
      filter: ActivityFilter,
      cuts: readonly number[],
      isEnough: (seen: readonly string[]) => boolean,
    ): Promise<string[]> => {
      const seen: string[] = [];
      let after = 0n;
      for (let connection = 0; !isEnough(seen); connection += 1) {
        const cut = cuts[connection % cuts.length] ?? 1;
        const closed = new AbortController();
        let taken = 0;
        for await (const entries of feed.follow(after, filter, closed.signal)) {
          for (const { position } of entries) {
            // What was sent after the cut was lost on the way.
            if (taken === cut) break;
            expect(position).toBeLessThanOrEqual(checkpoint);
            seen.push(position.toString());
            after = position;
            taken += 1;
          }
          if (taken === cut || isEnough(seen)) closed.abort();
        }
        const start = await feed.start(after.toString(), filter);
        expect(start).toEqual({ after, reset: null });
      }
      return seen;
    };

    it('shows everything once and in order, however often it is cut, while the log grows', async () => {
      await fc.assert(
        fc.asyncProperty(
          contactLogs({ contactsMax: 4, stepsMax: 12 }),
          fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
          fc.constantFrom<ActivityFilter>({}, { type: 'PurchaseRecorded' }, { locationId: 'l1' }),
          fc.integer({ min: 1, max: 8 }),
          async (log, cuts, filter, batch) => {
            await begin();
            const expected = (log as readonly RecordedEvent<DomainEvent>[]).flatMap((event) => {
              const entry = activityJournal.entry(event);
              return entry !== null && matchesActivity(entry, filter) ? [event.meta.position.toString()] : [];
            });
            const following = followWithCuts(filter, cuts, (seen) => seen.length >= expected.length);
            for (let at = 0; at < log.length; at += batch) {
              const events = log.slice(at, at + batch);
              // Entries become visible out of order, before the checkpoint says so.
              for (const event of events.toReversed()) await write([event]);
              checkpoint = events.at(-1)?.meta.position ?? checkpoint;
            }
            expect(await following).toEqual(expected);
          },
        ),
        { numRuns: 10 },
      );
    });

    const registrations = (count: number): RecordedEvent<ContactEvent>[] =>
      recordedLog(
        Array.from({ length: count }, (_, index) => ({
          type: 'contacts.ContactRegistered.v1',
          data: {
            contactId: contactIdOf(index),
            occurredAt: '2024-01-01T00:00:00.000Z',
            source: 'app',
            profile: {},
          },
        })),
      );
    const positions = (entries: readonly Readonly<{ position: bigint }>[]): bigint[] =>
      entries.map(({ position }) => position);

    it('serves whoever was away for long from the store, page by page', async () => {
      const log = registrations(250);
      await write(log);
      checkpoint = 2_400n;
      const closed = new AbortController();
      const seen: bigint[] = [];
      for await (const entries of feed.follow(20n, {}, closed.signal)) {
        seen.push(...positions(entries));
        if (seen.length === 238) checkpoint = 2_500n;
        if (seen.length === 248) closed.abort();
      }
      expect(seen).toEqual(positions(log.map(({ meta }) => meta)).slice(2));
    });

    it('serves whoever takes slowly, though the tail holds no more than the newest', async () => {
      const log = registrations(4_500);
      const [slowly, quickly] = [new AbortController(), new AbortController()];
      const slow = feed.follow(0n, {}, slowly.signal);
      const quick = feed.follow(0n, {}, quickly.signal);
      const first = slow.next();
      let quickCount = 0;
      const quickDone = (async () => {
        for await (const entries of quick) {
          quickCount += entries.length;
          if (quickCount === log.length) quickly.abort();
        }
      })();
      await write(log);
      checkpoint = 45_000n;
      await quickDone;
      const seen = positions((await first).value ?? []);
      for await (const entries of slow) {
        seen.push(...positions(entries));
        if (seen.length === log.length) slowly.abort();
      }
      expect(seen).toEqual(positions(log.map(({ meta }) => meta)));
    });

    it('starts now, and behind what was seen last', async () => {
      checkpoint = 50n;
      expect(await feed.start(undefined, {})).toEqual({ after: 50n, reset: null });
      expect(await feed.start('', {})).toEqual({ after: 50n, reset: null });
      expect(await feed.start('20', {})).toEqual({ after: 20n, reset: null });
      expect(await feed.start('50', {})).toEqual({ after: 50n, reset: null });
    });

    it.each(['abc', '-1', '1.5', '99999999999999999999', '9223372036854775808', '0x10', ' 1', '١'])(
      'starts anew where %p is not a position',
      async (token) => {
        checkpoint = 50n;
        expect(await feed.start(token, {})).toEqual({ after: 50n, reset: 'malformed' });
      },
    );

    it('starts anew where nothing has come so far yet, but not where another process was quicker', async () => {
      checkpoint = 50n;
      expect(await feed.start('51', {})).toEqual({ after: 50n, reset: 'unknown' });
      const started = feed.start('60', {});
      checkpoint = 60n;
      expect(await started).toEqual({ after: 60n, reset: null });
    });

    it('starts anew for whoever is too far behind', async () => {
      checkpoint = 50n;
      const entries = { countFollowing: async (_: object, __: bigint, ___: bigint, limit: number) => limit };
      const far = new ActivityFeed(
        entries as never,
        { position: async () => checkpoint } as unknown as ReadGate,
      );
      expect(await far.start('20', {})).toEqual({ after: 50n, reset: 'too-old' });
    });

    it('reads the tail once for all who follow, and not at all when nobody does', async () => {
      let reads = 0;
      const source = new ActivityReads(db());
      const counted = new ActivityFeed(
        {
          following: (...question: Parameters<ActivityReads['following']>) => {
            reads += 1;
            return source.following(...question);
          },
        } as never,
        { position: async () => checkpoint } as unknown as ReadGate,
      );
      const [log = []] = fc.sample(contactLogs({ contactsMax: 4, stepsMax: 12 }), { seed: 4, numRuns: 1 });
      const closed = Array.from({ length: 20 }, () => new AbortController());
      const seen = closed.map(() => 0);
      const followers = closed.map(async ({ signal }, index) => {
        for await (const entries of counted.follow(0n, {}, signal))
          seen[index] = (seen[index] ?? 0) + entries.length;
      });
      await write(log);
      checkpoint = log.at(-1)?.meta.position ?? 0n;
      await eventually('all have seen all', () => seen.every((count) => count === log.length));
      expect(reads).toBe(1);
      for (const follower of closed) follower.abort();
      await Promise.all(followers);
      checkpoint += 10n;
      expect(reads).toBe(1);
    });
  });
};

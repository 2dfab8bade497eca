import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EsdbClient, EsdbEventStore, EventCatalog, EventCodec, type EventStore } from '@app/event-store';
import type { RecordedEvent } from '@app/kernel';
import { LocalKeyRing, Sealer } from '@app/personal-data';
import {
  MongoReadStore,
  openReadDatabase,
  ProjectionRunner,
  ReadGate,
  type ReadDatabase,
} from '@app/read-store';
import { eventually, startTestServers, type TestServers } from '@app/testing';
import {
  ANNOUNCEMENT_STREAM,
  announcementEventDefinitions,
  type AnnouncementEvent,
} from '../domain/announcement.events';
import { MongoSegmentStore, type StayChange } from '../engine/mongo.segment-store';
import { announcedJournal } from '../read-models/announcements/announced.journal';
import { Announcements } from '../read-models/announcements/mongo.announcements';
import { Announcer, type AnnouncerParts } from './announcer';

const instant = (n: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, n)).toISOString();

class Killed extends Error {}

describe('announcements on the stores', () => {
  const readModels = { projections: [], journals: [announcedJournal] };
  let servers: TestServers;
  let folder: string;
  let keyRing: LocalKeyRing;
  let client: EsdbClient;
  let events: EventStore;
  let database: ReadDatabase;
  let parts: AnnouncerParts;
  let stays: MongoSegmentStore;
  let stop: AbortController;
  let projecting: Promise<void>;

  beforeAll(async () => {
    servers = await startTestServers();
    folder = await mkdtemp(join(tmpdir(), 'regulars-keys-'));
    keyRing = await LocalKeyRing.open(folder);
    client = new EsdbClient(servers.eventStoreUrl);
    const codec = new EventCodec(new EventCatalog(announcementEventDefinitions), new Sealer(keyRing));
    events = new EsdbEventStore(client, codec);
    database = await openReadDatabase({ url: servers.mongodbUrl, dbName: servers.mongodbName });
    stays = new MongoSegmentStore(database.db, new MongoReadStore(database.db));
    await stays.open();
    project();
  });
  afterAll(async () => {
    stop.abort();
    await projecting;
    await database?.close();
    await client?.close();
    await keyRing?.close();
    await servers?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const project = (): void => {
    const store = new MongoReadStore(database.db);
    stop = new AbortController();
    projecting = new ProjectionRunner({ name: 'spec', events, store, readModels }).run(stop.signal);
    parts = {
      events,
      stays: new Announcements(database.db),
      gate: new ReadGate(store, readModels.journals),
    };
  };

  /** Somebody came, went, and came again; somebody else was in from the beginning and went. */
  const lives = (): readonly StayChange[] => {
    const [one, other, segmentId] = [randomUUID(), randomUUID(), randomUUID()];
    const cause = (position: number) =>
      ({
        kind: 'event',
        eventId: `e${position}`,
        at: instant(position),
        position: String(position),
      }) as const;
    const stay = (from: number, to: number | null) => ({
      segmentId,
      version: 1,
      from: instant(from),
      to: to === null ? null : instant(to),
      causeIn: cause(from),
      causeOut: to === null ? null : cause(to),
    });
    return [
      { contactId: one, stay: stay(2, null), announce: 'entered' },
      { contactId: other, stay: stay(1, null), announce: null },
      { contactId: one, stay: stay(2, 3), announce: 'left' },
      { contactId: other, stay: stay(1, 4), announce: 'left' },
      { contactId: one, stay: stay(5, null), announce: 'entered' },
    ];
  };
  const expectedOf = (changes: readonly StayChange[]): readonly string[] =>
    changes.flatMap(({ contactId, stay, announce }) =>
      announce === null ? [] : [`${announce} ${contactId} ${stay.to ?? stay.from}`],
    );
  const announcedOf = async (changes: readonly StayChange[]): Promise<readonly string[]> => {
    const found: string[] = [];
    for await (const event of events.readStream(ANNOUNCEMENT_STREAM)) {
      const { type, data } = event as RecordedEvent<AnnouncementEvent>;
      if (data.segmentId === changes[0]?.stay.segmentId)
        found.push(`${type.includes('Entered') ? 'entered' : 'left'} ${data.contactId} ${data.at}`);
    }
    return found;
  };
  const announceAll = async (): Promise<void> => {
    const announcer = new Announcer(parts);
    await eventually('nothing is pending', async () => {
      await announcer.round();
      return (await parts.stays.pending()).length === 0;
    });
  };

  /** Killed at its n-th call, before it or after it took effect; `calls` counts them. */
  const mortal = (killedAt: number, before: boolean, calls: { count: number }): AnnouncerParts => {
    const wrap = <T extends object>(target: T): T =>
      new Proxy(target, {
        get:
          (_, name) =>
          async (...args: unknown[]) => {
            calls.count += 1;
            const call = calls.count;
            if (call > killedAt || (call === killedAt && before)) throw new Killed();
            const answer: unknown = await (
              Reflect.get(target, name) as (...given: unknown[]) => unknown
            ).apply(target, args);
            if (call === killedAt) throw new Killed();
            return answer;
          },
      });
    return { events: wrap(parts.events), stays: wrap(parts.stays), gate: wrap(parts.gate) };
  };

  it('are made once each, whoever is killed at whatever step', async () => {
    for (const before of [true, false]) {
      for (let killedAt = 1; killedAt < 20; killedAt += 1) {
        const changes = lives();
        await stays.saveStays(changes.slice(0, 3));
        const calls = { count: 0 };
        const killed = await new Announcer(mortal(killedAt, before, calls), 2).round().then(
          () => false,
          (error: unknown) => {
            if (!(error instanceof Killed)) throw error;
            return true;
          },
        );
        await stays.saveStays(changes.slice(3));
        await announceAll();
        expect(await announcedOf(changes)).toEqual(expectedOf(changes));
        if (!killed) break;
      }
    }
  });

  it('are not made again when the read database is lost and all stays are built anew', async () => {
    const changes = lives();
    await stays.saveStays(changes);
    await announceAll();
    const before = await events.lastOf(ANNOUNCEMENT_STREAM);
    stop.abort();
    await projecting;
    await database.db.dropDatabase();
    stays = new MongoSegmentStore(database.db, new MongoReadStore(database.db));
    await stays.open();
    await stays.saveStays(changes);
    project();
    await announceAll();
    expect((await events.lastOf(ANNOUNCEMENT_STREAM))?.meta.revision).toBe(before?.meta.revision);
    const more = lives();
    await stays.saveStays(more);
    await announceAll();
    expect(await announcedOf(more)).toEqual(expectedOf(more));
  });

  it('are found by an index', async () => {
    for (const query of [
      { announce: { $in: ['entered', 'left'] } },
      { announce: { $in: ['entered', 'left'] }, contactId: { $in: ['a', 'b'] } },
    ]) {
      const plan = await database.db.collection('memberships_v1').find(query).explain('queryPlanner');
      expect(JSON.stringify(plan['queryPlanner'])).not.toContain('COLLSCAN');
    }
  });
});

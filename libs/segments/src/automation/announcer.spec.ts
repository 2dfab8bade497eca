import { derivedUuid, RevisionConflictError, type ExpectedRevision, type Fact } from '@app/event-store';
import { recorded } from '@app/testing';
import type { RecordedEvent } from '@app/kernel';
import fc from 'fast-check';
import type { AnnouncementEvent } from '../domain/announcement.events';
import { announcedJournal } from '../read-models/announcements/announced.journal';
import type { PendingStay } from '../read-models/announcements/mongo.announcements';
import { stayId, type Announcement } from '../read-models/segmented-contact';
import { Announcer, type AnnouncerParts } from './announcer';

const instant = (n: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, n)).toISOString();

/** A contact goes in and out of a segment; each move at the next position. */
type Move = Readonly<{ contact: number; segment: number }>;

/** Stores that lose nothing, as announcers see them. */
class World {
  readonly stream: RecordedEvent<AnnouncementEvent>[] = [];
  stays = new Map<string, PendingStay>();
  private readonly moves: Move[] = [];
  private foldedCount = 0;

  readonly parts: AnnouncerParts = {
    events: {
      lastOf: async () => this.stream.at(-1) ?? null,
      record: async (
        stream: string,
        facts: readonly Fact[],
        _: number,
        expected?: ExpectedRevision | 'any',
      ) => {
        const revision = this.stream.length - 1;
        if (expected !== (revision < 0 ? 'no-stream' : revision))
          throw new RevisionConflictError(stream, 'any');
        for (const { event, context } of facts) {
          const place = { revision: this.stream.length, position: BigInt(1_000 + this.stream.length) };
          const eventId = derivedUuid(context.commandId);
          this.stream.push(recorded(event as AnnouncementEvent, { stream, eventId, ...place }));
        }
        const last = this.stream.at(-1)!.meta;
        return { revision: last.revision, position: last.position, eventIds: [] };
      },
    },
    stays: {
      pending: async () => {
        const pending = [...this.stays.values()].filter(({ announce }) => announce !== undefined);
        // A contact's stays come together, the contacts in no order.
        return pending.filter(({ contactId }) => contactId === pending[0]?.contactId).reverse();
      },
      announced: async (names) => {
        const folded = this.stream.slice(0, this.foldedCount).map((event) => announcedJournal.entry(event));
        return new Set(
          folded.flatMap((entry) =>
            entry && names.includes(entry.announcement) ? [entry.announcement] : [],
          ),
        );
      },
      settle: async (read) => {
        for (const { _id, announce } of read) {
          const stay = this.stays.get(_id);
          if (JSON.stringify(stay?.announce) !== JSON.stringify(announce)) continue;
          const { announce: _, ...settled } = stay as PendingStay;
          this.stays.set(_id, settled);
        }
      },
    },
    gate: { position: async () => this.stream[this.foldedCount - 1]?.meta.position ?? 0n },
  };

  move(move: Move): void {
    this.moves.push(move);
    this.apply(move, this.moves.length);
  }

  /** The projector folds so many events more. */
  fold(count: number): void {
    this.foldedCount = Math.min(this.stream.length, this.foldedCount + count);
  }

  /** The read database was lost: all is folded again from the log, flags and all. */
  rebuild(): void {
    this.stays = new Map();
    this.foldedCount = 0;
    this.moves.forEach((move, index) => this.apply(move, index + 1));
  }

  /** What has to be in the stream, by contact. */
  expected(contact: number): readonly string[] {
    const inside = new Set<number>();
    return this.moves.flatMap((move, index) => {
      if (move.contact !== contact) return [];
      const kind = inside.delete(move.segment) ? 'left' : 'entered';
      if (kind === 'entered') inside.add(move.segment);
      return [`${kind} s${move.segment} ${instant(index + 1)}`];
    });
  }

  announced(contact: number): readonly string[] {
    return this.stream.flatMap(({ type, data }) =>
      data.contactId === `c${contact}`
        ? [`${type.includes('Entered') ? 'entered' : 'left'} ${data.segmentId} ${data.at}`]
        : [],
    );
  }

  private apply({ contact, segment }: Move, position: number): void {
    const [contactId, segmentId, at] = [`c${contact}`, `s${segment}`, instant(position)];
    const cause = { kind: 'event', eventId: `e${position}`, at, position: String(position) } as const;
    const open = [...this.stays.values()].find(
      (stay) => stay.contactId === contactId && stay.segmentId === segmentId && stay.to === null,
    );
    if (open === undefined) {
      const stay = { segmentId, version: 1, from: at, to: null, causeIn: cause, causeOut: null };
      const _id = stayId(contactId, stay);
      this.stays.set(_id, { _id, contactId, ...stay, announce: ['entered'] });
    } else {
      const announce: Announcement[] = [...(open.announce ?? []), 'left'];
      this.stays.set(open._id, { ...open, to: at, causeOut: cause, announce });
    }
  }
}

class Killed extends Error {}

/** As a process that is killed at its n-th call sees the stores: before it, or after it took effect. */
const mortal = (
  { events, stays, gate }: AnnouncerParts,
  killedAt: number,
  before: boolean,
  pause: () => Promise<void>,
): AnnouncerParts => {
  let calls = 0;
  const wrap = <T extends object>(target: T): T =>
    new Proxy(target, {
      get:
        (_, name) =>
        async (...args: unknown[]) => {
          calls += 1;
          const call = calls;
          await pause();
          if (call > killedAt || (call === killedAt && before)) throw new Killed();
          const answer: unknown = await (Reflect.get(target, name) as (...given: unknown[]) => unknown)(
            ...args,
          );
          await pause();
          if (call === killedAt) throw new Killed();
          return answer;
        },
    });
  return { events: wrap(events), stays: wrap(stays), gate: wrap(gate) };
};

const anyMove = fc.record({ contact: fc.nat(2), segment: fc.nat(1) });
const anyDeed = fc.oneof(
  { weight: 5, arbitrary: fc.record({ moves: fc.array(anyMove, { minLength: 1, maxLength: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ fold: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 1, arbitrary: fc.constant({ rebuild: true as const }) },
  {
    weight: 6,
    arbitrary: fc.record({
      announcers: fc.array(fc.record({ killedAt: fc.integer({ min: 1, max: 8 }), before: fc.boolean() }), {
        minLength: 1,
        maxLength: 2,
      }),
    }),
  },
);

describe('announcements', () => {
  it('are made once each and in order, whoever is killed between whatever steps, and whatever is built anew', () =>
    fc.assert(
      fc.asyncProperty(fc.array(anyDeed, { maxLength: 25 }), fc.scheduler(), async (deeds, scheduler) => {
        const world = new World();
        const pause = () => scheduler.schedule(Promise.resolve());
        for (const deed of deeds) {
          if ('moves' in deed) deed.moves.forEach((move) => world.move(move));
          if ('fold' in deed) world.fold(deed.fold);
          if ('rebuild' in deed) world.rebuild();
          if (!('announcers' in deed)) continue;
          const runs = deed.announcers.map(({ killedAt, before }) =>
            new Announcer(mortal(world.parts, killedAt, before, pause), 2).step().catch((error: unknown) => {
              if (!(error instanceof Killed)) throw error;
            }),
          );
          await scheduler.waitFor(Promise.all(runs));
        }
        const last = new Announcer(world.parts, 3);
        for (let round = 0; round < 200; round += 1) {
          world.fold(1_000);
          const { announced, settled } = await last.step();
          if (announced === 0 && settled === 0) break;
        }
        for (const contact of [0, 1, 2]) expect(world.announced(contact)).toEqual(world.expected(contact));
        expect([...world.stays.values()].filter(({ announce }) => announce !== undefined)).toEqual([]);
      }),
      { numRuns: 300 },
    ));

  it('say what happened, to whom, when, why and by which version', async () => {
    const world = new World();
    world.move({ contact: 1, segment: 0 });
    expect(await new Announcer(world.parts).round()).toBe(1);
    expect(world.stream).toMatchObject([
      {
        type: 'segments.SegmentEntered.v1',
        data: {
          contactId: 'c1',
          segmentId: 's0',
          version: 1,
          at: instant(1),
          occurredAt: instant(1),
          cause: { kind: 'event', eventId: 'e1', position: '1' },
        },
      },
    ]);
  });

  it('say that somebody entered before they say that he left, also at one instant', async () => {
    const world = new World();
    world.move({ contact: 1, segment: 0 });
    const [stay] = [...world.stays.values()] as [PendingStay];
    const { from: to, causeIn: causeOut } = stay;
    world.stays.set(stay._id, { ...stay, to, causeOut, announce: ['left', 'entered'] });
    await new Announcer(world.parts).step();
    expect(world.announced(1)).toEqual([`entered s0 ${to}`, `left s0 ${to}`]);
  });

  it('wait until everything that was announced before is known', async () => {
    const world = new World();
    world.move({ contact: 1, segment: 0 });
    await new Announcer(world.parts).step();
    world.rebuild();
    expect(await new Announcer(world.parts).step()).toEqual({ announced: 0, settled: 0 });
    world.fold(1);
    expect(await new Announcer(world.parts).step()).toEqual({ announced: 0, settled: 1 });
    expect(world.stream).toHaveLength(1);
  });
});

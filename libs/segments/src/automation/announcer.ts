import { derivedUuid, RevisionConflictError, type EventStore, type Fact } from '@app/event-store';
import type { CommandContext } from '@app/kernel';
import type { ReadGate } from '@app/read-store';
import { ANNOUNCEMENT_STREAM, type AnnouncementEvent } from '../domain/announcement.events';
import { announcementName } from '../read-models/announcements/announced.journal';
import type { Announcements, PendingStay } from '../read-models/announcements/mongo.announcements';
import type { Announcement } from '../read-models/segmented-contact';

/** Some 400 KB. */
const EVENTS_MAX = 1_000;
const STEPS_A_ROUND_MAX = 50;
const APPEND_TIME_MS = 5_000;

export type AnnouncerParts = Readonly<{
  events: Pick<EventStore, 'lastOf' | 'record'>;
  stays: Pick<Announcements, 'pending' | 'announced' | 'settle'>;
  gate: Pick<ReadGate, 'position'>;
}>;

/**
 * Tells the log who entered and who left. The log is what was announced: the flags on the stays only say where to look, so it
 * does no harm where a crash left one standing, or where all stays were built anew. Several may run at once: each appends only
 * behind what it has looked through.
 */
export class Announcer {
  constructor(
    private readonly parts: AnnouncerParts,
    /** In one append. */
    private readonly eventsMax = EVENTS_MAX,
  ) {}

  /** Announces what is pending, up to a bound. Answers how many announcements it made. Throws what the stores throw. */
  async round(): Promise<number> {
    let count = 0;
    for (let steps = 0; steps < STEPS_A_ROUND_MAX; steps += 1) {
      const step = await this.step();
      count += step.announced;
      if (step.announced === 0 && step.settled === 0) break;
    }
    return count;
  }

  /** One append at most. `settled`: of how many stays nothing is pending any more. Both 0: there is nothing to do now. */
  async step(): Promise<Readonly<{ announced: number; settled: number }>> {
    const { events, stays, gate } = this.parts;
    const nothing = { announced: 0, settled: 0 };
    const pending = await stays.pending();
    if (pending.length === 0) return nothing;
    const head = await events.lastOf(ANNOUNCEMENT_STREAM);
    // Until the journal has all of the stream, nobody knows what of it was announced.
    if (head !== null && (await gate.position()) < head.meta.position) return nothing;
    const due = dueOf(pending);
    const known = await stays.announced(due.map(({ name }) => name));
    const fresh = due.filter(({ name }) => !known.has(name)).slice(0, this.eventsMax);
    if (fresh.length > 0) {
      const facts = fresh.map(factOf);
      try {
        await events.record(
          ANNOUNCEMENT_STREAM,
          facts,
          Date.now() + APPEND_TIME_MS,
          head === null ? 'no-stream' : head.meta.revision,
        );
      } catch (error) {
        // Another process has announced something since; what, is looked through the next time.
        if (error instanceof RevisionConflictError) return nothing;
        throw error;
      }
    }
    const told = new Set([...known, ...fresh.map(({ name }) => name)]);
    const done = pending.filter((stay) =>
      (stay.announce ?? []).every((kind) => told.has(announcementName(kind, stay._id))),
    );
    await stays.settle(done);
    return { announced: fresh.length, settled: done.length };
  }
}

type Due = Readonly<{ name: string; kind: Announcement; stay: PendingStay; event: AnnouncementEvent }>;

/** In the order in which it happened: of two at one instant, the stay that began first. */
const dueOf = (stays: readonly PendingStay[]): readonly Due[] =>
  stays
    .flatMap((stay) => (stay.announce ?? []).map((kind) => dueFor(stay, kind)))
    .sort(({ event: one, stay: before, kind }, { event: other, stay: after }) => {
      const [first, second] = [BigInt(one.data.cause.position), BigInt(other.data.cause.position)];
      if (first !== second) return first < second ? -1 : 1;
      if (one.data.at !== other.data.at) return one.data.at < other.data.at ? -1 : 1;
      if (before.from !== after.from) return before.from < after.from ? -1 : 1;
      return kind === 'entered' ? -1 : 1;
    });

const dueFor = (stay: PendingStay, kind: Announcement): Due => {
  const { _id: stayId, contactId, segmentId, version, from, to, causeIn, causeOut } = stay;
  const entered = kind === 'entered';
  const at = entered ? from : (to ?? from);
  const cause = entered ? causeIn : (causeOut ?? causeIn);
  const data = { contactId, segmentId, version, at, cause, stayId, occurredAt: at };
  const type = entered ? 'segments.SegmentEntered.v1' : 'segments.SegmentLeft.v1';
  return { name: announcementName(kind, stayId), kind, stay, event: { type, data } };
};

/** Its ids follow from the stay, so that the same announcement is the same event whoever makes it. */
const factOf = ({ name, event }: Due): Fact => ({ event, context: contextOf(name, event) });

/** Not a command of anybody: it leaves no entry in the privacy log. */
const contextOf = (name: string, { data: { at, cause } }: AnnouncementEvent): CommandContext => {
  const commandId = derivedUuid(`announcement ${name}`);
  return {
    commandId,
    repeatable: false,
    actor: { id: 'segment-announcer', role: 'system', method: 'internal' },
    correlationId: commandId,
    ...(cause.eventId !== undefined && { causationId: cause.eventId }),
    now: at,
    deadlineMs: 0,
  };
};

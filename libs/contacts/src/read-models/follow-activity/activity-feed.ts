import { setTimeout as sleep } from 'node:timers/promises';
import { ReadGate } from '@app/read-store';
import { Injectable, Logger } from '@nestjs/common';
import { matchesActivity, type ActivityFilter } from '../activity/activity-filter';
import type { StoredActivity } from '../activity/activity-item';
import { ActivityReads } from '../activity/mongo.activity-reads';
import { ActivityTail } from './activity-tail';

const ENTRIES_AT_ONCE = 100;
/** Who is further behind starts anew: the feed is no way to read the history. */
const BEHIND_MAX = 100_000;
/** Another process may have shown what this one's last look at the checkpoint, at most 20 ms old, did not hold yet. */
const CHECKPOINT_AGE_MS = 25;
const POSITION_MAX = 2n ** 63n - 1n;

/** Why a client cannot go on from where it says it was. */
export type ResetReason = 'malformed' | 'unknown' | 'too-old';

export type FeedStart = Readonly<{
  /** The position behind which the feed starts. */
  after: bigint;
  /** Set where that is not the one that was asked for. */
  reset: ResetReason | null;
}>;

/** Follows what happens, from a position on, without gap or repetition, and never ahead of the checkpoint. */
@Injectable()
export class ActivityFeed {
  private readonly tail: ActivityTail;

  constructor(
    private readonly entries: ActivityReads,
    private readonly gate: ReadGate,
  ) {
    const logger = new Logger(ActivityFeed.name);
    this.tail = new ActivityTail(
      {
        position: () => gate.position(),
        following: (after, upTo, limit) => entries.following({}, after, upTo, limit),
      },
      (error) => logger.warn(`The activity feed waits for the store: ${(error as Error).name}.`),
    );
  }

  /** Where to start for somebody who has seen everything up to `lastEventId`, or who wants to see what comes from now on. */
  async start(lastEventId: string | undefined, filter: ActivityFilter): Promise<FeedStart> {
    const now = await this.gate.position();
    if (lastEventId === undefined || lastEventId === '') return { after: now, reset: null };
    const after = /^\d{1,19}$/.test(lastEventId) ? BigInt(lastEventId) : POSITION_MAX + 1n;
    if (after > POSITION_MAX) return { after: now, reset: 'malformed' };
    if (after <= now) return this.resumed(after, now, filter);
    await sleep(CHECKPOINT_AGE_MS);
    const later = await this.gate.position();
    return after <= later ? { after, reset: null } : { after: later, reset: 'unknown' };
  }

  private async resumed(after: bigint, now: bigint, filter: ActivityFilter): Promise<FeedStart> {
    const behind = await this.entries.countFollowing(filter, after, now, BEHIND_MAX + 1);
    return behind > BEHIND_MAX ? { after: now, reset: 'too-old' } : { after, reset: null };
  }

  /**
   * What passes the filter behind `after`, in order, each once, until the signal aborts. Nothing is read ahead of whoever
   * takes it: one who takes slowly falls behind the shared tail and is served from the store.
   */
  async *follow(
    after: bigint,
    filter: ActivityFilter,
    signal: AbortSignal,
  ): AsyncGenerator<readonly StoredActivity[], void, undefined> {
    const leave = await this.tail.follow();
    try {
      let at = after;
      while (!signal.aborted) {
        const next = this.tail.behind(at, ENTRIES_AT_ONCE);
        if (next === null) {
          const upTo = this.tail.end;
          const entries = await this.entries.following(filter, at, upTo, ENTRIES_AT_ONCE);
          const last = entries.at(-1);
          at = last !== undefined && entries.length === ENTRIES_AT_ONCE ? last.position : upTo;
          if (entries.length > 0) yield entries;
        } else if (next.upTo > at) {
          at = next.upTo;
          const entries = next.entries.filter((entry) => matchesActivity(entry, filter));
          if (entries.length > 0) yield entries;
        } else {
          await this.tail.more(at, signal);
        }
      }
    } finally {
      leave();
    }
  }
}

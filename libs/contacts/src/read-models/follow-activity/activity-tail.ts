import { setTimeout as sleep } from 'node:timers/promises';
import type { StoredActivity } from '../activity/activity-item';

/** Where the tail is read from. */
export type TailSource = Readonly<{
  /** The position up to which everything is there. */
  position: () => Promise<bigint>;
  /** All entries behind `after` up to `upTo`, oldest first, at most `limit`. */
  following: (after: bigint, upTo: bigint, limit: number) => Promise<readonly StoredActivity[]>;
}>;

const POLL_INTERVAL_MS = 20;
const RETRY_INTERVAL_MS = 500;
const PAGE = 1_000;
const ENTRIES_MAX = 4_000;

/** Entries up to and including a position. */
export type Stretch = Readonly<{ entries: readonly StoredActivity[]; upTo: bigint }>;

/**
 * The newest entries, read once for everybody who follows them, and only while somebody does. Holds at most 4,000: whoever
 * is further behind reads from the store.
 */
export class ActivityTail {
  /** All entries in (`from`, `upTo`]. */
  private entries: StoredActivity[] = [];
  private from = 0n;
  private upTo = 0n;
  private followers = 0;
  private reading = false;
  private waiting = new Set<() => void>();

  constructor(
    private readonly source: TailSource,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Keeps the tail being read until the returned function is called; throws where the store does not answer. */
  async follow(): Promise<() => void> {
    this.followers += 1;
    try {
      if (!this.reading) this.start(await this.source.position());
    } catch (error) {
      this.followers -= 1;
      throw error;
    }
    let left = false;
    return () => {
      if (!left) this.followers -= 1;
      left = true;
    };
  }

  /** The position up to which the tail has been read. */
  get end(): bigint {
    return this.upTo;
  }

  /** The next entries behind a position, at most `limit`; null where the tail does not reach back so far. */
  behind(after: bigint, limit: number): Stretch | null {
    if (after < this.from) return null;
    const first = this.firstBehind(after);
    const entries = this.entries.slice(first, first + limit);
    const last = entries.at(-1);
    return {
      entries,
      upTo: last !== undefined && first + limit < this.entries.length ? last.position : this.upTo,
    };
  }

  /** Resolves when there is more, or the signal aborts. */
  async more(after: bigint, signal: AbortSignal): Promise<void> {
    if (this.upTo > after || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.waiting.add(done);
      signal.addEventListener('abort', done);
    });
  }

  /** Of several who wanted to start at once, the first did. */
  private start(position: bigint): void {
    if (this.reading) return;
    this.reading = true;
    [this.entries, this.from, this.upTo] = [[], position, position];
    void this.read();
  }

  private async read(): Promise<void> {
    while (this.followers > 0) {
      try {
        const position = await this.source.position();
        if (position > this.upTo) await this.extend(position);
        else await sleep(POLL_INTERVAL_MS);
      } catch (error) {
        this.onError(error);
        await sleep(RETRY_INTERVAL_MS);
      }
    }
    this.reading = false;
  }

  private async extend(position: bigint): Promise<void> {
    const page = await this.source.following(this.upTo, position, PAGE);
    const last = page.at(-1);
    this.entries.push(...page);
    this.upTo = page.length === PAGE && last !== undefined ? last.position : position;
    if (this.entries.length > ENTRIES_MAX) {
      const dropped = this.entries.splice(0, this.entries.length - ENTRIES_MAX / 2);
      this.from = dropped.at(-1)?.position ?? this.from;
    }
    for (const done of this.waiting) done();
  }

  private firstBehind(after: bigint): number {
    let [low, high] = [0, this.entries.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.entries[middle]?.position ?? 0n) > after) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

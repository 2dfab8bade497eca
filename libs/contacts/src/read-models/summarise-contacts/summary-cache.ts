import { LRUCache } from 'lru-cache';
import type { ContactSummary } from './contact-summary';

export type CachedSummary = Readonly<{
  summary: ContactSummary;
  /** It holds everything up to here. */
  asOfPosition: bigint;
  madeAtMs: number;
}>;

const SUMMARIES_MAX = 100;
/** Young enough for anybody who does not ask for a later position. */
const AGE_MAX_MS = 2_000;
/** Where nothing was recorded since; ages and activity still go with the clock. */
const UNCHANGED_AGE_MAX_MS = 60_000;

type Flight = Readonly<{ asOfPosition: bigint; done: Promise<CachedSummary> }>;

/**
 * Summaries by question. A summary reads every contact, so each is made at most once at a time and every two seconds,
 * and one after the other, however many ask.
 */
export class SummaryCache {
  private readonly made = new LRUCache<string, CachedSummary>({ max: SUMMARIES_MAX });
  private readonly flights = new Map<string, Flight>();
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly nowMs: () => number = () => performance.now()) {}

  /**
   * A summary that holds at least everything up to `minPosition`. `position`: where the read models are now;
   * `make` reads the store.
   */
  async get(
    key: string,
    { minPosition, position }: Readonly<{ minPosition: bigint; position: bigint }>,
    make: () => Promise<ContactSummary>,
  ): Promise<CachedSummary> {
    for (;;) {
      const known = this.made.get(key);
      if (known !== undefined && known.asOfPosition >= minPosition && this.isFresh(known, position))
        return known;
      const flight = this.flights.get(key);
      if (flight === undefined) return this.start(key, position, make);
      if (flight.asOfPosition >= minPosition) return flight.done;
      // What is being made began too early; whoever comes first afterwards makes the next.
      await flight.done.catch(() => undefined);
    }
  }

  private isFresh({ madeAtMs, asOfPosition }: CachedSummary, position: bigint): boolean {
    const ageMs = this.nowMs() - madeAtMs;
    return ageMs < AGE_MAX_MS || (asOfPosition === position && ageMs < UNCHANGED_AGE_MAX_MS);
  }

  private start(
    key: string,
    asOfPosition: bigint,
    make: () => Promise<ContactSummary>,
  ): Promise<CachedSummary> {
    const done = this.last
      .then(make)
      .then((summary) => {
        const cached = { summary, asOfPosition, madeAtMs: this.nowMs() };
        this.made.set(key, cached);
        return cached;
      })
      .finally(() => this.flights.delete(key));
    this.flights.set(key, { asOfPosition, done });
    this.last = done.catch(() => undefined);
    return done;
  }
}

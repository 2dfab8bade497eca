import { setTimeout as sleep } from 'node:timers/promises';
import { collectionOf } from './projection';
import { ReadBehindError } from './read-store.errors';
import type { Checkpoints } from './read-store.port';

/** A read model as readers know it; the version that code was compiled for is the one it waits for. */
export type ReadModelRef = Readonly<{ name: string; version: number }>;

export type ReadGateOptions = Readonly<{
  /** How long a reader waits at most; default 5,000. */
  waitMs?: number;
  /** How many readers may wait at once; default 1,000. */
  waitersMax?: number;
}>;

const WAIT_MS = 5_000;
const WAITERS_MAX = 1_000;
const POLL_INTERVAL_MS = 5;
const CACHE_AGE_MAX_MS = 20;

type Waiter = Readonly<{
  minPosition: bigint;
  deadlineMs: number;
  resolve: (position: bigint) => void;
  reject: (error: unknown) => void;
}>;

/** Lets a reader wait until every read model has seen a position: what a command answered with. */
export class ReadGate {
  private readonly collections: readonly string[];
  private readonly waitMs: number;
  private readonly waitersMax: number;
  private readonly waiters = new Set<Waiter>();
  private polling = false;
  private cached: Readonly<{ position: bigint; readAtMs: number }> | undefined;
  private reading: Promise<bigint> | undefined;

  constructor(
    private readonly checkpoints: Checkpoints,
    readModels: readonly ReadModelRef[],
    { waitMs = WAIT_MS, waitersMax = WAITERS_MAX }: ReadGateOptions = {},
  ) {
    this.collections = readModels.map(collectionOf);
    this.waitMs = waitMs;
    this.waitersMax = waitersMax;
  }

  /**
   * Answers with the position that every read model has reached: at least `minPosition`, where one is given. Throws
   * ReadBehindError where that takes longer than 5 s, or at once where too many wait already.
   */
  async wait(minPosition?: bigint): Promise<bigint> {
    const position = await this.position();
    if (minPosition === undefined || position >= minPosition) return position;
    if (this.waiters.size >= this.waitersMax) throw new ReadBehindError(position, minPosition);
    return new Promise((resolve, reject) => {
      this.waiters.add({ minPosition, deadlineMs: performance.now() + this.waitMs, resolve, reject });
      void this.poll();
    });
  }

  /** The position that every read model has reached, as of at most 20 ms ago; 0 before the first event. */
  async position(): Promise<bigint> {
    const { cached } = this;
    return cached && performance.now() - cached.readAtMs <= CACHE_AGE_MAX_MS ? cached.position : this.read();
  }

  /** However many ask at once, the store is asked once. */
  private read(): Promise<bigint> {
    this.reading ??= this.readCheckpoints().finally(() => (this.reading = undefined));
    return this.reading;
  }

  private async readCheckpoints(): Promise<bigint> {
    const readAtMs = performance.now();
    const positions = await this.checkpoints.positions();
    let position: bigint | undefined;
    for (const collection of this.collections) {
      const reached = positions.get(collection) ?? 0n;
      if (position === undefined || reached < position) position = reached;
    }
    this.cached = { position: position ?? 0n, readAtMs };
    return this.cached.position;
  }

  /** One poller for all who wait; it ends with the last of them. */
  private async poll(): Promise<void> {
    if (this.polling) return;
    this.polling = true;
    try {
      while (this.waiters.size > 0) {
        this.release(await this.read());
        if (this.waiters.size > 0) await sleep(POLL_INTERVAL_MS);
      }
    } catch (error) {
      for (const waiter of this.waiters) waiter.reject(error);
      this.waiters.clear();
    } finally {
      this.polling = false;
    }
  }

  private release(position: bigint): void {
    const nowMs = performance.now();
    for (const waiter of this.waiters) {
      if (position >= waiter.minPosition) waiter.resolve(position);
      else if (nowMs >= waiter.deadlineMs) waiter.reject(new ReadBehindError(position, waiter.minPosition));
      else continue;
      this.waiters.delete(waiter);
    }
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { EventStore } from '@app/event-store';
import { StoredKeyRing, type DestroyedKey } from '@app/personal-data';

/** Both say in `keyIds` which keys were destroyed before they were recorded. */
const TYPES = ['contacts.ContactErased.v1', 'contacts.RetainedDataDestroyed.v1'] as const;
const BACKOFF_FIRST_MS = 200;
const BACKOFF_MAX_MS = 10_000;
/** How often to look whether the key ring was replaced by an older one. */
const LOOK_MS = 5_000;
/** How often to go on in the log, so that the next start has little to read. */
const ADVANCE_MS = 3_600_000;

/**
 * Destroys in the key ring what the log says was destroyed: at the start, before which no key is given out, since the key
 * ring may have been restored from an older copy; and again where it is replaced by one while this process runs. It begins
 * where the key ring says it had got to, and tries again for as long as it takes.
 */
@Injectable()
export class KeyRingReplay implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(KeyRingReplay.name);
  private readonly stopped = new AbortController();

  constructor(
    private readonly events: EventStore,
    private readonly keyRing: StoredKeyRing,
  ) {}

  onApplicationBootstrap(): void {
    void this.run();
  }

  /** What is asked of the event store at that moment is not waited for. */
  onApplicationShutdown(): void {
    this.stopped.abort();
  }

  /** Once. Resolves to how many keys were still there; throws what the stores throw. */
  async replay(): Promise<number> {
    const [head, heardTo] = [await this.events.head(), await this.keyRing.destroyedUpTo()];
    if (head === null) return this.keyRing.replayDestroyed(nothing(), null);
    // A log that ends before that is another one: all of it is to be heard.
    const after = heardTo !== null && heardTo <= head ? heardTo : null;
    return this.keyRing.replayDestroyed(after === head ? nothing() : this.destroyed(after, head), head);
  }

  private async *destroyed(after: bigint | null, upTo: bigint): AsyncGenerator<DestroyedKey> {
    for await (const { data, meta } of this.events.eventsOf(TYPES, after, upTo)) {
      for (const keyId of (data as Readonly<{ keyIds: readonly string[] }>).keyIds)
        yield { keyId, at: meta.recordedAt };
    }
  }

  private async run(): Promise<void> {
    const { signal } = this.stopped;
    let backoffMs = BACKOFF_FIRST_MS;
    let replayedAt = -Infinity;
    while (!signal.aborted) {
      const isDue = !this.keyRing.isOpen || performance.now() - replayedAt >= ADVANCE_MS;
      let restMs = LOOK_MS;
      if (isDue) {
        try {
          const count = await this.replay();
          if (count > 0)
            this.logger.warn(
              `The key ring was an older copy: ${count} keys that were destroyed since are destroyed again.`,
            );
          replayedAt = performance.now();
          backoffMs = BACKOFF_FIRST_MS;
        } catch (error) {
          if (signal.aborted) return;
          if (backoffMs === BACKOFF_FIRST_MS) this.logger.warn(error);
          restMs = backoffMs;
          backoffMs = Math.min(backoffMs * 2, BACKOFF_MAX_MS);
        }
      }
      await sleep(restMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}

async function* nothing(): AsyncGenerator<never> {
  // Nothing was destroyed.
}

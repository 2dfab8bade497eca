import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { EventStore } from '@app/event-store';
import { Authenticator } from '@app/http';
import { Clock, type Actor, type RecordedEvent } from '@app/kernel';
import { accessDecider, isLiving, type ApiKey } from '../../domain/access.decider';
import { ACCESS_STREAM, type AccessEvent } from '../../domain/access.events';
import { hashOfKey } from '../api-key';

/** A revocation reaches every process within about so long. */
const REFRESH_INTERVAL_MS = 1_000;
/** Unknown keys make the stream be read again at most once in so long, however many come. */
const UNKNOWN_KEY_INTERVAL_MS = 500;

type Entry = Readonly<{ key: ApiKey; actor: Actor }>;

/**
 * All keys in memory, folded from the log: a known key costs one hash and one look-up. The look-up is by the key's
 * SHA-256, so how long it takes tells nothing about a key that is not known already.
 */
@Injectable()
export class KeyDirectory extends Authenticator implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('Access');
  private readonly access = accessDecider.initialState();
  private byHash = new Map<string, Entry>();
  private revision = -1;
  private reading: Promise<void> | undefined;
  private next: Promise<void> | undefined;
  private lastAskedMs = -UNKNOWN_KEY_INTERVAL_MS;
  private timer: NodeJS.Timeout | undefined;
  private behind = false;

  constructor(
    private readonly store: EventStore,
    private readonly clock: Clock,
  ) {
    super();
  }

  /** Does not fail where the log cannot be read yet: keys are refused with 503 until it can. */
  async onModuleInit(): Promise<void> {
    await this.refreshQuietly();
    this.timer = setInterval(() => void this.refreshQuietly(), REFRESH_INTERVAL_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  authenticate(key: string): Actor | null | Promise<Actor | null> {
    const hash = hashOfKey(key);
    return this.living(hash) ?? this.afterRefresh(hash);
  }

  /** Reads what was added to the log. Throws where it cannot be read. */
  async refresh(): Promise<void> {
    // A read under way may have begun before what its caller knows was written.
    await this.reading?.catch(() => undefined);
    this.reading ??= this.readOn().finally(() => (this.reading = undefined));
    await this.reading;
  }

  private living(hash: string): Actor | null {
    const entry = this.byHash.get(hash);
    return entry && isLiving(entry.key, this.clock.now().toISOString()) ? entry.actor : null;
  }

  /** The key may have been made by another process a moment ago. */
  private async afterRefresh(hash: string): Promise<Actor | null> {
    if (this.byHash.has(hash)) return null;
    this.next ??= this.whenDue().finally(() => (this.next = undefined));
    await this.next;
    return this.living(hash);
  }

  private async whenDue(): Promise<void> {
    const waitMs = this.lastAskedMs + UNKNOWN_KEY_INTERVAL_MS - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    this.lastAskedMs = performance.now();
    await this.refresh();
  }

  private async refreshQuietly(): Promise<void> {
    try {
      await this.refresh();
      if (this.behind) this.logger.log('API keys can be read again.');
      this.behind = false;
    } catch (error) {
      if (!this.behind) this.logger.warn('API keys cannot be read from the log; those known stay valid.');
      if (!this.behind) this.logger.debug(error);
      this.behind = true;
    }
  }

  private async readOn(): Promise<void> {
    const before = this.revision;
    for await (const event of this.store.readStream(ACCESS_STREAM, this.revision + 1)) {
      accessDecider.evolve(this.access, event as RecordedEvent<AccessEvent>);
      this.revision = event.meta.revision;
    }
    if (this.revision === before) return;
    const entries = [...this.access.keys.values()]
      .filter(({ revokedAt }) => revokedAt === undefined)
      .map((key): [string, Entry] => [
        key.hash,
        { key, actor: { id: key.keyId, role: key.role, method: 'api-key' } },
      ]);
    this.byHash = new Map(entries);
  }
}

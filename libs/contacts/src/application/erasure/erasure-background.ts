import { Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import type { CommandContext } from '@app/kernel';
import { ErasureProcess } from './erasure-process';

/** Of which most wait, for read models and for a purge that they share. */
const AT_ONCE_MAX = 64;
const WAITING_MAX = 10_000;

/**
 * Carries erasures out behind the answers that started them. What it does not come to (too many at once, a store away, the
 * process killed) is left to the projector's automation.
 */
@Injectable()
export class ErasureBackground implements BeforeApplicationShutdown {
  private readonly logger = new Logger(ErasureBackground.name);
  private readonly waiting: (() => Promise<void>)[] = [];
  private readonly running = new Set<Promise<void>>();
  private stopping = false;

  constructor(private readonly process: ErasureProcess) {}

  start(contactId: string, cause: CommandContext): void {
    if (this.stopping || this.waiting.length >= WAITING_MAX) return;
    this.waiting.push(async () => {
      try {
        await this.process.proceed(contactId, cause);
      } catch (error) {
        this.logger.warn(`An erasure was left to the automation: ${(error as Error).name}.`);
      }
    });
    this.fill();
  }

  /** Finishes what is under way while the stores are still there. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    this.waiting.length = 0;
    await Promise.all(this.running);
  }

  private fill(): void {
    while (this.running.size < AT_ONCE_MAX) {
      const next = this.waiting.shift();
      if (next === undefined) return;
      const run = next().finally(() => {
        this.running.delete(run);
        this.fill();
      });
      this.running.add(run);
    }
  }
}

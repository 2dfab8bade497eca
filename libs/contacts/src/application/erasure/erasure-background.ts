import { Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import type { CommandContext } from '@app/kernel';
import { ErasureProcess } from './erasure-process';

/** Making unreachable is work; what comes after is mostly waiting, for a purge that many share. */
const UNREACHABLE_AT_ONCE = 16;
const COMPLETED_AT_ONCE = 256;
const WAITING_MAX = 10_000;

/**
 * Carries erasures out behind the answers that started them: first each becomes unreachable, which nobody waits behind a purge
 * for, then the rest. What it does not come to (too many at once, a store away, the process killed) is left to the projector's
 * automation.
 */
@Injectable()
export class ErasureBackground implements BeforeApplicationShutdown {
  private readonly logger = new Logger(ErasureBackground.name);
  private readonly unreachable = new Queue(UNREACHABLE_AT_ONCE);
  private readonly completed = new Queue(COMPLETED_AT_ONCE);

  constructor(private readonly process: ErasureProcess) {}

  start(contactId: string, cause: CommandContext): void {
    this.unreachable.add(() =>
      this.attempt(async () => {
        await this.process.proceed(contactId, cause, 'unreachable');
        this.completed.add(() => this.attempt(() => this.process.proceed(contactId, cause)));
      }),
    );
  }

  /** Finishes what is under way while the stores are still there. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all([this.unreachable.stop(), this.completed.stop()]);
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      // No message: one of a server may repeat what it was asked.
      const { constructor, code } = error as Error & { code?: unknown };
      const reason = code === undefined ? constructor.name : `${constructor.name} ${String(code)}`;
      this.logger.warn(`An erasure was left to the automation: ${reason}.`);
    }
  }
}

/** Runs tasks, so many at once, in the order they came. What comes when too many wait, or after it was stopped, is left. */
class Queue {
  private readonly waiting: (() => Promise<void>)[] = [];
  private readonly running = new Set<Promise<void>>();
  private stopped = false;

  constructor(private readonly atOnce: number) {}

  add(task: () => Promise<void>): void {
    if (this.stopped || this.waiting.length >= WAITING_MAX) return;
    this.waiting.push(task);
    this.fill();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.waiting.length = 0;
    await Promise.all(this.running);
  }

  private fill(): void {
    while (this.running.size < this.atOnce) {
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

import { randomUUID } from 'node:crypto';
import {
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { EventStore } from '@app/event-store';
import { Clock, type CommandContext } from '@app/kernel';
import { ReadGate } from '@app/read-store';
import { ErasureBackground } from '../application/erasure/erasure-background';
import { DueErasures } from './mongo.due-erasures';

const NAME = 'when-process-starts-then-take-up-erasures';
const ERASURES_MAX = 10_000;
/** Of about 5 s each, while the read models catch up; who needs longer leaves it to the automation. */
const WAITS_MAX = 60;
const COMMAND_TIME_MS = 10_000;

/**
 * Goes on, as soon as the api starts, with erasures that a process has left unfinished, by a crash at that. Where another one
 * is at work on them after all, no harm is done.
 */
@Injectable()
export class ErasureTakeUp implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(ErasureTakeUp.name);
  private stopping = false;

  constructor(
    private readonly due: DueErasures,
    private readonly background: ErasureBackground,
    private readonly events: EventStore,
    private readonly gate: ReadGate,
    private readonly clock: Clock,
  ) {}

  /** The start of the process does not wait for it. */
  onApplicationBootstrap(): void {
    void this.takeUp().catch((error: unknown) =>
      this.logger.warn(`Unfinished erasures were left to the automation: ${(error as Error).name}.`),
    );
  }

  beforeApplicationShutdown(): void {
    this.stopping = true;
  }

  private async takeUp(): Promise<void> {
    const head = (await this.events.head()) ?? undefined;
    for (let waits = 1; !(await this.isShown(head, waits)); waits += 1) if (this.stopping) return;
    const now = this.clock.now();
    const context = contextAt(now);
    for (const contactId of await this.due.contactIds(now.toISOString(), ERASURES_MAX)) {
      this.background.start(contactId, context);
    }
  }

  /** Whether the read models know of every erasure that was there when the process started. */
  private async isShown(head: bigint | undefined, waits: number): Promise<boolean> {
    try {
      await this.gate.wait(head);
      return true;
    } catch (error) {
      if (waits >= WAITS_MAX) throw error;
      return false;
    }
  }
}

const contextAt = (now: Date): CommandContext => ({
  commandId: randomUUID(),
  repeatable: false,
  actor: { id: NAME, role: 'system', method: 'internal' },
  command: { name: NAME, action: 'erasure.step' },
  correlationId: randomUUID(),
  now: now.toISOString(),
  deadlineMs: now.getTime() + COMMAND_TIME_MS,
});

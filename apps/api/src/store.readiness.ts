import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { EventStore } from '@app/event-store';
import { Readiness, type ReadinessReport } from '@app/http';
import { StoredKeyRing } from '@app/personal-data';
import { ReadGate } from '@app/read-store';

const PATIENCE_MS = 1_000;

/** Whether both stores and the key ring answer, and how far the read models are behind. */
@Injectable()
export class StoreReadiness extends Readiness {
  constructor(
    private readonly events: EventStore,
    private readonly reads: ReadGate,
    private readonly keyRing: StoredKeyRing,
  ) {
    super();
  }

  async report(): Promise<ReadinessReport> {
    const [head, position, hasKeys] = await Promise.all([
      inTime(async () => (await this.events.head()) ?? 0n),
      inTime(() => this.reads.position()),
      inTime(() => this.keyRing.isAvailable()),
    ]);
    return {
      ready: head !== null && position !== null && hasKeys === true,
      parts: {
        eventStore: head === null ? 'down' : 'up',
        readStore: position === null ? 'down' : 'up',
        keyRing: hasKeys === true ? 'up' : 'down',
      },
      lag: head === null || position === null ? null : lagOf(head, position).toString(),
    };
  }

  /** In positions of the log; 0 when everything was folded. Throws where a store does not answer. */
  async lag(): Promise<number> {
    const { lag } = await this.report();
    if (lag === null) throw new Error('A store does not answer.');
    return Number(lag);
  }
}

const lagOf = (head: bigint, position: bigint): bigint => (head > position ? head - position : 0n);

const inTime = <T>(ask: () => Promise<T>): Promise<T | null> =>
  Promise.race([ask().catch(() => null), sleep(PATIENCE_MS, null, { ref: false })]);

import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { StoreCount, StorePurge } from '../../domain/contact.events';

/**
 * A store beside the event log that holds values of contacts in the clear. The event log itself needs none: what is personal in
 * it is sealed, and is gone with its key.
 */
export abstract class ErasurePurger {
  /** As receipts name it. */
  abstract readonly store: string;

  /** How many records of the contact hold something personal. */
  abstract held(contactId: string): Promise<number>;

  /**
   * Removes what is left of contacts whose records are gone or stripped already, down to the bytes. Doing it again is
   * harmless. Answers what it cannot overwrite, and until when that is there; nothing where no byte is left.
   */
  abstract purge(contactIds: readonly string[]): Promise<string | undefined>;
}

export abstract class ErasurePurge {
  abstract held(contactId: string): Promise<readonly StoreCount[]>;
  /** `held`: what there was before. Throws what a purger throws. */
  abstract purge(contactId: string, held: readonly StoreCount[]): Promise<readonly StorePurge[]>;
}

/** How long erasures wait for one another: compacting a store costs the same for one as for a thousand. */
const GATHER_MS = 1_000;

type Run = {
  readonly contactIds: Set<string>;
  readonly done: Promise<ReadonlyMap<string, string | undefined>>;
};

/** Purges all stores, once for all erasures that ask for it in the same second or while a purge is under way. */
@Injectable()
export class CoalescedPurge extends ErasurePurge {
  private gathering: Run | undefined;
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly purgers: readonly ErasurePurger[],
    private readonly gatherMs = GATHER_MS,
  ) {
    super();
  }

  async held(contactId: string): Promise<readonly StoreCount[]> {
    const counts: StoreCount[] = [];
    for (const purger of this.purgers) {
      counts.push({ store: purger.store, records: await purger.held(contactId) });
    }
    return counts;
  }

  async purge(contactId: string, held: readonly StoreCount[]): Promise<readonly StorePurge[]> {
    this.gathering ??= this.gather();
    this.gathering.contactIds.add(contactId);
    const remains = await this.gathering.done;
    const after = await this.held(contactId);
    return after.map(({ store, records }) => {
      const left = remains.get(store);
      return {
        store,
        before: held.find((before) => before.store === store)?.records ?? 0,
        after: records,
        ...(left !== undefined && { remains: left }),
      };
    });
  }

  private gather(): Run {
    const contactIds = new Set<string>();
    const done = Promise.all([this.last.catch(() => undefined), sleep(this.gatherMs)]).then(async () => {
      // Whoever comes from now on is in the next run: this one may have passed what theirs left behind.
      this.gathering = undefined;
      const remains = new Map<string, string | undefined>();
      for (const purger of this.purgers) remains.set(purger.store, await purger.purge([...contactIds]));
      return remains;
    });
    this.last = done;
    return { contactIds, done };
  }
}

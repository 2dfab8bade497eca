import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { contactsProjection } from '@app/contacts';
import { available, collectionOf, READ_DB } from '@app/read-store';
import type { Collection, Db } from 'mongodb';

type FillDocument = { _id: string; filledAt: string };

/** Contacts that are built anew are filled anew. */
const FILL = collectionOf(contactsProjection);

const POLL_MS = 20;

/**
 * How far definitions are applied to all contacts: a segment whose definition changed further on is still being filled, and
 * is shown as it was before.
 */
@Injectable()
export class FillState {
  private readonly fills: Collection<FillDocument>;

  constructor(@Inject(READ_DB) db: Db) {
    this.fills = db.collection('segment_fills');
  }

  /** Changes of definitions at or below this position are applied to every contact; -1: none. */
  async filledAt(): Promise<bigint> {
    const fill = await available(() => this.fills.findOne({ _id: FILL }));
    return BigInt(fill?.filledAt ?? '-1');
  }

  async isFilling(changePosition: bigint): Promise<boolean> {
    return changePosition > (await this.filledAt());
  }

  /** Whether changes up to a position are applied to everybody before the deadline. */
  async untilFilled(position: bigint, deadlineMs: number): Promise<boolean> {
    for (;;) {
      if (!(await this.isFilling(position))) return true;
      if (Date.now() + POLL_MS > deadlineMs) return false;
      await sleep(POLL_MS);
    }
  }

  /** Says that all changes up to a position are applied to everybody; -1, where contacts are built anew: none. */
  async set(position: bigint): Promise<void> {
    await available(() =>
      this.fills.updateOne({ _id: FILL }, { $set: { filledAt: String(position) } }, { upsert: true }),
    );
  }
}

import { randomUUID } from 'node:crypto';
import { available, isDuplicateKey } from './mongo.read-store';
import type { Collection, Db } from 'mongodb';

type LeaseDocument = { _id: string; holder: string; until: number; token: number };

/**
 * Says which of several processes does a work, for some time. A process that was stopped in the meantime still believes that
 * it holds it, so the work itself must refuse who is late: by the token, which grows with every holder, or otherwise.
 */
export class Lease {
  private readonly holder = randomUUID();

  constructor(
    private readonly db: Db,
    private readonly name: string,
    private readonly timeMs: number,
  ) {}

  /** Takes or keeps the lease until `timeMs` from now. Null: another process holds it. */
  async take(nowMs: number): Promise<number | null> {
    const { name: _id, holder } = this;
    const until = nowMs + this.timeMs;
    const kept = await available(() =>
      this.leases().findOneAndUpdate({ _id, holder }, { $set: { until } }, { returnDocument: 'after' }),
    );
    if (kept) return kept.token;
    try {
      const taken = await available(() =>
        this.leases().findOneAndUpdate(
          { _id, until: { $lt: nowMs } },
          { $set: { holder, until }, $inc: { token: 1 } },
          { upsert: true, returnDocument: 'after' },
        ),
      );
      return taken?.token ?? null;
    } catch (error) {
      if (isDuplicateKey(error)) return null;
      throw error;
    }
  }

  /** Where the leases were lost, and with them how far the tokens were. Null: another process holds it. */
  async raise(token: number): Promise<number | null> {
    const { name: _id, holder } = this;
    const raised = await available(() =>
      this.leases().findOneAndUpdate({ _id, holder }, { $max: { token } }, { returnDocument: 'after' }),
    );
    return raised?.token ?? null;
  }

  /** Lets another process take over at once. */
  async release(): Promise<void> {
    const { name: _id, holder } = this;
    await available(() => this.leases().updateOne({ _id, holder }, { $set: { until: 0, holder: '' } }));
  }

  private leases(): Collection<LeaseDocument> {
    return this.db.collection<LeaseDocument>('leases');
  }
}

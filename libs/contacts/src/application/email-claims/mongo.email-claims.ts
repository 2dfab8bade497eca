import { Inject, Injectable } from '@nestjs/common';
import { available, isDuplicateKey, READ_DB } from '@app/read-store';
import type { Collection, Db, WriteConcernSettings } from 'mongodb';
import type { EmailClaimDocument, PendingEmailClaimDocument } from './email-claim.document';
import { EmailClaims, type PendingClaim } from './email-claims.port';

const DURABLE: { writeConcern: WriteConcernSettings } = { writeConcern: { w: 'majority', j: true } };
const QUERY_TIME_MAX_MS = 10_000;

/** Throws ReadStoreUnavailableError where the same again may succeed. */
@Injectable()
export class MongoEmailClaims extends EmailClaims {
  private readonly claims: Collection<PendingEmailClaimDocument>;
  private readonly held: Collection<EmailClaimDocument>;
  private indexed: Promise<unknown> | undefined;

  constructor(@Inject(READ_DB) db: Db) {
    super();
    this.claims = db.collection('pending_email_claims');
    this.held = db.collection('email_claims_v1');
  }

  async insert({ hash, ...claim }: PendingClaim): Promise<boolean> {
    try {
      await available(() => this.claims.insertOne({ _id: hash, ...claim }, DURABLE));
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  async pending(hash: string): Promise<PendingClaim | null> {
    const found = await available(() => this.claims.findOne({ _id: hash }, { maxTimeMS: QUERY_TIME_MAX_MS }));
    return found && asClaim(found);
  }

  async share({ hash, claimId }: PendingClaim, deadline: Date): Promise<boolean> {
    const change = { $set: { shared: true }, $max: { deadline } };
    const { matchedCount } = await available(() =>
      this.claims.updateOne({ _id: hash, claimId }, change, DURABLE),
    );
    return matchedCount === 1;
  }

  async drop(
    { hash, claimId }: Pick<PendingClaim, 'hash' | 'claimId'>,
    options?: Readonly<{ unlessShared: boolean }>,
  ): Promise<void> {
    // Not waiting for the disk: a claim that comes back is settled once more.
    const unshared = options?.unlessShared ? { shared: false } : {};
    await available(() => this.claims.deleteOne({ _id: hash, claimId, ...unshared }));
  }

  async postpone({ hash, claimId }: PendingClaim, deadline: Date): Promise<void> {
    await available(() => this.claims.updateOne({ _id: hash, claimId }, { $max: { deadline } }));
  }

  async overdue(now: Date, limit: number): Promise<readonly PendingClaim[]> {
    this.indexed ??= available(() => this.claims.createIndex({ deadline: 1 })).catch((error: unknown) => {
      this.indexed = undefined;
      throw error;
    });
    await this.indexed;
    const options = { sort: { deadline: 1 }, limit, maxTimeMS: QUERY_TIME_MAX_MS } as const;
    const found = await available(() => this.claims.find({ deadline: { $lte: now } }, options).toArray());
    return found.map(asClaim);
  }

  async holders(
    hashes: readonly string[],
  ): Promise<ReadonlyMap<string, Readonly<{ contactId: string; claimId: string | null }>>> {
    const options = { maxTimeMS: QUERY_TIME_MAX_MS };
    const found = await available(() => this.held.find({ _id: { $in: [...hashes] } }, options).toArray());
    // A document without contact stands for a hash that is free again.
    return new Map(
      found
        .filter(({ contactId }) => contactId)
        .map(({ _id, contactId, claimId }) => [_id, { contactId, claimId }]),
    );
  }
}

const asClaim = ({
  _id: hash,
  contactId,
  claimId,
  deadline,
  shared,
}: PendingEmailClaimDocument): PendingClaim => ({
  hash,
  contactId,
  claimId,
  deadline,
  shared,
});

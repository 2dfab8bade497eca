import { Inject, Injectable } from '@nestjs/common';
import { available, collectionOf, READ_DB } from '@app/read-store';
import type { Db } from 'mongodb';
import { EmailHash } from '../../application/email-claims/email-hash';
import { SuppressionTokens } from '../../application/erasure/suppression-tokens';
import { suppressionsProjection } from './suppressions.projection';

const QUERY_TIME_MAX_MS = 10_000;

/**
 * For whom nothing is to be imported and whom nobody is to invite, since they were erased. Whoever registers by their own doing
 * is not kept from it, and gets a new id without any link to the old one.
 */
@Injectable()
export class Suppressions {
  constructor(
    private readonly tokens: SuppressionTokens,
    private readonly emailHash: EmailHash,
    @Inject(READ_DB) private readonly db: Db,
  ) {}

  /** By the read model, which may be behind by a moment. */
  async isSuppressed(email: string): Promise<boolean> {
    const suppressions = this.db.collection<{ _id: string }>(collectionOf(suppressionsProjection));
    const token = { _id: this.tokens.of(this.emailHash.of(email)) };
    const options = { projection: { _id: 1 }, maxTimeMS: QUERY_TIME_MAX_MS };
    return available(async () => (await suppressions.findOne(token, options)) !== null);
  }
}

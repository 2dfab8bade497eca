import { Inject, Injectable } from '@nestjs/common';
import { available, collectionOf, READ_DB } from '@app/read-store';
import type { Db } from 'mongodb';
import { EmailHash } from '../../application/email-claims/email-hash';
import { SuppressionTokens } from '../../application/erasure/suppression-tokens';
import { suppressionsProjection } from './suppressions.projection';

const QUERY_TIME_MAX_MS = 10_000;

/** How somebody is reached, as it is written. */
export type Reached = Readonly<{ email?: string | undefined; phone?: string | undefined }>;

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

  /** Whether anybody was erased who had this e-mail, or this phone number. By the read model, which may be behind by a moment. */
  async isSuppressed({ email, phone }: Reached): Promise<boolean> {
    const tokens = [
      ...(email === undefined ? [] : [this.tokens.ofEmail(this.emailHash.of(email))]),
      ...(phone === undefined ? [] : [this.tokens.ofPhone(phone)]),
    ];
    const suppressions = this.db.collection<{ _id: string }>(collectionOf(suppressionsProjection));
    const options = { projection: { _id: 1 }, maxTimeMS: QUERY_TIME_MAX_MS };
    return available(async () => (await suppressions.findOne({ _id: { $in: tokens } }, options)) !== null);
  }
}

import { createHmac } from 'node:crypto';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { Secrets } from '@app/personal-data';
import { available, collectionOf, READ_DB } from '@app/read-store';
import type { Db } from 'mongodb';
import { suppressionsProjection } from '../../read-models';
import { EmailHash } from '../email-claims/email-hash';

const QUERY_TIME_MAX_MS = 10_000;

/** Whether erasures leave a token behind; on unless set. */
export abstract class SuppressionSetting {
  abstract readonly enabled: boolean;
}

/**
 * Remembers, by keyed hash, whom nothing is to be imported for and nobody is to invite, since they were erased. Whoever
 * registers by their own doing is not kept from it, and gets a new id without any link to the old one.
 */
@Injectable()
export class Suppressions {
  private readonly key: Buffer;
  readonly enabled: boolean;

  constructor(
    secrets: Secrets,
    private readonly emailHash: EmailHash,
    @Inject(READ_DB) private readonly db: Db,
    @Optional() setting?: SuppressionSetting,
  ) {
    this.key = secrets.derive('suppression');
    this.enabled = setting?.enabled ?? true;
  }

  /** HMAC-SHA256, under a key of its own, of the keyed hash of an e-mail; base64url. */
  tokenOf(emailHash: string): string {
    return createHmac('sha256', this.key).update(emailHash).digest('base64url');
  }

  /** For imports and invitations, by the read model, which may be behind by a moment. */
  async isSuppressed(email: string): Promise<boolean> {
    const tokens = this.db.collection<{ _id: string }>(collectionOf(suppressionsProjection));
    const token = { _id: this.tokenOf(this.emailHash.of(email)) };
    const options = { projection: { _id: 1 }, maxTimeMS: QUERY_TIME_MAX_MS };
    return available(async () => (await tokens.findOne(token, options)) !== null);
  }
}

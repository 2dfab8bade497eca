import { createHmac } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Secrets } from '@app/personal-data';

/** Turns an e-mail into what it is known by outside sealed fields. */
@Injectable()
export class EmailHash {
  private readonly key: Buffer;

  constructor(secrets: Secrets) {
    this.key = secrets.derive('email-claim');
  }

  /** HMAC-SHA256 of the e-mail as NFKC in lower case, base64url: the same for every way of writing it. */
  of(email: string): string {
    return createHmac('sha256', this.key).update(email.normalize('NFKC').toLowerCase()).digest('base64url');
  }
}

import { createHmac } from 'node:crypto';
import { Injectable, Optional } from '@nestjs/common';
import { Secrets } from '@app/personal-data';
import { phoneDigits } from '../../phone-digits';

/** Whether erasures leave a token behind; on unless set. */
export abstract class SuppressionSetting {
  abstract readonly enabled: boolean;
}

/** What an erased person is known by to imports and invitations, which leave them alone. */
@Injectable()
export class SuppressionTokens {
  private readonly key: Buffer;
  readonly enabled: boolean;

  constructor(secrets: Secrets, @Optional() setting?: SuppressionSetting) {
    this.key = secrets.derive('suppression');
    this.enabled = setting?.enabled ?? true;
  }

  /** HMAC-SHA256, under a key of its own, of the keyed hash of an e-mail; base64url. */
  ofEmail(emailHash: string): string {
    return this.tokenOf(emailHash);
  }

  /** The same of the digits of a phone number: alike for every way of writing it, but with and without country code. */
  ofPhone(phone: string): string {
    return this.tokenOf(`phone:${phoneDigits(phone)}`);
  }

  private tokenOf(text: string): string {
    return createHmac('sha256', this.key).update(text).digest('base64url');
  }
}

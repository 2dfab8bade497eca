import { createHmac } from 'node:crypto';
import { Injectable, Optional } from '@nestjs/common';
import { Secrets } from '@app/personal-data';

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
  of(emailHash: string): string {
    return createHmac('sha256', this.key).update(emailHash).digest('base64url');
  }
}

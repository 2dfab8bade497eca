import { createHmac } from 'node:crypto';
import type { Secrets } from '@app/personal-data';
import { canonicalJson } from './canonical-json';

const MAC_SIZE = 16;

/** Tells equal payloads from others without keeping them: HMAC-SHA256 over canonical JSON, 16 bytes, base64url. */
export class PayloadMac {
  private readonly key: Buffer;

  constructor(secrets: Secrets) {
    this.key = secrets.derive('payload-mac');
  }

  of(payload: object): string {
    return createHmac('sha256', this.key)
      .update(canonicalJson(payload))
      .digest()
      .toString('base64url', 0, MAC_SIZE);
  }
}

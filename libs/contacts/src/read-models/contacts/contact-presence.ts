import { Injectable } from '@nestjs/common';
import { ReadGate } from '@app/read-store';
import { ContactGoneError } from '../../visibility';
import { ContactNotFoundError } from './contact-not-found.error';
import { ContactReads } from './mongo.contact-reads';

/** For what other contexts show of a contact. */
@Injectable()
export class ContactPresence {
  constructor(
    private readonly contacts: ContactReads,
    private readonly gate: ReadGate,
  ) {}

  /**
   * As of `minPosition` or later. Throws ContactNotFoundError, ContactGoneError from the moment on that its erasure has begun,
   * and ReadBehindError.
   */
  async check(contactId: string, minPosition?: bigint): Promise<void> {
    await this.gate.wait(minPosition);
    const standing = await this.contacts.standing(contactId);
    if (standing === null) throw new ContactNotFoundError();
    if (standing.erasure !== undefined) throw new ContactGoneError();
  }
}

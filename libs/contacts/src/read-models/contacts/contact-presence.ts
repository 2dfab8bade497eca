import { Injectable } from '@nestjs/common';
import { ContactGoneError } from '../../visibility';
import { ContactNotFoundError } from './contact-not-found.error';
import { ContactReads } from './mongo.contact-reads';

/** For what other contexts show of a contact. */
@Injectable()
export class ContactPresence {
  constructor(private readonly contacts: ContactReads) {}

  /** Throws ContactNotFoundError, and ContactGoneError from the moment on that its erasure has begun. */
  async check(contactId: string): Promise<void> {
    const standing = await this.contacts.standing(contactId);
    if (standing === null) throw new ContactNotFoundError();
    if (standing.erasure !== undefined) throw new ContactGoneError();
  }
}

import { Injectable } from '@nestjs/common';
import { ReadGate } from '@app/read-store';
import { checkVisible, ContactGoneError, type Reader } from '../../visibility';
import { ContactNotFoundError } from './contact-not-found.error';
import { checkShown } from './contact-visibility';
import { ContactReads } from './mongo.contact-reads';

/** For what is shown of a contact beside its document. */
@Injectable()
export class ContactPresence {
  constructor(
    private readonly contacts: ContactReads,
    private readonly gate: ReadGate,
  ) {}

  /**
   * For what the privacy log says of one contact, which auditors may read of everybody. As of `minPosition` or later. Throws
   * ContactNotFoundError, ContactGoneError from the moment on that its erasure has begun, ProcessingRestrictedError and
   * ReadBehindError.
   */
  async checkLog(contactId: string, reader: Reader, minPosition?: bigint): Promise<void> {
    await this.gate.wait(minPosition);
    const standing = await this.contacts.standing(contactId);
    if (standing === null) throw new ContactNotFoundError();
    if (reader !== 'auditor') checkShown(standing, reader);
    else if (standing.erasure !== undefined) throw new ContactGoneError();
  }

  /**
   * For what is shown of one contact to somebody, by read models that have been waited for. Throws ContactNotFoundError and
   * what checkVisible throws.
   */
  async checkShown(contactId: string, reader: Reader): Promise<void> {
    const standing = await this.contacts.standing(contactId);
    if (standing === null) throw new ContactNotFoundError();
    checkShown(standing, reader);
  }

  /**
   * For feeds that are narrowed to a contact: they show the figures of one that was erased, too, and nothing of one that
   * nobody knows. Throws ProcessingRestrictedError.
   */
  async checkFeed(contactId: string | undefined, reader: Reader): Promise<void> {
    const standing = contactId === undefined ? null : await this.contacts.standing(contactId);
    if (standing !== null)
      checkVisible({ isErased: false, isRestricted: standing.processingRestricted === true }, reader);
  }
}

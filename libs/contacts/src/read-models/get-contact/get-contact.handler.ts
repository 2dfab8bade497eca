import { ReadGate } from '@app/read-store';
import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { contactDetails } from '../contacts/contact-details';
import { ContactNotFoundError } from '../contacts/contact-not-found.error';
import { checkShown } from '../contacts/contact-visibility';
import { ContactReads } from '../contacts/mongo.contact-reads';
import { GetContactQuery, type ContactAnswer } from './get-contact.query';

@QueryHandler(GetContactQuery)
export class GetContactHandler implements IQueryHandler<GetContactQuery> {
  constructor(
    private readonly contacts: ContactReads,
    private readonly gate: ReadGate,
  ) {}

  /** Throws ContactNotFoundError and what checkVisible throws. */
  async execute({ contactId, reader, minPosition }: GetContactQuery): Promise<ContactAnswer> {
    const asOfPosition = await this.gate.wait(minPosition);
    const contact = await this.contacts.find(contactId);
    if (contact === null) throw new ContactNotFoundError();
    checkShown(contact, reader);
    return { ...contactDetails(contact), asOfPosition: asOfPosition.toString() };
  }
}

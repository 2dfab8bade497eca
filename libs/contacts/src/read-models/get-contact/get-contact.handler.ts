import { ReadGate } from '@app/read-store';
import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { contactDetails } from '../contacts/contact-details';
import { ContactNotFoundError } from '../contacts/contact-not-found.error';
import { checkShown } from '../contacts/contact-visibility';
import { ContactReads } from '../contacts/mongo.contact-reads';
import { RuleMatcher } from '../list-contacts/rule-matcher.port';
import { GetContactQuery, type ContactAnswer } from './get-contact.query';

@QueryHandler(GetContactQuery)
export class GetContactHandler implements IQueryHandler<GetContactQuery> {
  constructor(
    private readonly contacts: ContactReads,
    private readonly gate: ReadGate,
    private readonly rules: RuleMatcher,
  ) {}

  /** Throws ContactNotFoundError and what checkVisible throws. */
  async execute({ contactId, reader, minPosition }: GetContactQuery): Promise<ContactAnswer> {
    const asOfPosition = await this.gate.wait(minPosition);
    const found = await this.rules.whileFilling(async (filling) => {
      const contact = await this.contacts.find(contactId);
      return contact === null ? [] : filling.asBefore([contact]);
    });
    const [contact] = found;
    if (contact === undefined) throw new ContactNotFoundError();
    checkShown(contact, reader);
    return { ...contactDetails(contact), asOfPosition: asOfPosition.toString() };
  }
}

import { Query } from '@nestjs/cqrs';
import type { ContactDetails } from '../contacts/contact-details';
import type { Reader } from '../../visibility';

export type ContactAnswer = ContactDetails & Readonly<{ asOfPosition: string }>;

/** Everything current about one contact. */
export class GetContactQuery extends Query<ContactAnswer> {
  constructor(
    readonly contactId: string,
    readonly reader: Reader,
    readonly minPosition?: bigint,
  ) {
    super();
  }
}

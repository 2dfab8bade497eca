import { ReadGate } from '@app/read-store';
import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { ContactNotFoundError } from '../contacts/contact-not-found.error';
import { checkShown } from '../contacts/contact-visibility';
import { ContactReads } from '../contacts/mongo.contact-reads';
import { ListContactDevicesQuery, type DevicePage } from './list-contact-devices.query';

@QueryHandler(ListContactDevicesQuery)
export class ListContactDevicesHandler implements IQueryHandler<ListContactDevicesQuery> {
  constructor(
    private readonly contacts: ContactReads,
    private readonly gate: ReadGate,
  ) {}

  /** Throws ContactNotFoundError and what checkVisible throws. */
  async execute({ contactId, reader, minPosition }: ListContactDevicesQuery): Promise<DevicePage> {
    const asOfPosition = await this.gate.wait(minPosition);
    const contact = await this.contacts.find(contactId);
    if (contact === null) throw new ContactNotFoundError();
    checkShown(contact, reader);
    // They are kept in the order in which they were registered.
    return { items: contact.devices.toReversed(), nextCursor: null, asOfPosition: asOfPosition.toString() };
  }
}

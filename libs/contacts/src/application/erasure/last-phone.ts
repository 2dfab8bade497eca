import type { RecordedEvent } from '@app/kernel';
import type { ContactEvent, ProfilePatch } from '../../domain/contact.events';

/** The phone number that a contact had last, by its whole stream; null: none, or it does not open any more. */
export const lastPhoneOf = async (stream: AsyncIterable<RecordedEvent>): Promise<string | null> => {
  let phone: string | null = null;
  for await (const { type, data } of stream as AsyncIterable<RecordedEvent<ContactEvent>>) {
    if (type !== 'contacts.ContactRegistered.v1' && type !== 'contacts.ContactDetailsChanged.v1') continue;
    const said = (data.profile as ProfilePatch | null)?.phone;
    if (said !== undefined) phone = said as string | null;
  }
  return phone;
};

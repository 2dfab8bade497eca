import type { RecordedEvent } from '@app/kernel';
import { lastPhoneOf } from './last-phone';

/** A stream of registrations and changes that say this of the profile. */
async function* streamOf(...profiles: readonly (object | null)[]): AsyncGenerator<RecordedEvent> {
  for (const [index, profile] of profiles.entries()) {
    const type = index === 0 ? 'contacts.ContactRegistered.v1' : 'contacts.ContactDetailsChanged.v1';
    yield { type, data: { profile } } as unknown as RecordedEvent;
    yield { type: 'contacts.CheckedIn.v1', data: {} } as unknown as RecordedEvent;
  }
}

describe('the last phone number of a contact', () => {
  it.each([
    ['is the one it was registered with', [{ phone: '+431' }, { firstName: 'A' }], '+431'],
    ['is the one it was changed to', [{ phone: '+431' }, { phone: '+432' }], '+432'],
    ['is none once it was removed', [{ phone: '+431' }, { phone: null }], null],
    ['is none where nothing opens', [null, null], null],
    ['is none of somebody without', [{}], null],
  ])('%s', async (_, profiles, phone) => expect(await lastPhoneOf(streamOf(...profiles))).toBe(phone));
});

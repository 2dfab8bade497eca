import type { Decision } from '@app/kernel';
import { CONSENT_PURPOSES_MAX, TooManyPurposesError } from './contact.errors';
import type { Channel, ContactEvent } from './contact.events';
import { ALL_CHANNELS, type ActiveContact, type Contact } from './contact.state';
import { living, type OnContact } from './decision-basics';
import { optionalFields } from './optional-fields';

export type ConsentChoice = Readonly<{
  purpose: string;
  granted: boolean;
  /** Absent: all channels. */
  channel?: Channel | undefined;
  wordingVersion?: string | undefined;
  source: string;
}>;

export type SetConsent = OnContact & Readonly<{ type: 'SetConsent'; choice: ConsentChoice }>;

export const decideSetConsent = (
  { contactId, now, choice }: SetConsent,
  contact: Contact,
): Decision<ContactEvent, { purpose: string; granted: boolean }> => ({
  events: decideConsents(contactId, now, [choice], living(contact)),
  answer: { purpose: choice.purpose, granted: choice.granted },
});

/** A choice that repeats the last one word by word is not recorded again; another wording or source is evidence, so it is. */
export const decideConsents = (
  contactId: string,
  occurredAt: string,
  choices: readonly ConsentChoice[],
  contact: ActiveContact,
): readonly ContactEvent[] => {
  const purposes = new Set([...contact.consents.keys(), ...choices.map(({ purpose }) => purpose)]);
  if (purposes.size > CONSENT_PURPOSES_MAX) throw new TooManyPurposesError();
  return choices
    .filter((choice) => !repeats(choice, contact))
    .map(({ granted, purpose, channel, wordingVersion, source }) => ({
      type: granted ? 'contacts.ConsentGranted.v1' : 'contacts.ConsentWithdrawn.v1',
      data: { contactId, occurredAt, purpose, source, ...optionalFields({ channel, wordingVersion }) },
    }));
};

const repeats = (choice: ConsentChoice, contact: ActiveContact): boolean => {
  const said = contact.consents.get(choice.purpose);
  const last = said?.get(choice.channel ?? ALL_CHANNELS);
  // Saying it for all channels again takes back what was said for single ones since.
  const overrides = choice.channel === undefined && (said?.size ?? 0) > 1;
  return (
    last !== undefined &&
    !overrides &&
    last.granted === choice.granted &&
    last.wordingVersion === choice.wordingVersion &&
    last.source === choice.source
  );
};

/** What was said for the channel itself goes before what was said for all. */
export const hasConsent = (contact: ActiveContact, purpose: string, channel: Channel): boolean => {
  const said = contact.consents.get(purpose);
  return (said?.get(channel) ?? said?.get(ALL_CHANNELS))?.granted ?? false;
};

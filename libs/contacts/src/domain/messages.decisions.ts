import type { Decision } from '@app/kernel';
import { automatedBy, isDone, type AutomationRun } from './automations.decisions';
import { hasConsent } from './consents.decisions';
import { NoConsentError, UnreachableError } from './contact.errors';
import type { Channel, ContactEvent, MessageContent } from './contact.events';
import type { ActiveContact, Contact } from './contact.state';
import { registered, type OnContact } from './decision-basics';
import { optionalFields } from './optional-fields';

export type SendMessage = OnContact &
  Readonly<{
    type: 'SendMessage';
    messageId: string;
    channel: Channel;
    purpose: string;
    templateId?: string | undefined;
    content: MessageContent;
    automation?: AutomationRun | undefined;
  }>;

/** Messages that the service itself calls for (a receipt, a changed opening hour) need no consent. */
export const SERVICE_PURPOSE = 'service';

export const decideSendMessage = (
  command: SendMessage,
  contact: Contact,
): Decision<ContactEvent, { messageId: string; channel: Channel }> => {
  const active = registered(contact);
  const { contactId, now, messageId, channel, purpose, templateId, content, automation: run } = command;
  if (run !== undefined && isDone(run, active)) return { events: [], answer: { messageId, channel } };
  const automation = run && automatedBy(run, active);
  if (purpose !== SERVICE_PURPOSE && !hasConsent(active, purpose, channel)) {
    throw new NoConsentError(purpose, channel);
  }
  if (channel !== 'inbox' && !canReach(active, channel)) throw new UnreachableError(channel);
  return {
    events: [
      {
        type: 'contacts.MessageSent.v1',
        data: {
          contactId,
          occurredAt: now,
          messageId,
          channel,
          purpose,
          content,
          ...optionalFields({ templateId, automation }),
        },
      },
    ],
    answer: { messageId, channel },
  };
};

const canReach = (contact: ActiveContact, channel: Exclude<Channel, 'inbox'>): boolean => {
  switch (channel) {
    case 'email':
      return contact.emailClaim !== null;
    case 'sms':
      return contact.hasPhone;
    case 'push':
      return [...contact.devices.values()].some((pushable) => pushable);
  }
};

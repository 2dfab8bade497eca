import { CONTACT_ID, NOW, decisionsOf, facts } from '@app/testing';
import type { ConsentChoice } from './consents.decisions';
import { contactDecider } from './contact.decider';
import type { ContactEvent } from './contact.events';
import type { SendMessage } from './messages.decisions';

const { given } = decisionsOf(contactDecider);
const of = { contactId: CONTACT_ID, now: NOW };
const consent = (choice: Partial<ConsentChoice>) =>
  ({
    type: 'SetConsent',
    ...of,
    choice: { purpose: 'news', granted: true, source: 'app', ...choice },
  }) as const;
const send = (fields: Partial<SendMessage> = {}): SendMessage => ({
  type: 'SendMessage',
  ...of,
  messageId: 'm1',
  channel: 'inbox',
  purpose: 'news',
  content: { body: 'Hello' },
  ...fields,
});
const device = (pushable: boolean): ContactEvent => ({
  type: 'contacts.DeviceRegistered.v1',
  data: { contactId: CONTACT_ID, occurredAt: NOW, deviceId: 'd1', platform: 'ios', pushable, device: {} },
});
const registered = facts.registered();

describe('a consent', () => {
  it('is recorded when given and when withdrawn', () => {
    given(registered)
      .when(consent({ channel: 'email' }))
      .then(facts.consented(true, { channel: 'email' }));
    given(registered)
      .when(consent({ granted: false }))
      .then(facts.consented(false));
  });
  it('is not recorded twice', () => given(registered, facts.consented(true)).when(consent({})).thenNothing());
  it('is recorded again with another wording or from another source', () => {
    given(registered, facts.consented(true))
      .when(consent({ wordingVersion: '2' }))
      .then(facts.consented(true, { wordingVersion: '2' }));
    given(registered, facts.consented(true))
      .when(consent({ source: 'till' }))
      .then(facts.consented(true, { source: 'till' }));
  });
  it('for all channels is recorded again where one was taken back since', () =>
    given(registered, facts.consented(true), facts.consented(false, { channel: 'sms' }))
      .when(consent({}))
      .then(facts.consented(true)));
  it('is refused for an unknown contact', () => given().when(consent({})).thenRefused('contacts.not-found'));
  it('is refused for too many purposes', () => {
    const many = Array.from({ length: 100 }, (_, n) => facts.consented(true, { purpose: `p${n}` }));
    given(registered, ...many)
      .when(consent({}))
      .thenRefused('contacts.too-many-purposes', { max: 100 });
    given(registered, ...many)
      .when(consent({ purpose: 'p1', granted: false }))
      .thenAnswer({ granted: false });
  });
});

describe('a device', () => {
  const add = {
    type: 'RegisterDevice',
    ...of,
    deviceId: 'd1',
    platform: 'ios',
    device: { pushToken: 't' },
  } as const;
  const remove = { type: 'RemoveDevice', ...of, deviceId: 'd1' } as const;
  it('is recorded with what it can do', () =>
    given(registered)
      .when(add)
      .then({
        type: 'contacts.DeviceRegistered.v1',
        data: {
          contactId: CONTACT_ID,
          occurredAt: NOW,
          deviceId: 'd1',
          platform: 'ios',
          pushable: true,
          device: { pushToken: 't' },
        },
      }));
  it('can be removed once', () => {
    given(registered, device(true))
      .when(remove)
      .then({
        type: 'contacts.DeviceRemoved.v1',
        data: { contactId: CONTACT_ID, occurredAt: NOW, deviceId: 'd1' },
      });
    given(registered).when(remove).thenRefused('contacts.device-not-found');
  });
  it('is refused beyond fifty', () => {
    const many = Array.from({ length: 50 }, (_, n): ContactEvent => {
      const { type, data } = device(false) as Extract<ContactEvent, { type: 'contacts.DeviceRegistered.v1' }>;
      return { type, data: { ...data, deviceId: `d${n}` } };
    });
    given(registered, ...many)
      .when(add)
      .thenRefused('contacts.too-many-devices', { max: 50 });
  });
});

describe('a message', () => {
  it('is sent to the inbox with consent', () =>
    given(registered, facts.consented(true))
      .when(send())
      .then({
        type: 'contacts.MessageSent.v1',
        data: {
          contactId: CONTACT_ID,
          occurredAt: NOW,
          messageId: 'm1',
          channel: 'inbox',
          purpose: 'news',
          content: { body: 'Hello' },
        },
      }));
  it('needs no consent as a service message', () =>
    given(registered)
      .when(send({ purpose: 'service' }))
      .thenAnswer({ messageId: 'm1' }));
  it('is refused without consent for its purpose', () => {
    given(registered).when(send()).thenRefused('contacts.no-consent', { purpose: 'news', channel: 'inbox' });
    given(registered, facts.consented(true, { purpose: 'offers' }))
      .when(send())
      .thenRefused('contacts.no-consent');
  });
  it('follows what was said last, and of that what was said for its channel', () => {
    const yes = facts.consented(true);
    const not = facts.consented(false, { channel: 'inbox' });
    given(registered, yes, not).when(send()).thenRefused('contacts.no-consent');
    given(registered, not, yes).when(send()).thenAnswer({ messageId: 'm1' });
    given(registered, facts.consented(true, { channel: 'email' }))
      .when(send())
      .thenRefused('contacts.no-consent');
    given(registered, yes, facts.consented(false)).when(send()).thenRefused('contacts.no-consent');
  });
  it('is refused where the channel does not reach the contact', () => {
    const reach = (channel: SendMessage['channel']) => send({ channel, purpose: 'service' });
    given(registered).when(reach('email')).thenRefused('contacts.unreachable', { channel: 'email' });
    given(registered).when(reach('sms')).thenRefused('contacts.unreachable');
    given(registered, device(false)).when(reach('push')).thenRefused('contacts.unreachable');
    given(registered, device(true)).when(reach('push')).thenAnswer({ channel: 'push' });
    given(facts.registered({ profile: { phone: '1' } }))
      .when(reach('sms'))
      .thenAnswer({});
    given(facts.registered({ emailClaim: 'h', claimId: 'c' }))
      .when(reach('email'))
      .thenAnswer({});
  });
  it('is refused for an unknown contact', () => given().when(send()).thenRefused('contacts.not-found'));
});

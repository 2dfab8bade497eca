import { addMillis } from '@app/kernel';
import { CONTACT_ID, NOW, decisionsOf, facts } from '@app/testing';
import { contactDecider } from './contact.decider';
import type { RegisterContact } from './registration.decisions';

const { given } = decisionsOf(contactDecider);
const abandoned = {
  type: 'contacts.EmailClaimAbandoned.v1',
  data: { contactId: CONTACT_ID, occurredAt: NOW, claimId: 'claim-1' },
} as const;
const register = (fields: Partial<RegisterContact> = {}): RegisterContact => ({
  type: 'RegisterContact',
  contactId: CONTACT_ID,
  now: NOW,
  source: 'dashboard',
  profile: { firstName: 'Anna' },
  consents: [],
  ...fields,
});

describe('registering', () => {
  it('records the contact, at its own time', () =>
    given()
      .when(register({ registeredAt: '1997-01-01T00:00:00.000Z' }))
      .then(
        facts.registered({
          occurredAt: '1997-01-01T00:00:00.000Z',
          source: 'dashboard',
          profile: { firstName: 'Anna' },
        }),
      ));

  it('records the claim on the e-mail and the consents with it', () =>
    given()
      .when(
        register({
          emailClaim: { hash: 'h', claimId: 'claim-1' },
          consents: [
            { purpose: 'news', granted: true, source: 'form' },
            { purpose: 'news', granted: false, channel: 'sms', source: 'form' },
          ],
        }),
      )
      .then(
        facts.registered({
          source: 'dashboard',
          profile: { firstName: 'Anna' },
          emailClaim: 'h',
          claimId: 'claim-1',
        }),
        facts.consented(true, { source: 'form' }),
        facts.consented(false, { channel: 'sms', source: 'form' }),
      ));

  describe('under a key that was used with an id of the client’s own', () => {
    const directed = (attemptId: string) => ({
      type: 'contacts.RegistrationDirected.v1' as const,
      data: { contactId: CONTACT_ID, occurredAt: NOW, registeredId: 'another', attemptId },
    });
    const withdrawn = (attemptId: string) => ({
      type: 'contacts.RegistrationWithdrawn.v1' as const,
      data: { contactId: CONTACT_ID, occurredAt: NOW, attemptId },
    });
    const direct = (registeredId: string) =>
      ({
        type: 'DirectRegistration',
        contactId: CONTACT_ID,
        now: NOW,
        registeredId,
        attemptId: 'b',
      }) as const;
    const refused = 'idempotency.payload-differs';

    it('is refused without one, or with another, and may be tried again with the same', () => {
      given(directed('a')).when(register()).thenRefused(refused);
      given(directed('a')).when(direct('third')).thenRefused(refused);
      given(directed('a')).when(direct('another')).then(directed('b'));
      given(facts.registered()).when(direct('another')).thenRefused(refused);
    });

    it('is free again once every attempt was refused, or the key is forgotten', () => {
      given(directed('a'), directed('b'), withdrawn('a')).when(register()).thenRefused(refused);
      given(directed('a'), directed('b'), withdrawn('a'), withdrawn('b'))
        .when(direct('third'))
        .then({ ...directed('b'), data: { ...directed('b').data, registeredId: 'third' } });
      given(directed('a'))
        .when(register({ now: addMillis(NOW, 86_400_000) }))
        .thenAnswer({
          contactId: CONTACT_ID,
        });
    });

    it('is not taken back twice, nor by whoever did not try', () => {
      const withdraw = {
        type: 'WithdrawRegistration',
        contactId: CONTACT_ID,
        now: NOW,
        attemptId: 'a',
      } as const;
      given(directed('a')).when(withdraw).then(withdrawn('a'));
      given(directed('b')).when(withdraw).thenNothing();
      given(directed('a'), withdrawn('a')).when(withdraw).thenNothing();
      given(facts.registered()).when(withdraw).thenNothing();
    });
  });

  it('is refused for an id that is taken', () =>
    given(facts.registered()).when(register()).thenRefused('contacts.already-registered'));

  it('is refused under a claim that was given up', () =>
    given(abandoned)
      .when(register({ emailClaim: { hash: 'h', claimId: 'claim-1' } }))
      .thenRefused('contacts.email-claim-lost'));

  it('goes on under a claim made anew', () =>
    given(abandoned)
      .when(register({ emailClaim: { hash: 'h', claimId: 'claim-2' } }))
      .thenAnswer({ contactId: CONTACT_ID }));

  it('is refused for a time to come, but not for a clock a little ahead', () => {
    given()
      .when(register({ registeredAt: '2026-03-01T12:01:00.001Z' }))
      .thenRefused('contacts.in-the-future');
    given()
      .when(register({ registeredAt: '2026-03-01T12:01:00.000Z' }))
      .thenAnswer({ contactId: CONTACT_ID });
  });

  it('is refused with more custom fields than a contact can have', () => {
    const customFields = Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`f${n}`, n]));
    given()
      .when(register({ profile: { customFields } }))
      .thenRefused('contacts.too-many-custom-fields', { max: 50 });
  });
});

describe('giving up a claim', () => {
  const abandon = { type: 'AbandonEmailClaim', contactId: CONTACT_ID, now: NOW, claimId: 'claim-1' } as const;
  const held = facts.registered({ emailClaim: 'h', claimId: 'claim-1' });
  const moved = {
    type: 'contacts.ContactDetailsChanged.v1',
    data: {
      contactId: CONTACT_ID,
      occurredAt: NOW,
      changed: ['email'],
      profile: { email: null },
      releasedEmailClaim: 'h',
    },
  } as const;

  it('says so on the stream, also where no contact came to be', () => given().when(abandon).then(abandoned));
  it('says so once', () => {
    given(abandoned).when(abandon).thenNothing();
    given(abandoned).when(abandon).thenAnswer({ verdict: 'abandoned' });
  });
  it('is not done where an event was written under it', () => {
    given(held).when(abandon).thenNothing();
    given(held).when(abandon).thenAnswer({ verdict: 'held' });
    given(held, moved).when(abandon).thenAnswer({ verdict: 'released' });
  });
});

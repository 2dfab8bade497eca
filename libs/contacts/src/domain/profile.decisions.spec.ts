import fc from 'fast-check';
import { CONTACT_ID, NOW, decisionsOf, facts } from '@app/testing';
import { contactDecider } from './contact.decider';
import { changedPaths, type ChangeContactDetails } from './profile.decisions';

const { given } = decisionsOf(contactDecider);
const change = (
  patch: ChangeContactDetails['patch'],
  emailClaim?: ChangeContactDetails['emailClaim'],
): ChangeContactDetails => ({
  type: 'ChangeContactDetails',
  contactId: CONTACT_ID,
  now: NOW,
  patch,
  ...(emailClaim && { emailClaim }),
});
const changed = (paths: readonly string[], profile: object, more: object = {}) => ({
  type: 'contacts.ContactDetailsChanged.v1' as const,
  data: {
    contactId: CONTACT_ID,
    occurredAt: NOW,
    changed: paths,
    profile: profile as Record<string, unknown>,
    ...more,
  },
});
const withEmail = facts.registered({ emailClaim: 'h1', claimId: 'c1', profile: { email: 'a@example.org' } });

describe('changing details', () => {
  it('records the fields named, and only their paths in the open', () => {
    const patch = {
      lastName: 'Berg',
      phone: null,
      address: { city: 'Graz' },
      customFields: { size: 4 },
      tags: [],
    };
    given(facts.registered())
      .when(change(patch))
      .then(changed(['address.city', 'customFields.size', 'lastName', 'phone', 'tags'], patch));
  });

  it('records the same value again, since old values are not known', () => {
    const patch = { lastName: 'Berg' };
    given(facts.registered(), changed(['lastName'], patch))
      .when(change(patch))
      .then(changed(['lastName'], patch));
  });

  it.each([{}, { address: {} }, { customFields: {} }])('is refused when it names nothing: %j', (patch) =>
    given(facts.registered()).when(change(patch)).thenRefused('contacts.nothing-to-change'),
  );

  it('is refused for an unknown contact', () =>
    given()
      .when(change({ lastName: 'Berg' }))
      .thenRefused('contacts.not-found'));

  it('moves the claim with the e-mail', () =>
    given(withEmail)
      .when(change({ email: 'b@example.org' }, { hash: 'h2', claimId: 'c2' }))
      .then(
        changed(
          ['email'],
          { email: 'b@example.org' },
          { emailClaim: 'h2', claimId: 'c2', releasedEmailClaim: 'h1' },
        ),
      ));

  it('needs no claim for the e-mail it has', () =>
    given(withEmail)
      .when(change({ email: 'A@example.org' }, { hash: 'h1' }))
      .then(changed(['email'], { email: 'A@example.org' })));

  it('frees an e-mail that is removed', () => {
    const removed = changed(['email'], { email: null }, { releasedEmailClaim: 'h1' });
    given(withEmail)
      .when(change({ email: null }))
      .then(removed);
    given(withEmail, removed)
      .when(change({ email: null }))
      .then(changed(['email'], { email: null }));
  });

  it('is refused without a claim, and under one that was used before', () => {
    const email = 'b@example.org';
    given(withEmail)
      .when(change({ email }, { hash: 'h2' }))
      .thenRefused('contacts.email-claim-lost');
    given(withEmail)
      .when(change({ email }, { hash: 'h2', claimId: 'c1' }))
      .thenRefused('contacts.email-claim-lost');
  });

  it('counts custom fields over time', () => {
    const fields = (from: number, count: number, value: number | null) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`f${from + n}`, value]));
    const full = facts.registered({ profile: { customFields: fields(0, 50, 1) as Record<string, number> } });
    given(full)
      .when(change({ customFields: { f0: 2 } }))
      .thenAnswer({});
    given(full)
      .when(change({ customFields: { f50: 1 } }))
      .thenRefused('contacts.too-many-custom-fields');
    given(full)
      .when(change({ customFields: { f0: null, f50: 1 } }))
      .thenAnswer({});
    given(full, changed(['customFields'], { customFields: null }))
      .when(change({ customFields: fields(50, 50, 1) }))
      .thenAnswer({});
  });

  it('names exactly the leaves that a merge would touch', () =>
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('lastName', 'email', 'tags'), fc.constantFrom('x', null)),
        fc.option(fc.dictionary(fc.constantFrom('city', 'street'), fc.constantFrom('x', null)), {
          nil: undefined,
        }),
        (flat, address) => {
          const patch = { ...flat, ...(address && { address }) };
          const expected = [
            ...Object.keys(flat),
            ...Object.keys(address ?? {}).map((name) => `address.${name}`),
          ];
          expect(changedPaths(patch)).toEqual(expected.sort());
        },
      ),
    ));
});

import { readModelOf } from '@app/testing';
import type { ContactDetailsChanged, ContactRegistered } from '../../domain/contact.events';
import { emailClaimsProjection } from './email-claims.projection';

const occurredAt = '2026-01-01T00:00:00.000Z';
const registered = (contactId: string, emailClaim?: string | null): ContactRegistered => ({
  type: 'contacts.ContactRegistered.v1',
  data: {
    contactId,
    occurredAt,
    source: 'app',
    profile: {},
    ...(emailClaim !== undefined && { emailClaim, claimId: `claim of ${contactId}` }),
  },
});
const changed = (contactId: string, data: Partial<ContactDetailsChanged['data']>): ContactDetailsChanged => ({
  type: 'contacts.ContactDetailsChanged.v1',
  data: {
    contactId,
    occurredAt,
    changed: ['email'],
    profile: {},
    claimId: `second claim of ${contactId}`,
    ...data,
  },
});
const claims = readModelOf(emailClaimsProjection);

describe('e-mail claims', () => {
  it('are held from the registration on', () =>
    claims.given(registered('a', 'h1')).then('h1', { contactId: 'a', claimId: 'claim of a' }));

  it('are not there without an e-mail, or when its hash is gone with the key', () => {
    claims.given(registered('a')).then('h1', null);
    claims.given(registered('a', null)).then('h1', null);
  });

  it('go from the old e-mail to the new one', () => {
    const history = [registered('a', 'h1'), changed('a', { emailClaim: 'h2', releasedEmailClaim: 'h1' })];
    claims.given(...history).then('h1', null);
    claims.given(...history).then('h2', { contactId: 'a', claimId: 'second claim of a' });
  });

  it('are free again for others, whose claim a late release leaves alone', () => {
    const released = changed('a', { releasedEmailClaim: 'h1' });
    claims.given(registered('a', 'h1'), released).then('h1', null);
    claims
      .given(registered('a', 'h1'), released, registered('b', 'h1'))
      .then('h1', { contactId: 'b', claimId: 'claim of b' });
    claims.given(registered('b', 'h1'), released).then('h1', { contactId: 'b', claimId: 'claim of b' });
  });

  it('stay where other details change', () =>
    claims
      .given(registered('a', 'h1'), changed('a', {}))
      .then('h1', { contactId: 'a', claimId: 'claim of a' }));
});

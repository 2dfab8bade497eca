import type { Decision } from '@app/kernel';
import { EmailClaimLostError } from './contact.errors';
import type { ContactEvent } from './contact.events';
import type { Contact } from './contact.state';
import { isFenced, type OnContact } from './decision-basics';

/** A keyed hash of an e-mail and the claim that keeps others from it; no claim where the contact held it when it was looked at. */
export type EmailClaim = Readonly<{ hash: string; claimId?: string | undefined }>;

/** A recovery's question: was an event written under this claim? If not, none ever will be. */
export type AbandonEmailClaim = OnContact & Readonly<{ type: 'AbandonEmailClaim'; claimId: string }>;

/** `held`: the contact has its e-mail under this claim now. `released`: it had, and has another or none since. */
export type ClaimSettlement = Readonly<{ verdict: 'held' | 'released' | 'abandoned' }>;

/** A claim makes one event good, and none once it was given up. Throws EmailClaimLostError. */
export const checkClaim = (contact: Contact, claimId: string | undefined): void => {
  if (claimId === undefined || contact.claims.has(claimId)) throw new EmailClaimLostError();
};

export const decideAbandonEmailClaim = (
  { contactId, claimId, now }: AbandonEmailClaim,
  contact: Contact,
): Decision<ContactEvent, ClaimSettlement> => {
  if (contact.claims.get(claimId) === 'made-good') {
    const held = contact.status === 'active' && contact.claimId === claimId;
    return { events: [], answer: { verdict: held ? 'held' : 'released' } };
  }
  const answer = { verdict: 'abandoned' } as const;
  // Behind the fence nothing is ever written under a claim: that is a verdict, too.
  if (contact.claims.has(claimId) || isFenced(contact)) return { events: [], answer };
  return {
    events: [{ type: 'contacts.EmailClaimAbandoned.v1', data: { contactId, occurredAt: now, claimId } }],
    answer,
  };
};

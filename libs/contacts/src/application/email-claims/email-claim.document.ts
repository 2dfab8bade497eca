import { open } from '@app/kernel';
import { inClear, type ReadFieldMark } from '@app/read-store';

/**
 * E-mail claims live in two collections with one writer each, since a guarded write of a projector and an insert of an api
 * process on one document can undo one another (a batch that is written again would delete a claim made in between).
 *
 * - `email_claims_v1` is the read model: who holds an e-mail by the log. Only the projector writes it.
 * - `pending_email_claims` holds what was claimed and may not be in the read model yet. Only claimants and the settling
 *   of overdue claims write it.
 *
 * A hash is held by a contact if its stream says so; then it stands in at least one of the two.
 */

/** In `email_claims_v1`, beside the projection's own fields: folded from ContactRegistered and ContactDetailsChanged. */
export type EmailClaimDocument = Readonly<{
  /** Keyed hash of the e-mail. */
  _id: string;
  contactId: string;
  claimId: string;
}>;

/** Marks of the fields of pending claims, which are no read model; a pending claim is gone within minutes. */
export const pendingEmailClaims: Readonly<{
  name: string;
  fields: { readonly [Field in keyof PendingEmailClaimDocument]: ReadFieldMark };
}> = {
  name: 'pending_email_claims',
  fields: {
    _id: inClear('contact', ['keyed hash of the e-mail']),
    contactId: open,
    claimId: open,
    deadline: open,
    shared: open,
  },
};

/** In `pending_email_claims`, written with `j: true`. */
export type PendingEmailClaimDocument = Readonly<{
  /** Keyed hash of the e-mail: the unique index that decides between two claimants. */
  _id: string;
  contactId: string;
  claimId: string;
  /** From then on whoever finds it may settle it. */
  deadline: Date;
  /** More than one command of this contact relies on it, so none of them may simply drop it. */
  shared: boolean;
}>;

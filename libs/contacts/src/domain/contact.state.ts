import type { LegalGround, LotShare, Money, OverlayMode, StoreCount } from './contact.events';
import { emptyLedger, type Ledger } from './points';

/**
 * What decisions about a contact need, and no personal value: personal fields leave keyed hashes and flags behind.
 * States are folded in place (see Decider) and may be kept in memory for long.
 */

/** What came of a claim on an e-mail: an event was written under it, or it was given up before. */
export type ClaimVerdict = 'made-good' | 'abandoned';

export type Purchase = {
  readonly amount: Money;
  readonly locationId?: string;
  readonly pool: string;
  returned: boolean;
};

export type Redemption = {
  readonly rewardId: string;
  readonly pool: string;
  readonly points: number;
  readonly lots: readonly LotShare[];
  /** `cancelled`: `givenBack` points came back. `abandoned`: it never came to be and never will. */
  status: 'redeemed' | 'cancelled' | 'abandoned';
  givenBack: number;
};

/** The last word on a purpose, for one channel or (`*`) all of them. */
export type Consent = Readonly<{ granted: boolean; wordingVersion?: string; source: string }>;
export const ALL_CHANNELS = '*';

/**
 * An erasure that was asked for. From `executing` on no command is taken; it is `erased` once the keys are destroyed, and
 * `completed` once that is checked and no byte is left.
 */
export type Erasure = {
  readonly erasureId: string;
  readonly legalGround: LegalGround;
  readonly requestedAt: string;
  readonly executeAfter: string;
  stage: 'coolingOff' | 'executing' | 'erased' | 'completed';
  /** The hash of the e-mail that it set free; null where there was none, or its key is destroyed. */
  releasedEmailClaim: string | null;
  suppressed: boolean;
  held: readonly StoreCount[];
  /** Null: nothing is kept any more. */
  retainedUntil: string | null;
};

/** A word by hand on a segment; why it was given is not kept here. */
export type Overlay = Readonly<{ mode: OverlayMode; expiresAt: string | null; hasReason: boolean }>;

/** Verdicts are also given on contacts that never came to be. */
type Verdicts = {
  readonly claims: Map<string, ClaimVerdict>;
  readonly redemptions: Map<string, Redemption>;
};

/** An Idempotency-Key was used for a contact of another id, and whoever tried that has not given up. */
export type Direction = { readonly registeredId: string; readonly attempts: Set<string>; lastAt: string };

export type UnknownContact = Verdicts & { readonly status: 'unknown'; directed: Direction | null };

export type ActiveContact = Verdicts & {
  readonly status: 'active';
  /** Keyed hash of the e-mail and the claim it is held by. */
  emailClaim: string | null;
  claimId: string | null;
  hasPhone: boolean;
  customFieldNames: Set<string>;
  readonly ledger: Ledger;
  readonly purchases: Map<string, Purchase>;
  /** When check-ins that earned points happened, in order of time, by location (`''`: none named). */
  readonly earningCheckIns: Map<string, string[]>;
  /** Redeemed and not cancelled, by reward. */
  readonly redemptionCounts: Map<string, number>;
  /** By purpose, then by channel. */
  readonly consents: Map<string, Map<string, Consent>>;
  /** Whether it can be pushed to, by device. */
  readonly devices: Map<string, boolean>;
  /** By segment; those that have expired are in it until they are replaced or taken back. */
  readonly overlays: Map<string, Overlay>;
  /** What automations have done: by automation, then by announcement, which of its actions. */
  readonly automations: Map<string, Map<string, Set<number>>>;
  /** Events that automations brought about, and how many in a row had led to each. */
  readonly automatedEvents: Map<string, number>;
  /** When the latest entry for the books happened. */
  lastBookedAt: string | null;
  processingRestricted: boolean;
  profilingObjected: boolean;
  /** Null: none was asked for, or it was cancelled. */
  erasure: Erasure | null;
};

export type Contact = UnknownContact | ActiveContact;

export const unknownContact = (): Contact => ({
  status: 'unknown',
  directed: null,
  claims: new Map(),
  redemptions: new Map(),
});

export const activeContact = ({ claims, redemptions }: Verdicts): ActiveContact => ({
  status: 'active',
  claims,
  redemptions,
  emailClaim: null,
  claimId: null,
  hasPhone: false,
  customFieldNames: new Set(),
  ledger: emptyLedger(),
  purchases: new Map(),
  earningCheckIns: new Map(),
  redemptionCounts: new Map(),
  consents: new Map(),
  devices: new Map(),
  overlays: new Map(),
  automations: new Map(),
  automatedEvents: new Map(),
  lastBookedAt: null,
  processingRestricted: false,
  profilingObjected: false,
  erasure: null,
});

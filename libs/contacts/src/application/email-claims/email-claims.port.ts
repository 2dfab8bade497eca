export type PendingClaim = Readonly<{
  hash: string;
  contactId: string;
  claimId: string;
  deadline: Date;
  /** More than one command of the contact relies on it. */
  shared: boolean;
}>;

/** Claims on e-mails that may not be in the read model yet, and who holds an e-mail by the read model. */
export abstract class EmailClaims {
  /** Durable before it returns. False: a claim on this hash is pending. */
  abstract insert(claim: PendingClaim): Promise<boolean>;

  abstract pending(hash: string): Promise<PendingClaim | null>;

  /** Makes the claim shared and its deadline no sooner than this. False: it is gone. */
  abstract share(claim: PendingClaim, deadline: Date): Promise<boolean>;

  /** Does nothing where it is gone or, with `unlessShared`, where another command relies on it. */
  abstract drop(
    claim: Pick<PendingClaim, 'hash' | 'claimId'>,
    options?: Readonly<{ unlessShared: boolean }>,
  ): Promise<void>;

  abstract postpone(claim: PendingClaim, deadline: Date): Promise<void>;

  /** Those past their deadline, the oldest first. */
  abstract overdue(now: Date, limit: number): Promise<readonly PendingClaim[]>;

  /** By hash; may be behind the log. */
  abstract holders(
    hashes: readonly string[],
  ): Promise<ReadonlyMap<string, Readonly<{ contactId: string; claimId: string | null }>>>;
}

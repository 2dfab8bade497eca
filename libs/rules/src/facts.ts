import type { AttributeName, EventName, PathTest, RuleChannel } from './rule';

/** Instants are milliseconds since 1970; facts are dated to the millisecond. */

export type AttributeValue = string | number | boolean | readonly string[];

/** Something known, and the event that said so, where that is kept. */
export type Known<T> = Readonly<{ value: T; eventId?: string }>;

/** What rules can count or add up. */
export type Series =
  | Readonly<{ event: EventName; where?: readonly PathTest[] }>
  /** `balance`: all movements, signed; `earned`: credits and earnings; `spent`: debits and redemptions. */
  | Readonly<{ points: 'balance' | 'earned' | 'spent'; pool: string }>
  /** Purchases in a currency; a return takes off its amount at its own time and counts nothing. */
  | Readonly<{ spend: string }>
  /** Whatever was done by or for the contact. */
  | Readonly<{ activity: true }>;

/** `(after, upTo]`, by when it happened or by when it was recorded. */
export type Range = Readonly<{ after: number; upTo: number; axis?: 'recorded' }>;

export type Tally = Readonly<{ count: number; sum: number }>;

export type FactFields = Readonly<Record<string, string | number | readonly string[]>>;

/** One fact of a series. */
export type Fact = Readonly<{
  /** On the axis that was asked for. */
  at: number;
  eventId: string;
  /** What it adds to the count (a return adds nothing) and to the sum. */
  count: 0 | 1;
  amount: number;
  /** By the paths that tests can name. */
  fields: FactFields;
}>;

export type Membership = Readonly<{ from: number; to: number | null }>;

export type Lot = Readonly<{ points: number; expiresAt: number }>;

/**
 * What a rule needs to know of one contact, by queries, so that a list of all facts and a store that keeps sums by bucket can
 * both answer. Facts may be dated in the future: an answer holds whatever the range asks for.
 */
export interface ContactFacts {
  readonly contactId: string;
  /** Null: there is no such contact yet. */
  readonly registeredAt: number | null;
  /** Of `age` and `tenure` nothing is asked: the evaluator derives them. */
  attribute(name: AttributeName): Known<AttributeValue> | undefined;
  /** The latest word on a purpose for a channel; what was said for all channels holds for each. */
  consent(purpose: string, channel: RuleChannel): Known<boolean> | undefined;
  /** Whether there is a way to reach the contact, apart from consent. */
  reachable(channel: RuleChannel): boolean;
  /** What is left of points that expire. */
  lots(pool: string): readonly Lot[];
  /** When the contact was a member of a segment, oldest first. */
  memberships(segmentId: string): readonly Membership[];
  tally(series: Series, range: Range): Tally;
  /** By time and, of one time, by position in the log. */
  list(series: Series, range: Range, page: Page): readonly Fact[];
}

export type Page = Readonly<{ order: 'oldest' | 'newest'; limit: number }>;

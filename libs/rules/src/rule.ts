/** A parsed rule in canonical form: the same rule written with other spaces or key orders is the same object. */
export type Rule = Readonly<{
  /** IANA time zone in which "today" is taken. */
  tz: string;
  root: RuleNode;
}>;

export type RuleNode =
  | Readonly<{ all: readonly RuleNode[] }>
  | Readonly<{ any: readonly RuleNode[] }>
  | Readonly<{ not: RuleNode }>
  | Leaf;

export type Leaf = AttributeLeaf | MetricLeaf;
export type AttributeLeaf = Readonly<{ attr: AttributeName }> & Test;
export type MetricLeaf = Readonly<{
  metric: MetricName;
  /** The pool of a points metric, the currency of a money metric. */
  pool?: string;
  currency?: string;
}> &
  NumberTest;

export type Test = TextTest | NumberTest | TimeTest | SetTest | PresenceTest;
export type TextTest =
  | Readonly<{ op: 'eq' | 'neq' | 'startsWith'; value: string }>
  | Readonly<{ op: 'in' | 'notIn'; value: readonly string[] }>;
export type NumberTest =
  | Readonly<{ op: 'eq' | 'neq' | 'lt' | 'lte' | 'gt' | 'gte'; value: number }>
  | Readonly<{ op: 'between' | 'notBetween'; value: readonly [number, number] }>;
export type TimeTest =
  | Readonly<{ op: 'before' | 'after'; value: string }>
  | Readonly<{ op: 'between'; value: readonly [string, string] }>;
export type SetTest = Readonly<{ op: 'hasAny' | 'hasAll' | 'hasNone'; value: readonly string[] }>;
export type PresenceTest = Readonly<{ op: 'isSet' | 'isUnset' }>;

/**
 * How an attribute is compared: `text` as it is, `folded` without case and marks (see foldText), `date` as a calendar
 * date, `instant` as a point in time, `age` as whole years on the day of asking, `set` as a set of texts.
 */
export type AttributeType = 'text' | 'folded' | 'date' | 'instant' | 'age' | 'set';

export const ATTRIBUTES = {
  'profile.firstName': 'folded',
  'profile.lastName': 'folded',
  'profile.email': 'folded',
  'profile.phone': 'text',
  'profile.birthday': 'date',
  'profile.gender': 'text',
  'profile.language': 'text',
  'profile.address.street': 'text',
  'profile.address.postalCode': 'text',
  'profile.address.city': 'folded',
  'profile.address.country': 'text',
  tags: 'set',
  source: 'text',
  registeredAt: 'instant',
  age: 'age',
} as const satisfies Readonly<Record<string, AttributeType>>;
export type AttributeName = keyof typeof ATTRIBUTES;

/** Figures over a contact's whole history and what else names them; over no facts each is 0. */
export const METRICS = {
  'points.balance': 'pool',
  'purchases.count': null,
  'purchases.spend': 'currency',
  'checkIns.count': null,
  'redemptions.count': null,
  'messages.count': null,
} as const satisfies Readonly<Record<string, 'pool' | 'currency' | null>>;
export type MetricName = keyof typeof METRICS;

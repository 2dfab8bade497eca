import type { Duration } from './duration';

/** A parsed rule, JSON-safe, with every default filled in and every value normalised; itself a rule that can be parsed. */
export type Rule = Readonly<{
  dsl: 1;
  /** IANA time zone in which dates and calendar periods are taken. */
  tz: string;
  weekStart: WeekDay;
  root: RuleNode | RankedNode;
}>;

export const WEEK_DAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'] as const;
export type WeekDay = (typeof WEEK_DAYS)[number];

export type RuleNode =
  | Readonly<{ all: readonly RuleNode[] }>
  | Readonly<{ any: readonly RuleNode[] }>
  | Readonly<{ not: RuleNode }>
  | Leaf;

export type Leaf =
  | AttributeLeaf
  | MetricLeaf
  | EventLeaf
  | LastEventLeaf
  | SinceLeaf
  | AnniversaryLeaf
  | ConsentLeaf
  | ReachableLeaf
  | SegmentLeaf
  | BucketLeaf
  | EveryoneLeaf;

export type AttributeLeaf = Readonly<{ attr: AttributeName }> & Test;

export type MetricLeaf = MetricName_ & (NumberTest | PresenceTest);
type MetricName_ = Readonly<{
  metric: MetricName;
  /** The pool of a points metric, the currency of a money metric, the location of a share. */
  pool?: string;
  currency?: string;
  locationId?: string;
  /** Of `points.expiringWithin`. */
  within?: Duration;
  /** Left out: the whole history. */
  window?: Window;
}>;
/** Which figure is meant, without the test on it. */
export type MetricRef = MetricName_;

export type EventLeaf = Readonly<{
  event: EventName;
  /** All have to hold of a fact that counts. */
  where?: readonly PathTest[];
  count: CountTest;
  window: Window;
  /** Whether who is younger than the window is left out; has to be said where few or none are asked for. */
  requireTenure?: boolean;
}>;

export type LastEventLeaf = Readonly<{ lastEvent: EventName; has: readonly PathTest[] }>;

export type SinceLeaf = Readonly<{
  since: RecencyName;
  /** What holds where it never happened; `noMatch` is unknown, so that a `not` does not match either. */
  never: 'match' | 'noMatch';
}> &
  DurationTest;

export type AnniversaryLeaf = Readonly<{
  anniversary: AttributeName;
  /** When it is kept in years without 29 February. */
  feb29: 'feb28' | 'mar1';
}> &
  (Readonly<{ from: Duration; to: Duration }> | Readonly<{ window: PeriodWindow }>);

export type ConsentLeaf = Readonly<{ consent: string; op: 'granted' | 'withdrawn' | 'isSet' | 'isUnset' }>;
export type ReachableLeaf = Readonly<{ reachable: RuleChannel }>;
export type SegmentLeaf =
  | Readonly<{ segment: string; op: 'in' | 'notIn' }>
  | Readonly<{ segment: string; op: 'wasIn'; window: Window }>
  | Readonly<{ segment: string; op: 'inFor'; value: Duration }>;
/** `[from, to)` of a hundred parts into which the seed divides all contacts. */
export type BucketLeaf = Readonly<{ bucket: string; from: number; to: number }>;
export type EveryoneLeaf = Readonly<{ everyone: true }>;

/** Depends on other contacts, so it stands alone; ties at the cut-off are all in. */
export type RankedNode = Readonly<{
  ranked: Readonly<{
    by: MetricName;
    pool?: string;
    currency?: string;
    locationId?: string;
    window?: Window;
    refresh: Duration;
  }> &
    (Readonly<{ top: number }> | Readonly<{ topPercent: number }>);
}>;

export type Test = TextTest | NumberTest | BooleanTest | TimeTest | DurationTest | SetTest | PresenceTest;
export type TextTest =
  | Readonly<{ op: 'eq' | 'neq' | 'startsWith' | 'endsWith' | 'contains' | 'notContains'; value: string }>
  | Readonly<{ op: 'in' | 'notIn'; value: readonly string[] }>;
export type NumberTest =
  | Readonly<{ op: 'eq' | 'neq' | 'lt' | 'lte' | 'gt' | 'gte'; value: number }>
  | Readonly<{ op: 'between' | 'notBetween'; value: readonly [number, number] }>;
export type BooleanTest = Readonly<{ op: 'eq'; value: boolean }>;
export type TimeTest =
  | Readonly<{ op: 'before' | 'after'; value: string }>
  | Readonly<{ op: 'between'; value: readonly [string, string] }>
  | Readonly<{ op: 'olderThan' | 'newerThan'; value: Duration }>
  | Readonly<{ op: 'inPeriod'; value: Period }>;
export type DurationTest =
  | Readonly<{ op: 'lt' | 'lte' | 'gt' | 'gte'; value: Duration }>
  | Readonly<{ op: 'between' | 'notBetween'; value: readonly [Duration, Duration] }>;
export type SetTest =
  | Readonly<{ op: 'hasAny' | 'hasAll' | 'hasNone'; value: readonly string[] }>
  | Readonly<{ op: 'sizeGte'; value: number }>;
export type PresenceTest = Readonly<{ op: 'isSet' }> | Readonly<{ op: 'isUnset' }>;
export type CountTest =
  | Readonly<{ op: 'eq' | 'gte' | 'lt'; value: number }>
  | Readonly<{ op: 'between'; value: readonly [number, number] }>;
/** A test of a field of an event's data. */
export type PathTest = Readonly<{ path: string }> & (TextTest | NumberTest | SetTest | PresenceTest);

export const PERIOD_UNITS = ['day', 'week', 'month', 'quarter', 'year'] as const;
export type PeriodUnit = (typeof PERIOD_UNITS)[number];
/** `offset` 0 is the one that now lies in, -1 the one before. */
export type Period = Readonly<{ period: PeriodUnit; offset: number }>;
export type PeriodWindow = Period & OnAxis;
type OnAxis = Readonly<{
  /** Which of a fact's times is asked for; left out: when it happened. */
  axis?: 'recorded';
}>;
export type Window =
  | (Readonly<{ last: Duration }> & OnAxis)
  | PeriodWindow
  /** `[from, to)`; a date stands for its beginning in the rule's time zone. */
  | (Readonly<{ from?: string; to?: string }> & OnAxis)
  | (Readonly<{ sinceRegistration: Duration }> & OnAxis)
  | (Readonly<{ ever: true }> & OnAxis);

/**
 * How an attribute is compared: `text` as it is, `folded` without case and marks (see foldText), `date` as a calendar
 * date, `instant` as a point in time, `age` as whole years on the day of asking, `tenure` as the time since registration,
 * `set` as a set of texts, `custom` by the type of its values.
 */
export type AttributeType = 'text' | 'folded' | 'date' | 'instant' | 'age' | 'tenure' | 'set' | 'custom';

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
  invitedBy: 'text',
  registeredAt: 'instant',
  age: 'age',
  tenure: 'tenure',
} as const satisfies Readonly<Record<string, AttributeType>>;

export const CUSTOM_FIELDS = 'profile.customFields.';
export type AttributeName = keyof typeof ATTRIBUTES | `${typeof CUSTOM_FIELDS}${string}`;
export type CustomFieldType = 'text' | 'number' | 'boolean' | 'date' | 'set';

export const attributeType = (name: AttributeName): AttributeType =>
  Object.hasOwn(ATTRIBUTES, name) ? ATTRIBUTES[name as keyof typeof ATTRIBUTES] : 'custom';

/** What else names a figure. Over no facts a count, a sum and a balance are 0, an average and a share are unknown. */
export const METRICS = {
  'points.balance': 'pool',
  'points.earned': 'pool',
  'points.spent': 'pool',
  'points.expiringWithin': 'pool',
  'purchases.count': null,
  'purchases.spend': 'currency',
  'purchases.average': 'currency',
  'purchases.shareAt': 'locationId',
  'checkIns.count': null,
  'redemptions.count': null,
  'messages.count': null,
} as const satisfies Readonly<Record<string, 'pool' | 'currency' | 'locationId' | null>>;
export type MetricName = keyof typeof METRICS;

/** Figures that are unknown over no facts. */
export const QUOTIENTS: ReadonlySet<MetricName> = new Set(['purchases.average', 'purchases.shareAt']);

export type PathType = 'text' | 'number' | 'set';
const inPool = { pool: 'text', points: 'number' } as const;

/** The events that rules can name, and the fields of their data that tests can name. */
export const EVENTS = {
  ContactRegistered: { source: 'text' },
  PurchaseRecorded: {
    ...inPool,
    locationId: 'text',
    'amount.minor': 'number',
    'amount.currency': 'text',
    'items.sku': 'set',
  },
  CheckedIn: { ...inPool, locationId: 'text' },
  PointsCredited: { ...inPool, reason: 'text' },
  PointsDebited: { ...inPool, reason: 'text' },
  PointsExpired: inPool,
  RewardRedeemed: { ...inPool, rewardId: 'text', redemptionType: 'text' },
  MessageSent: { channel: 'text', purpose: 'text', templateId: 'text' },
  MessageOpened: { channel: 'text', purpose: 'text', templateId: 'text' },
  InvitationSent: { channel: 'text' },
  InvitationAccepted: { channel: 'text' },
} as const satisfies Readonly<Record<string, Readonly<Record<string, PathType>>>>;
export type EventName = keyof typeof EVENTS;

export const RECENCIES = [
  'lastActivity',
  'lastPurchase',
  'lastCheckIn',
  'lastRedemption',
  'registration',
] as const;
export type RecencyName = (typeof RECENCIES)[number];

export const RULE_CHANNELS = ['email', 'push', 'sms', 'inbox'] as const;
export type RuleChannel = (typeof RULE_CHANNELS)[number];

export const isRanked = (root: Rule['root']): root is RankedNode => 'ranked' in root;

import type { RecordedEvent } from '@app/kernel';
import {
  ACTIVITIES,
  EVENTS,
  factName,
  factOf,
  foldHistory,
  partOf,
  POINT_MOVES,
  type ContactHistory,
  type HistoryFact,
  type Series,
  type Tally,
} from '@app/rules';

/**
 * What rules need of one contact, in documents that one event writes two or three of, however long the history is: one of
 * what stands now and what all facts add up to, and one of exact facts a calendar month (of UTC).
 */

/** Of one contact. It grows by a line a month in which something happened. */
export type FactsDocument = Omit<ContactHistory, 'facts'> &
  Readonly<{
    /** Over the whole history, by seriesKey. */
    totals: Readonly<Record<string, Tally>>;
    /** Which kinds of facts happened in a month: `{ "2024-01": ["CheckedIn"] }`. */
    months: NamesByMonth;
    /** Which kinds were recorded in a month but happened in another. */
    lateMonths: NamesByMonth;
    /** How many facts stand in the buckets of a month. */
    sizes: Readonly<Record<string, number>>;
  }>;

export type NamesByMonth = Readonly<Record<string, readonly string[]>>;

/** So many facts at most stand in one bucket; a month that has more goes on in another. */
const BUCKET_SIZE_MAX = 64;

/** A month (`YYYY-MM`) and which of its buckets, from 0 on. */
export type BucketName = Readonly<{ month: string; part: number }>;

/** Facts of one contact and month, each exact to the millisecond. */
export type FactsBucket = Readonly<{
  contactId: string;
  /** `YYYY-MM`. */
  month: string;
  part: number;
  /** What happened in it, in the order of the log. */
  facts: readonly HistoryFact[];
  /** What was recorded in it but happened in another month: it stands in the other's bucket too. */
  late: readonly HistoryFact[];
}>;

type FactEvent = RecordedEvent<Readonly<{ type: string; data: object }>>;

/** What no series is made of is not kept as a fact. */
export const FACT_NAMES: ReadonlySet<string> = new Set([
  ...ACTIVITIES,
  ...Object.keys(EVENTS),
  ...Object.keys(POINT_MOVES),
  'PurchaseReturned',
]);

const keptFact = (event: FactEvent): HistoryFact | null => {
  const name = factName(event.type);
  return name !== undefined && FACT_NAMES.has(name) ? factOf(name, event) : null;
};

/**
 * Which buckets an event is written to, given the document before it: one, or two where it was recorded in another month than
 * it happened in.
 */
export const bucketsWritten = (
  doc: Pick<FactsDocument, 'sizes'> | null,
  event: FactEvent,
): readonly BucketName[] => {
  const fact = keptFact(event);
  if (fact === null) return [];
  return monthsOf(fact).map((month) => ({
    month,
    part: Math.floor((doc?.sizes[month] ?? 0) / BUCKET_SIZE_MAX),
  }));
};

/** All buckets of a month. */
export const bucketsOfMonth = (
  { sizes }: Pick<FactsDocument, 'sizes'>,
  month: string,
): readonly BucketName[] =>
  Array.from({ length: Math.ceil((sizes[month] ?? 0) / BUCKET_SIZE_MAX) }, (_, part) => ({ month, part }));

/** Under which a bucket is stored. */
export const bucketId = (contactId: string, { month, part }: BucketName): string =>
  part === 0 ? `${contactId} ${month}` : `${contactId} ${month} ${part}`;

/** Of all buckets of some months of a contact. */
export const bucketIds = (doc: FactsDocument, months: readonly string[]): readonly string[] =>
  months.flatMap((month) => bucketsOfMonth(doc, month).map((name) => bucketId(doc.contactId, name)));

const monthsOf = ({ occurredAt, recordedAt }: HistoryFact): readonly string[] => {
  const [happened, recorded] = [monthOf(occurredAt), monthOf(recordedAt)];
  return happened === recorded ? [happened] : [happened, recorded];
};

/** Folds an event into one of its buckets; apart from all other documents, so that each can be rewritten alone. */
export const foldBucket = (
  bucket: FactsBucket | null,
  contactId: string,
  { month, part }: BucketName,
  event: FactEvent,
): FactsBucket => {
  const before = bucket ?? { contactId, month, part, facts: [], late: [] };
  const fact = keptFact(event);
  if (fact === null) return before;
  return monthOf(fact.occurredAt) === month
    ? { ...before, facts: [...before.facts, fact] }
    : { ...before, late: [...before.late, fact] };
};

/**
 * Folds one event of a contact's stream, in the order of the log; total, and pure. Once the contact is erased nothing personal
 * is left.
 */
export const foldFacts = (doc: FactsDocument | null, event: FactEvent): FactsDocument | null => {
  const next = foldHistory(doc && { ...doc, facts: [] }, event);
  if (next === null) return null;
  const { contactId, registeredAt, attributes, consents, devices, lots } = next;
  const standing = { contactId, registeredAt, attributes, consents, devices };
  if (factName(event.type) === 'ContactErased') {
    return { ...standing, ...BLANK, attributes: {}, consents: [], devices: [], lots: [] };
  }
  const { totals, months, lateMonths, sizes } = doc ?? BLANK;
  const kept = { ...standing, lots: lots.filter((lot) => isOpen(lot, event.meta.recordedAt)) };
  const fact = keptFact(event);
  if (fact === null) return { ...kept, totals, months, lateMonths, sizes };
  const [happened, recorded] = [monthOf(fact.occurredAt), monthOf(fact.recordedAt)];
  const written = monthsOf(fact).map((month) => [month, (sizes[month] ?? 0) + 1] as const);
  return {
    ...kept,
    totals: added(totals, fact),
    months: withName(months, happened, fact.name),
    lateMonths: happened === recorded ? lateMonths : withName(lateMonths, recorded, fact.name),
    sizes: { ...sizes, ...Object.fromEntries(written) },
  };
};

const BLANK: Pick<FactsDocument, 'totals' | 'months' | 'lateMonths' | 'sizes'> = {
  totals: {},
  months: {},
  lateMonths: {},
  sizes: {},
};

/** An empty lot may be given something back until it expires; then never. */
const isOpen = ({ points, expiresAt }: FactsDocument['lots'][number], recordedAt: string): boolean =>
  points > 0 || expiresAt > recordedAt;

/** Of an ISO 8601 UTC instant. */
export const monthOf = (instant: string): string => instant.slice(0, 7);

const withName = (months: NamesByMonth, month: string, name: string): NamesByMonth => {
  const names = months[month] ?? [];
  return names.includes(name) ? months : { ...months, [month]: [...names, name].sort() };
};

/** Under which name the total of a series is kept; null: of one that is asked for by fields, none is. */
export const seriesKey = (series: Series): string | null => {
  if ('activity' in series) return 'activity';
  if ('points' in series) return `${series.points}:${series.pool}`;
  if ('spend' in series) return `spend:${series.spend}`;
  return series.where === undefined ? `event:${series.event}` : null;
};

/** Every series with a total that a fact can be part of. */
const seriesWith = ({ name, fields }: HistoryFact): readonly Series[] => {
  const { pool, 'amount.currency': currency } = fields;
  const series: Series[] = [{ activity: true }];
  if (Object.hasOwn(EVENTS, name)) series.push({ event: name as keyof typeof EVENTS });
  if (typeof pool === 'string') {
    for (const points of ['balance', 'earned', 'spent'] as const) series.push({ points, pool });
  }
  if (typeof currency === 'string') series.push({ spend: currency });
  return series;
};

const added = (totals: FactsDocument['totals'], fact: HistoryFact): FactsDocument['totals'] => {
  const next = new Map(Object.entries(totals));
  for (const series of seriesWith(fact)) {
    const [key, part] = [seriesKey(series), partOf(fact, series)];
    if (key === null || part === null) continue;
    const { count, sum } = next.get(key) ?? { count: 0, sum: 0 };
    next.set(key, { count: count + part.count, sum: sum + part.amount });
  }
  return Object.fromEntries(next);
};

import {
  HistoryFacts,
  partOf,
  type AttributeName,
  type AttributeValue,
  type ContactFacts,
  type Fact,
  type HistoryFact,
  type Known,
  type Lot,
  type Membership,
  type Page,
  type Range,
  type RuleChannel,
  type Series,
  type Tally,
} from '@app/rules';
import { monthsWith } from './buckets-needed';
import { bucketsOfMonth, seriesKey, type FactsBucket, type FactsDocument } from './facts.document';
import { Timeline } from './timeline';

/** A fault of the caller: a question was asked whose bucket `bucketsNeeded` would have named. */
export class BucketNotLoadedError extends Error {
  constructor(readonly month: string) {
    super(`The facts of ${month} are asked for and not loaded.`);
  }
}

/**
 * Answers from the documents of facts, and from those buckets only that were loaded. Throws BucketNotLoadedError rather than
 * leave a fact out.
 */
export class BucketedFacts implements ContactFacts {
  readonly contactId: string;
  readonly registeredAt: number;
  private readonly standing: HistoryFacts;
  /** By month. */
  private readonly buckets = new Map<string, FactsBucket[]>();
  private readonly dated = new Map<string, readonly Dated[]>();
  private readonly timelines = new Map<string, Timeline>();
  /** Of the document: buckets are written before it, so they may hold facts that it does not know of yet. */
  private readonly upTo: string | undefined;

  constructor(
    private readonly doc: FactsDocument,
    buckets: readonly FactsBucket[],
    private readonly staysIn: (segmentId: string) => readonly Membership[] = () => [],
    upTo?: bigint,
  ) {
    this.upTo = upTo?.toString();
    // What stands is asked of it; facts it has none.
    this.standing = new HistoryFacts({ ...doc, facts: [] });
    this.contactId = doc.contactId;
    this.registeredAt = this.standing.registeredAt;
    for (const bucket of buckets) {
      const parts = this.buckets.get(bucket.month);
      if (parts === undefined) this.buckets.set(bucket.month, [bucket]);
      else parts.push(bucket);
    }
  }

  attribute(name: AttributeName): Known<AttributeValue> | undefined {
    return this.standing.attribute(name);
  }

  consent(purpose: string, channel: RuleChannel): Known<boolean> | undefined {
    return this.standing.consent(purpose, channel);
  }

  reachable(channel: RuleChannel): boolean {
    return this.standing.reachable(channel);
  }

  lots(pool: string): readonly Lot[] {
    return this.standing.lots(pool);
  }

  memberships(segmentId: string): readonly Membership[] {
    return this.staysIn(segmentId);
  }

  tally(series: Series, range: Range): Tally {
    const key = seriesKey(series);
    if (range.after !== -Infinity || key === null) return this.counted(series, range);
    // From the beginning on: all there is, without what comes after.
    const total = Object.hasOwn(this.doc.totals, key) ? this.doc.totals[key] : undefined;
    if (total === undefined) return { count: 0, sum: 0 };
    const later = this.counted(series, { ...range, after: range.upTo, upTo: Infinity });
    return { count: total.count - later.count, sum: total.sum - later.sum };
  }

  list(series: Series, range: Range, { order, limit }: Page): readonly Fact[] {
    const months = monthsWith(series, range, this.doc);
    const found: Fact[] = [];
    for (let n = 0; n < months.length && found.length < limit; n += 1) {
      const month = months[order === 'oldest' ? n : months.length - 1 - n] as string;
      const facts = this.timelineOf(month, series, range.axis).list(range.after, range.upTo);
      const wanted = limit - found.length;
      found.push(...(order === 'oldest' ? facts.slice(0, wanted) : facts.slice(-wanted).reverse()));
    }
    return found;
  }

  private counted(series: Series, range: Range): Tally {
    let [count, sum] = [0, 0];
    for (const month of monthsWith(series, range, this.doc)) {
      const part = this.timelineOf(month, series, range.axis).tally(range.after, range.upTo);
      [count, sum] = [count + part.count, sum + part.sum];
    }
    return { count, sum };
  }

  /** Made once a month, series and axis. */
  private timelineOf(month: string, series: Series, axis: Range['axis']): Timeline {
    const key = `${month} ${axis ?? ''} ${seriesKey(series) ?? JSON.stringify(series)}`;
    const known = this.timelines.get(key);
    if (known !== undefined) return known;
    const facts: Fact[] = [];
    for (const { at, fact } of this.inOrder(month, axis)) {
      const part = partOf(fact, series);
      if (part !== null) facts.push({ at, eventId: fact.eventId, fields: fact.fields, ...part });
    }
    const timeline = new Timeline(facts);
    this.timelines.set(key, timeline);
    return timeline;
  }

  /** The facts of a month by time on an axis and, of one time, by position: put in order once. */
  private inOrder(month: string, axis: Range['axis']): readonly Dated[] {
    const key = `${month} ${axis ?? ''}`;
    const known = this.dated.get(key);
    if (known !== undefined) return known;
    const parts = this.buckets.get(month);
    if (parts === undefined || parts.length < bucketsOfMonth(this.doc, month).length) {
      throw new BucketNotLoadedError(month);
    }
    const recorded = axis === 'recorded';
    const facts = parts.flatMap((part) =>
      recorded
        ? [...part.facts.filter(({ recordedAt }) => recordedAt.startsWith(month)), ...part.late]
        : part.facts,
    );
    const dated = facts
      .filter(({ position }) => this.upTo === undefined || inLogOrder(position, this.upTo) <= 0)
      .map((fact) => ({ at: Date.parse(recorded ? fact.recordedAt : fact.occurredAt), fact }))
      .sort((one, other) => one.at - other.at || inLogOrder(one.fact.position, other.fact.position));
    this.dated.set(key, dated);
    return dated;
  }
}

/** Of positions as texts: what is longer is later. */
const inLogOrder = (one: string, other: string): number => {
  if (one.length !== other.length) return one.length - other.length;
  return one < other ? -1 : Number(one > other);
};

type Dated = Readonly<{ at: number; fact: HistoryFact }>;

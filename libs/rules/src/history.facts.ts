import {
  ACTIVITIES,
  EARNINGS,
  POINT_MOVES,
  SPENDINGS,
  type ContactHistory,
  type HistoryFact,
} from './contact-history';
import type {
  AttributeValue,
  ContactFacts,
  Fact,
  Known,
  Lot,
  Membership,
  Page,
  Range,
  Series,
  Tally,
} from './facts';
import type { AttributeName, RuleChannel } from './rule';
import { pathTruth } from './value-tests';

/** Answers from the whole history in memory: the reference for every quicker way. */
export class HistoryFacts implements ContactFacts {
  readonly contactId: string;
  readonly registeredAt: number;
  private readonly ordered = new Map<'occurredAt' | 'recordedAt', readonly Dated[]>();

  constructor(
    private readonly history: ContactHistory,
    private readonly segments: Readonly<Record<string, readonly Membership[]>> = {},
  ) {
    this.contactId = history.contactId;
    this.registeredAt = Date.parse(history.registeredAt);
  }

  attribute(name: AttributeName): Known<AttributeValue> | undefined {
    return Object.hasOwn(this.history.attributes, name) ? this.history.attributes[name] : undefined;
  }

  consent(purpose: string, channel: RuleChannel): Known<boolean> | undefined {
    const said = this.history.consents.filter((consent) => consent.purpose === purpose);
    // What was said for the channel itself goes before what was said for all.
    const last =
      said.find((consent) => consent.channel === channel) ?? said.find((consent) => consent.channel === null);
    return last && { value: last.granted, eventId: last.eventId };
  }

  reachable(channel: RuleChannel): boolean {
    switch (channel) {
      case 'email':
        return this.attribute('profile.email') !== undefined;
      case 'sms':
        return this.attribute('profile.phone') !== undefined;
      case 'push':
        return this.history.devices.some(({ pushable }) => pushable);
      case 'inbox':
        return true;
    }
  }

  lots(pool: string): readonly Lot[] {
    return this.history.lots
      .filter((lot) => lot.pool === pool && lot.points > 0)
      .map(({ points, expiresAt }) => ({ points, expiresAt: Date.parse(expiresAt) }));
  }

  memberships(segmentId: string): readonly Membership[] {
    return Object.hasOwn(this.segments, segmentId) ? (this.segments[segmentId] ?? []) : [];
  }

  tally(series: Series, { after, upTo, axis }: Range): Tally {
    let [count, sum] = [0, 0];
    for (const { at, fact } of this.inOrder(axis)) {
      const part = after < at && at <= upTo ? partOf(fact, series) : null;
      if (part !== null) [count, sum] = [count + part.count, sum + part.amount];
    }
    return { count, sum };
  }

  list(series: Series, { after, upTo, axis }: Range, { order, limit }: Page): readonly Fact[] {
    const facts = this.inOrder(axis);
    const found: Fact[] = [];
    for (let n = 0; n < facts.length && found.length < limit; n += 1) {
      const { at, fact } = facts[order === 'oldest' ? n : facts.length - 1 - n] as Dated;
      const part = after < at && at <= upTo ? partOf(fact, series) : null;
      if (part !== null) found.push({ at, eventId: fact.eventId, fields: fact.fields, ...part });
    }
    return found;
  }

  /** By time and, of one time, by position: put in order once an axis. */
  private inOrder(axis: Range['axis']): readonly Dated[] {
    const name = axis === 'recorded' ? 'recordedAt' : 'occurredAt';
    let dated = this.ordered.get(name);
    if (dated === undefined) {
      dated = this.history.facts
        .map((fact) => ({ at: Date.parse(fact[name]), position: BigInt(fact.position), fact }))
        .sort((one, other) => one.at - other.at || (one.position < other.position ? -1 : 1));
      this.ordered.set(name, dated);
    }
    return dated;
  }
}

type Dated = Readonly<{ at: number; fact: HistoryFact }>;

export type Part = Readonly<{ count: 0 | 1; amount: number }>;

/** What a fact adds to a series; null where it is no part of it. */
export const partOf = ({ name, fields }: HistoryFact, series: Series): Part | null => {
  if ('activity' in series) return ACTIVITIES.has(name) ? { count: 1, amount: 0 } : null;
  if ('event' in series) {
    const isMeant =
      name === series.event && (series.where ?? []).every((test) => pathTruth(test, fields) === true);
    return isMeant ? { count: 1, amount: 0 } : null;
  }
  if ('spend' in series) {
    if (fields['amount.currency'] !== series.spend) return null;
    const minor = Number(fields['amount.minor']);
    if (name === 'PurchaseRecorded') return { count: 1, amount: minor };
    return name === 'PurchaseReturned' ? { count: 0, amount: -minor } : null;
  }
  const move = Object.hasOwn(POINT_MOVES, name) ? POINT_MOVES[name] : undefined;
  if (move === undefined || fields['pool'] !== series.pool) return null;
  const points = Number(fields['points']);
  switch (series.points) {
    case 'balance':
      return { count: 1, amount: move === 'signed' ? points : move * points };
    case 'earned':
      return EARNINGS.has(name) ? { count: 1, amount: points } : null;
    case 'spent':
      return SPENDINGS.has(name) ? { count: 1, amount: points } : null;
  }
};

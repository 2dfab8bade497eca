import type { ContactEvent } from '@app/contacts';
import type { DomainEvent, RecordedEvent } from '@app/kernel';
import { dependenciesOf, parseRule, ruleHash, type Rule } from '@app/rules';
import type { SegmentDefined } from '@app/segments';
import { derivedId } from '../derived-id';
import { CITIES, DAY_MS, GENDERS, personOf, spread } from './made-up-person';

/** Where the log of the fold begins, and when. */
const STARTS_AT = Date.UTC(2026, 0, 1);
const POSTAL_CODES = 1_000;
const LANGUAGES = ['de', 'en', 'fr', 'it', 'hu'];

/** Of an event that credits points, these are the rules that have to be asked. */
const TOUCHED = [
  { metric: 'points.balance', op: 'gte', value: 500 },
  { metric: 'points.earned', op: 'between', value: [100, 1_000], window: { last: 'P90D' } },
  { event: 'PointsCredited', count: { op: 'gte', value: 5 }, window: { last: 'P30D' } },
  { since: 'lastActivity', op: 'lte', value: 'P7D', never: 'noMatch' },
];

const untouched = (index: number): object => {
  const city = { attr: 'profile.address.city', op: 'eq', value: CITIES[index % CITIES.length] };
  const from = 18 + (index % 40);
  switch (index % 4) {
    case 0:
      return { all: [city, { attr: 'age', op: 'between', value: [from, from + 10] }] };
    case 1:
      return { all: [city, { attr: 'profile.language', op: 'eq', value: LANGUAGES[(index >> 2) % 5] }] };
    case 2:
      return { any: [city, { attr: 'profile.gender', op: 'eq', value: GENDERS[(index >> 2) % 4] }] };
    default:
      return { event: 'PurchaseRecorded', window: { last: `P${30 + index}D` } };
  }
};

/** `count` different rules, of which a credit touches four. */
export const activeRules = (count: number): readonly Rule[] =>
  Array.from({ length: count }, (_, n) => parseRule(TOUCHED[n] ?? untouched(n)));

/** `count` rules that no credit touches; every contact meets one in a thousand. */
export const unrelatedRules = (count: number): readonly Rule[] =>
  Array.from({ length: count }, (_, n) =>
    parseRule({ attr: 'profile.address.postalCode', op: 'eq', value: String(n % POSTAL_CODES) }),
  );

/** How many of some rules have to be asked anew where these keys changed. */
export const askedBy = (rules: readonly Rule[], keys: readonly string[]): number =>
  rules.filter((rule) => dependenciesOf(rule).keys.some((key) => keys.includes(key))).length;

/** Makes one log, event by event. */
export class SyntheticLog {
  private position = 0n;
  private readonly balances = new Map<string, number>();

  definition(rule: Rule): RecordedEvent<SegmentDefined> {
    const segmentId = derivedId('bench-segment', String(this.position));
    return this.recorded(`segment-${segmentId}`, {
      type: 'segments.SegmentDefined.v1',
      data: {
        segmentId,
        name: segmentId,
        description: null,
        version: 1,
        rule,
        ruleHash: ruleHash(rule),
        template: null,
        occurredAt: this.now(),
      },
    });
  }

  registration(index: number): RecordedEvent<ContactEvent> {
    const mixed = spread(index);
    const { city, ...person } = personOf(mixed);
    const contactId = contactIdOf(index);
    return this.recorded(`contact-${contactId}`, {
      type: 'contacts.ContactRegistered.v1',
      data: {
        contactId,
        source: 'import',
        profile: {
          firstName: `First${mixed % 997}`,
          lastName: `Last${mixed % 9_973}`,
          email: `bench.${index}@example.com`,
          ...person,
          language: LANGUAGES[mixed % LANGUAGES.length] as string,
          address: {
            city,
            postalCode: String(mixed % POSTAL_CODES),
          },
        },
        occurredAt: new Date(STARTS_AT - (mixed % 300) * DAY_MS).toISOString(),
      },
    });
  }

  purchase(index: number): RecordedEvent<ContactEvent> {
    const mixed = spread(index);
    const contactId = contactIdOf(index);
    return this.recorded(`contact-${contactId}`, {
      type: 'contacts.PurchaseRecorded.v1',
      data: {
        contactId,
        purchaseId: derivedId('bench-purchase', String(index)),
        invoiceNumber: `bench-${index}`,
        amount: { minor: mixed % 50_000, currency: 'EUR' },
        pool: 'main',
        points: 0,
        balance: 0,
        occurredAt: new Date(STARTS_AT - (mixed % 30) * DAY_MS).toISOString(),
      },
    });
  }

  credit(index: number): RecordedEvent<ContactEvent> {
    const contactId = contactIdOf(index);
    const points = 1 + (spread(Number(this.position)) % 50);
    const balance = (this.balances.get(contactId) ?? 0) + points;
    this.balances.set(contactId, balance);
    return this.recorded(`contact-${contactId}`, {
      type: 'contacts.PointsCredited.v1',
      data: {
        contactId,
        entryId: derivedId('bench-entry', String(this.position)),
        pool: 'main',
        points,
        balance,
        reason: 'bench',
        occurredAt: this.now(),
      },
    });
  }

  /** Events are a millisecond apart. */
  private now(): string {
    return new Date(STARTS_AT + Number(this.position)).toISOString();
  }

  private recorded<E extends DomainEvent>(stream: string, event: E): RecordedEvent<E> {
    const recordedAt = this.now();
    this.position += 1n;
    const eventId = derivedId('bench-event', String(this.position));
    return {
      ...event,
      meta: {
        eventId,
        stream,
        revision: 0,
        position: this.position,
        recordedAt,
        commandId: eventId,
        correlationId: eventId,
        actor: { id: 'bench', role: 'admin', method: 'api-key' },
      },
    };
  }
}

const contactIdOf = (index: number): string => derivedId('bench-contact', String(index));

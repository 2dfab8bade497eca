import type { ContactRegistered, PurchaseRecorded } from '@app/contacts';
import type { RecordedEvent } from '@app/kernel';
import {
  evaluate,
  foldHistory,
  HistoryFacts,
  parseRule,
  type ContactHistory,
  type Evaluation,
} from '@app/rules';
import { recorded } from '@app/testing';
import { readPurchases, type PurchaseLine } from '../../apps/ops/src/load-purchases/purchase-file';
import { CDNOW, withCdnow } from './cdnow-file';
import { COUNTED_RULES, INSTANTS } from './counted-rules';

type ContactEvent = RecordedEvent<ContactRegistered> | RecordedEvent<PurchaseRecorded>;

/** Long after the last purchase. */
const SINCE_THEN = '2024-02-29T12:00:00.000Z';
const RECORDED_AT = '2024-01-01T00:00:00.000Z';

/** As `load-purchases` has them recorded: at noon of their day, a registration before the first of somebody. */
const eventsOf = (lines: readonly PurchaseLine[]): readonly ContactEvent[] => {
  const { customer: contactId, date } = lines[0] as PurchaseLine;
  const metaOf = (position: number) => ({
    eventId: `${contactId}-${position}`,
    stream: `contact-${contactId}`,
    position: BigInt(position),
    recordedAt: RECORDED_AT,
  });
  const registered = recorded<ContactRegistered>(
    {
      type: 'contacts.ContactRegistered.v1',
      data: { contactId, source: 'import', profile: {}, occurredAt: `${date}T12:00:00.000Z` },
    },
    metaOf(0),
  );
  let balance = 0;
  const purchases = lines.map(({ line, date, minor }): RecordedEvent<PurchaseRecorded> => {
    const points = Math.floor(minor / 100);
    balance += points;
    const event: PurchaseRecorded = {
      type: 'contacts.PurchaseRecorded.v1',
      data: {
        contactId,
        purchaseId: `purchase-${line}`,
        invoiceNumber: String(line),
        amount: { minor, currency: 'USD' },
        pool: 'main',
        points,
        balance,
        occurredAt: `${date}T12:00:00.000Z`,
      },
    };
    return recorded(event, metaOf(line));
  });
  return [registered, ...purchases];
};

const linesByCustomer = async (): Promise<ReadonlyMap<string, readonly PurchaseLine[]>> => {
  const found = new Map<string, PurchaseLine[]>();
  for await (const purchase of readPurchases(CDNOW)) {
    const known = found.get(purchase.customer);
    if (known === undefined) found.set(purchase.customer, [purchase]);
    else known.push(purchase);
  }
  return found;
};

describe('rules over the CDNOW history (skipped where the file is missing)', () => {
  withCdnow('match as many as SQL on the raw file counts, at every instant', async () => {
    const rules = COUNTED_RULES.map(({ rule }) => parseRule(rule));
    const instants = [...INSTANTS, SINCE_THEN];
    const counts = rules.map(() => instants.map(() => 0));
    for (const lines of (await linesByCustomer()).values()) {
      const events = eventsOf(lines);
      let history: ContactHistory | null = null;
      let folded = 0;
      const answers: Evaluation[] = [];
      instants.forEach((instant, n) => {
        const until = events.filter(({ data }) => data.occurredAt <= instant).length;
        const isNew = until > folded;
        while (folded < until) history = foldHistory(history, events[folded++] as ContactEvent);
        if (history === null) return;
        const facts = new HistoryFacts(history);
        rules.forEach((rule, r) => {
          // Without a new event an answer holds until it says that it may not.
          const nextChangeAt = answers[r]?.nextChangeAt;
          const holds = !isNew && (nextChangeAt === null || (nextChangeAt ?? '') > instant);
          const answer = holds ? (answers[r] as Evaluation) : evaluate(rule, facts, new Date(instant));
          answers[r] = answer;
          if (answer.truth === 'true') counts[r]![n]! += 1;
        });
      });
    }
    expect(Object.fromEntries(COUNTED_RULES.map(({ name }, r) => [name, counts[r]]))).toEqual(
      Object.fromEntries(COUNTED_RULES.map(({ name, counts, sinceThen }) => [name, [...counts, sinceThen]])),
    );
  });
});

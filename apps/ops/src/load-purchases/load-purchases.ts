import type { Progress } from '../progress';
import { Lanes } from '../lanes';
import { derivedId } from '../derived-id';
import type { RegularsApi } from '../regulars-api';
import type { PurchaseLine } from './purchase-file';

export type LoadOptions = Readonly<{
  /** Sets this history apart from others: contact ids and invoice numbers follow from it. */
  namespace: string;
  /** ISO 4217, with hundredths. */
  currency: string;
  /** What the items are called. */
  sku: string;
  inFlight: number;
}>;

export type LoadFigures = {
  contacts: { registered: number; known: number };
  purchases: { recorded: number; known: number };
  minor: number;
};

/** Purchases that wait for a free connection; enough that one busy customer does not hold up the others. */
const WAITING_MAX = 2_000;
const CONFLICT = 409;

/**
 * Sends each purchase of a history in file order per customer, several customers at once; a customer's first purchase
 * registers the contact as of its date. Contact id and invoice number follow from the file, so a second run, or one
 * that goes on after a break, finds what is there and changes nothing. Memory grows with the number of customers (their
 * ids are kept), not with that of purchases.
 */
export const loadPurchases = async (
  purchases: AsyncIterable<PurchaseLine>,
  api: Pick<RegularsApi, 'send'>,
  options: LoadOptions,
  progress: Progress,
): Promise<LoadFigures> => {
  const figures: LoadFigures = {
    contacts: { registered: 0, known: 0 },
    purchases: { recorded: 0, known: 0 },
    minor: 0,
  };
  const lanes = new Lanes(options.inFlight, WAITING_MAX);
  const seen = new Set<string>();
  for await (const purchase of purchases) {
    const contactId = derivedId(options.namespace, purchase.customer);
    if (!seen.has(purchase.customer)) {
      seen.add(purchase.customer);
      await lanes.add(contactId, async () => {
        const { status, replayed } = await api.send(registration(contactId, purchase), [CONFLICT]);
        figures.contacts[replayed || status === CONFLICT ? 'known' : 'registered'] += 1;
      });
    }
    await lanes.add(contactId, async () => {
      const { replayed } = await api.send(recording(contactId, purchase, options));
      figures.purchases[replayed ? 'known' : 'recorded'] += 1;
      figures.minor += purchase.minor;
      progress.step();
    });
  }
  await lanes.drain();
  return figures;
};

/** The file knows the day only. */
const noonOf = (date: string): string => `${date}T12:00:00.000Z`;

const registration = (contactId: string, { date }: PurchaseLine) => ({
  method: 'POST' as const,
  path: '/contacts',
  body: { contactId, profile: {}, registeredAt: noonOf(date) },
  idempotencyKey: `register-${contactId}`,
});

const recording = (contactId: string, purchase: PurchaseLine, { namespace, currency, sku }: LoadOptions) => ({
  method: 'POST' as const,
  path: `/contacts/${contactId}/purchases`,
  body: {
    invoiceNumber: `${namespace}-${purchase.line}`,
    amount: { minor: purchase.minor, currency },
    ...(purchase.quantity > 0 && { items: [{ sku, quantity: purchase.quantity }] }),
    occurredAt: noonOf(purchase.date),
  },
});

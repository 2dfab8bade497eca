import type { ApiAnswer, ApiRequest } from '../regulars-api';
import { loadPurchases } from './load-purchases';
import { parsePurchaseLine, type PurchaseLine } from './purchase-file';

const HISTORY = ['7 19970101 1 11.77', '8 19970112 5 77.00', '8 19970112 5 77.00', '7 19970203 2 0.00'];
const OPTIONS = { namespace: 'shop', currency: 'USD', sku: 'CD', inFlight: 4 };
const silent = { step: () => undefined, stop: () => undefined };

async function* history(): AsyncIterable<PurchaseLine> {
  for (const [index, text] of HISTORY.entries()) yield parsePurchaseLine(text, index + 2)!;
}

/** Answers as an instance does: what was sent before is a replay. */
const instance = () => {
  const sent: ApiRequest[] = [];
  const known = new Set<string>();
  const send = async <Body>(request: ApiRequest): Promise<ApiAnswer<Body>> => {
    await new Promise((resolve) => setImmediate(resolve));
    const { contactId, invoiceNumber } = request.body as { contactId?: string; invoiceNumber?: string };
    const key = `${request.path} ${contactId ?? invoiceNumber}`;
    const replayed = known.has(key);
    known.add(key);
    sent.push(request);
    return { status: 201, body: {} as Body, replayed };
  };
  return { send, sent };
};

describe('loading a purchase history', () => {
  it('registers each customer once, as of the first purchase, and sends every line in order', async () => {
    const { send, sent } = instance();
    const figures = await loadPurchases(history(), { send }, OPTIONS, silent);
    expect(figures).toEqual({
      contacts: { registered: 2, known: 0 },
      purchases: { recorded: 4, known: 0 },
      minor: 16_577,
    });
    const registrations = sent.filter(({ path }) => path === '/contacts').map(({ body }) => body);
    expect(registrations).toEqual([
      expect.objectContaining({ registeredAt: '1997-01-01T12:00:00.000Z' }),
      expect.objectContaining({ registeredAt: '1997-01-12T12:00:00.000Z' }),
    ]);
    const [first] = registrations as [{ contactId: string }];
    const ofFirst = sent.filter(({ path }) => path === `/contacts/${first.contactId}/purchases`);
    expect(ofFirst.map(({ body }) => body)).toEqual([
      {
        invoiceNumber: 'shop-2',
        amount: { minor: 1_177, currency: 'USD' },
        items: [{ sku: 'CD', quantity: 1 }],
        occurredAt: '1997-01-01T12:00:00.000Z',
      },
      expect.objectContaining({ invoiceNumber: 'shop-5', amount: { minor: 0, currency: 'USD' } }),
    ]);
  });

  it('sends the same again on a second run, and counts it as known', async () => {
    const { send, sent } = instance();
    await loadPurchases(history(), { send }, OPTIONS, silent);
    const before = new Set(sent.map((request) => JSON.stringify(request)));
    const figures = await loadPurchases(history(), { send }, OPTIONS, silent);
    expect(figures.contacts).toEqual({ registered: 0, known: 2 });
    expect(figures.purchases).toEqual({ recorded: 0, known: 4 });
    expect(new Set(sent.map((request) => JSON.stringify(request)))).toEqual(before);
  });

  it('stops at a refusal', async () => {
    const { send } = instance();
    const refusing = {
      send: async <Body>(request: ApiRequest): Promise<ApiAnswer<Body>> => {
        if (request.path !== '/contacts') throw new Error('refused');
        return send(request);
      },
    };
    await expect(loadPurchases(history(), refusing, OPTIONS, silent)).rejects.toThrow('refused');
  });
});

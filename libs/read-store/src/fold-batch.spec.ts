import * as fc from 'fast-check';
import {
  accountsFixture,
  anySplit,
  deliveriesOf,
  readModelOf,
  recorded,
  SimulatedReadStore,
} from '@app/testing';
import type { RecordedEvent } from '@app/kernel';
import { foldBatch, foldLedger, touchedBy } from './fold-batch';
import { defineLedger, defineProjection } from './projection';
import { ProjectionError } from './read-store.errors';

const { accounts, anyAccountHistory, openings } = accountsFixture;
type Account = accountsFixture.Account;
type AccountEvent = accountsFixture.AccountEvent;

const opened = (id: string): AccountEvent => ({ type: 'test.Opened.v1', data: { id } });
const moved = (from: string, to: string, amount: number): AccountEvent => ({
  type: 'test.Moved.v1',
  data: { from, to, amount },
});
const closed = (id: string): AccountEvent => ({ type: 'test.Closed.v1', data: { id } });

const deliver = (batches: readonly (readonly RecordedEvent[])[]) => {
  const store = new SimulatedReadStore();
  for (const batch of batches) {
    store.saveNow(accounts, foldBatch(accounts, batch, store.loadNow(accounts, touchedBy(accounts, batch))));
  }
  return store.contents();
};

// Generous, since the machine may be busy with other suites.
describe('folding a batch', () => {
  const account = readModelOf(accounts);

  it('folds every document that an event touches', () => {
    const history = account.given(opened('a'), opened('b'), moved('a', 'b', 5));
    history.then('a', { balance: -4, moves: [recorded({ type: '', data: {} }, 2).meta.eventId] });
    history.then('b', { balance: 6, moves: [recorded({ type: '', data: {} }, 2).meta.eventId] });
  });

  it('removes a document, and lets it begin anew', () => {
    account.given(opened('a'), opened('b'), moved('a', 'b', 5), closed('a')).then('a', null);
    account
      .given(opened('a'), moved('a', 'b', 5), closed('a'), opened('a'))
      .then('a', { balance: 1, moves: [] });
  });

  it('writes neither document nor position where nothing changed', () => {
    const loaded = new Map([['a', { position: 3n, doc: { balance: 1, moves: [] } }]]);
    expect(foldBatch(accounts, [recorded(opened('a'), 4)], loaded)).toEqual([]);
  });

  it('keeps the position of what came and went within the batch', () =>
    expect(foldBatch(accounts, [recorded(opened('a'), 0), recorded(closed('a'), 1)], new Map())).toEqual([
      { id: 'a', isNew: true, position: 1n, doc: null },
    ]));

  it('leaves out what was folded before a removal', () => {
    const loaded = new Map([['a', { position: 5n, doc: null }]]);
    expect(foldBatch(accounts, [recorded(opened('a'), 4)], loaded)).toEqual([]);
  });

  it('says which documents are new', () => {
    const loaded = new Map([['a', { position: 3n, doc: { balance: 1, moves: [] } }]]);
    expect(foldBatch(accounts, [recorded(closed('a'), 4), recorded(opened('b'), 5)], loaded)).toEqual([
      { id: 'a', isNew: false, position: 4n, doc: null },
      { id: 'b', isNew: true, position: 5n, doc: { balance: 1, moves: [] } },
    ]);
  });

  it('skips events of types that the projection does not name, and of names that every object has', () => {
    const strange = ['other.Happened.v1', 'constructor', '__proto__'].map((type, n) =>
      recorded({ type, data: {} }, n),
    );
    expect(touchedBy(accounts, strange)).toEqual([]);
    expect(foldBatch(accounts, strange, new Map())).toEqual([]);
  });

  it('names the event that cannot be folded, and repeats nothing of it', () => {
    const broken = defineProjection<Account, AccountEvent>({
      ...accounts,
      on: {
        ...accounts.on,
        'test.Opened.v1': (_, { data }) => {
          throw new RangeError(`No account ${data.id}`);
        },
      },
    });
    let thrown: unknown;
    try {
      foldBatch(broken, [recorded(opened('canary'), 7)], new Map());
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ProjectionError);
    expect(thrown).toMatchObject({
      message: 'Read model accounts_v1 cannot fold test.Opened.v1 at position 7 (RangeError).',
    });
    expect((thrown as Error).stack).toContain('fold-batch.spec');
    expect((thrown as Error).stack).not.toContain('canary');
  });

  it('gives the same bytes for every split', () =>
    fc.assert(
      fc.property(anyAccountHistory, anySplit(), (events, split) => {
        expect(deliver(split(events))).toEqual(deliver([events]));
      }),
      { numRuns: 300 },
    ));

  it('gives the same bytes for every overlap', () =>
    fc.assert(
      fc.property(anyAccountHistory, (events) => {
        const whole = deliver([events]);
        for (const batches of deliveriesOf(events)) expect(deliver(batches)).toEqual(whole);
      }),
      { numRuns: 20 },
    ));

  it('gives the same bytes for every overlap of any split', () =>
    fc.assert(
      fc.property(
        anyAccountHistory,
        anySplit(),
        anySplit(),
        fc.nat(),
        fc.nat(),
        (events, first, again, m, n) => {
          const seen = n % (events.length + 1);
          const from = m % (seen + 1);
          expect(deliver([...first(events.slice(0, seen)), ...again(events.slice(from))])).toEqual(
            deliver([events]),
          );
        },
      ),
      { numRuns: 300 },
    ));
});

const kept = async (store: SimulatedReadStore, batches: readonly (readonly RecordedEvent[])[]) => {
  for (const batch of batches) {
    const change = foldLedger(openings, batch, await store.loadState(openings));
    if (!change) continue;
    await store.insertRows(openings, change.rows);
    await store.saveState(openings, change.next);
  }
  return store.contents();
};

describe('folding a batch into a ledger', () => {
  it('numbers what happened, in order', async () => {
    const store = new SimulatedReadStore();
    await kept(store, [[recorded(opened('a'), 0), recorded(closed('a'), 1), recorded(opened('a'), 2)]]);
    expect(await store.loadState(openings)).toMatchObject({ position: 2n, state: { size: 2 } });
    expect(Object.keys(store.contents()['openings_v1'] ?? {})).toEqual(['0', '1', 'pair/2']);
  });

  it('skips what it has seen', () => {
    const seen = { position: 5n, state: { size: 1, digest: 1 } };
    expect(foldLedger(openings, [recorded(opened('a'), 5)], seen)).toBeUndefined();
    expect(foldLedger(openings, [recorded(closed('a'), 6)], seen)).toEqual({
      rows: [],
      next: { ...seen, position: 6n },
    });
  });

  it('names the event that cannot be folded', () => {
    const broken = defineLedger({
      ...openings,
      fold: () => {
        throw new RangeError('canary');
      },
    });
    expect(() => foldLedger(broken, [recorded(opened('canary'), 7)], null)).toThrow(
      new ProjectionError('openings_v1', recorded(opened(''), 7), new RangeError()),
    );
  });

  it('gives the same bytes for every overlap of any split', () =>
    fc.assert(
      fc.asyncProperty(
        anyAccountHistory,
        anySplit(),
        anySplit(),
        fc.nat(),
        fc.nat(),
        async (events, first, again, m, n) => {
          const seen = n % (events.length + 1);
          const from = m % (seen + 1);
          const batches = [...first(events.slice(0, seen)), ...again(events.slice(from))];
          expect(await kept(new SimulatedReadStore(), batches)).toEqual(
            await kept(new SimulatedReadStore(), [events]),
          );
        },
      ),
      { numRuns: 300 },
    ));

  it('gives the same bytes where one that was loaded long ago is saved late', () =>
    fc.assert(
      fc.asyncProperty(anyAccountHistory, fc.nat(), async (events, n) => {
        const store = new SimulatedReadStore();
        const early = foldLedger(openings, events.slice(0, n % (events.length + 1)), null);
        await kept(store, [events]);
        if (early) {
          await store.insertRows(openings, early.rows);
          await store.saveState(openings, early.next);
        }
        expect(store.contents()).toEqual(await kept(new SimulatedReadStore(), [events]));
      }),
    ));
});

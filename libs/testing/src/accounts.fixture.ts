import * as fc from 'fast-check';
import { open, type DomainEvent, type RecordedEvent } from '@app/kernel';
import { defineJournal, defineLedger, defineProjection, type ReadModels } from '@app/read-store';
import { anyHistory } from './generators';

/** Made to be hard on a runner: two documents an event, removal and return, changes that depend on order, no-ops. */
export type AccountEvent =
  | DomainEvent<'test.Opened.v1', { id: string }>
  | DomainEvent<'test.Moved.v1', { from: string; to: string; amount: number }>
  | DomainEvent<'test.Doubled.v1', { id: string }>
  | DomainEvent<'test.Closed.v1', { id: string }>;

export type Account = Readonly<{ balance: number; moves: readonly string[]; note?: string }>;

const move = (account: Account | null, amount: number, eventId: string): Account | null =>
  account && { ...account, balance: account.balance + amount, moves: [...account.moves, eventId].slice(-3) };

export const accounts = defineProjection<Account, AccountEvent>({
  name: 'accounts',
  version: 1,
  keys: ({ data }) => ('id' in data ? [data.id] : data.from === data.to ? [] : [data.from, data.to]),
  fields: { balance: open, moves: open, note: open },
  on: {
    'test.Opened.v1': (account) => account ?? { balance: 1, moves: [] },
    'test.Moved.v1': (account, { data, meta }, key) =>
      move(account, key === data.from ? -data.amount : data.amount, meta.eventId),
    'test.Doubled.v1': (account) =>
      account && { ...account, balance: (account.balance * 2) % 1_000, note: 'doubled' },
    'test.Closed.v1': () => null,
  },
  indexes: [{ key: { balance: 1, _id: 1 } }],
});

/** How many events of each type there were: one document that every batch touches. */
export const tally = defineProjection<Readonly<{ count: number }>, AccountEvent>({
  name: 'tally',
  version: 1,
  keys: ({ type }) => [type],
  fields: { count: open },
  on: {
    'test.Opened.v1': (doc) => ({ count: (doc?.count ?? 0) + 1 }),
    'test.Moved.v1': (doc) => ({ count: (doc?.count ?? 0) + 1 }),
    'test.Doubled.v1': (doc) => ({ count: (doc?.count ?? 0) + 1 }),
    'test.Closed.v1': (doc) => ({ count: (doc?.count ?? 0) + 1 }),
  },
  indexes: [],
});

export const moves = defineJournal<Readonly<{ eventId: string; amount: number }>>({
  name: 'moves',
  version: 1,
  entry: ({ type, data, meta }) =>
    type === 'test.Moved.v1' ? { eventId: meta.eventId, amount: (data as { amount: number }).amount } : null,
  fields: { eventId: open, amount: open },
  indexes: [{ key: { eventId: 1 }, unique: true }],
});

/** Numbers every opening, with a digest of all events before; a row for each, and one for every second. */
export const openings = defineLedger<Readonly<{ size: number; digest: number }>>({
  name: 'openings',
  version: 1,
  initial: { size: 0, digest: 7 },
  fields: { digest: open },
  fold: (state, { type, meta }) => {
    if (type === 'test.Closed.v1') return { state, rows: [] };
    const digest = (state.digest * 31 + Number(meta.position) + type.length) % 1_000_003;
    if (type !== 'test.Opened.v1') return { state: { ...state, digest }, rows: [] };
    const size = state.size + 1;
    const rows = [{ _id: state.size, doc: { digest } }];
    return {
      state: { size, digest },
      rows: size % 2 ? rows : [...rows, { _id: `pair/${size}`, doc: { digest } }],
    };
  },
  indexes: [],
});

export const readModels: ReadModels = {
  projections: [accounts, tally],
  journals: [moves],
  ledgers: [openings],
};

const id = fc.constantFrom('a', 'b', 'c');

export const anyAccountEvent: fc.Arbitrary<AccountEvent> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('test.Opened.v1' as const), data: fc.record({ id }) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('test.Moved.v1' as const),
      data: fc.record({ from: id, to: id, amount: fc.integer({ min: 1, max: 9 }) }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('test.Doubled.v1' as const), data: fc.record({ id }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('test.Closed.v1' as const), data: fc.record({ id }) }),
  },
);

export const anyAccountHistory: fc.Arbitrary<RecordedEvent[]> = anyHistory(anyAccountEvent);

/** For what is tried at every step of it. */
export const anyShortHistory: fc.Arbitrary<RecordedEvent[]> = anyHistory(anyAccountEvent, { lengthMax: 8 });

/** The same one each time, of a given length. */
export const someHistory = (length: number): RecordedEvent[] =>
  fc.sample(anyHistory(anyAccountEvent, { lengthMin: length, lengthMax: length }), {
    numRuns: 1,
    seed: 7,
  })[0] ?? [];

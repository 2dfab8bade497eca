import * as fc from 'fast-check';
import { setImmediate as turn } from 'node:timers/promises';
import type { SubscribeOptions } from '@app/event-store';
import type { RecordedEvent } from '@app/kernel';
import {
  accountsFixture,
  anySplit,
  CrashingReadStore,
  eventually,
  recorded,
  ScriptedEventStore,
  SimulatedCrash,
  SimulatedReadStore,
} from '@app/testing';
import { defineProjection, type ReadModels } from './projection';
import { ProjectionRunner, type RunnerStatus } from './projection-runner';
import { ForeignReadDatabaseError, ProjectionError, ReadStoreUnavailableError } from './read-store.errors';
import type { ReadStore } from './read-store.port';

const { accounts, anyAccountHistory, anyShortHistory, moves, readModels, someHistory, tally } =
  accountsFixture;
type Account = accountsFixture.Account;
type AccountEvent = accountsFixture.AccountEvent;

type Split = ConstructorParameters<typeof ScriptedEventStore>[1];

const runnerOn = (
  store: ReadStore,
  events: readonly RecordedEvent[],
  split?: Split,
  models: ReadModels = readModels,
) =>
  new ProjectionRunner({
    name: 'test',
    events: new ScriptedEventStore(events, split),
    store,
    readModels: models,
  });

/** Runs until everything is folded; throws what the runner throws. */
const runToEnd = async (
  store: ReadStore,
  events: readonly RecordedEvent[],
  split?: Split,
  models?: ReadModels,
): Promise<RunnerStatus> => {
  const stopping = new AbortController();
  const runner = runnerOn(store, events, split, models);
  const end = events.at(-1)?.meta.position ?? null;
  const running = runner.run(stopping.signal);
  // A failure ends the waiting too; it is thrown at the end, and is no unhandled one until then.
  running.catch(() => undefined);
  const settled = () => runner.status().position === end || runner.status().state === 'failed';
  while (!settled()) await turn();
  stopping.abort();
  await running;
  return runner.status();
};

const contentsOf = async (events: readonly RecordedEvent[], models?: ReadModels) => {
  const store = new SimulatedReadStore();
  await runToEnd(store, events, undefined, models);
  return store.contents();
};

// Generous, since the machine may be busy with other suites.
describe('the projection runner', () => {
  it('folds every read model and stops when told to', async () => {
    const events = someHistory(20);
    const store = new SimulatedReadStore();
    const status = await runToEnd(store, events);
    const end = events.at(-1)?.meta.position;
    expect(status).toEqual({ state: 'stopped', position: end, eventsCount: events.length });
    expect(await store.positions()).toEqual(
      new Map([
        ['accounts_v1', end],
        ['tally_v1', end],
        ['moves_v1', end],
        ['openings_v1', end],
      ]),
    );
    const moved = events.filter(({ type }) => type === 'test.Moved.v1');
    expect(Object.keys(store.contents()['moves_v1'] ?? {})).toHaveLength(moved.length);
  });

  it('leaves the same bytes for every split', () =>
    fc.assert(
      fc.asyncProperty(anyAccountHistory, anySplit(), async (events, split) => {
        const store = new SimulatedReadStore();
        await runToEnd(store, events, split);
        expect(store.contents()).toEqual(await contentsOf(events));
      }),
      { numRuns: 50 },
    ));

  it('leaves the same bytes wherever it dies, and however the rest is cut when it comes back', () =>
    fc.assert(
      fc.asyncProperty(anyShortHistory, anySplit(), anySplit(), async (events, before, after) => {
        const expected = await contentsOf(events);
        const counting = new CrashingReadStore(new SimulatedReadStore());
        await runToEnd(counting, events, before);
        for (let step = 1; step <= counting.steps; step += 1) {
          const store = new SimulatedReadStore();
          await expect(runToEnd(new CrashingReadStore(store, step), events, before)).rejects.toThrow(
            SimulatedCrash,
          );
          await runToEnd(store, events, after);
          expect(store.contents()).toEqual(expected);
        }
      }),
      { numRuns: 8 },
    ));

  it('leaves the same bytes when two of them are at work, and one dies on the way', () =>
    fc.assert(
      fc.asyncProperty(
        anyAccountHistory,
        anySplit(),
        anySplit(),
        fc.nat(60),
        async (events, one, other, step) => {
          const store = new SimulatedReadStore();
          const dying = runToEnd(new CrashingReadStore(store, step + 1), events, one).catch(
            (error: unknown) => {
              if (!(error instanceof SimulatedCrash)) throw error;
            },
          );
          await Promise.all([dying, runToEnd(store, events, other)]);
          expect(store.contents()).toEqual(await contentsOf(events));
        },
      ),
      { numRuns: 50 },
    ));

  it('leaves the same bytes when two of them run to the end', () =>
    fc.assert(
      fc.asyncProperty(anyAccountHistory, anySplit(), anySplit(), async (events, one, other) => {
        const store = new SimulatedReadStore();
        await Promise.all([runToEnd(store, events, one), runToEnd(store, events, other)]);
        expect(store.contents()).toEqual(await contentsOf(events));
      }),
      { numRuns: 50 },
    ));

  it('builds a raised version and a new read model from the start beside the others', async () => {
    const events = someHistory(20);
    const store = new SimulatedReadStore();
    await runToEnd(store, events.slice(0, 10), undefined, { projections: [accounts], journals: [moves] });
    const raised: ReadModels = {
      projections: [{ ...accounts, version: 2 }, accounts, tally],
      journals: [moves],
    };
    await runToEnd(store, events, undefined, raised);
    expect(store.contents()).toEqual(await contentsOf(events, raised));
  });

  it('does not load or write what is folded already', async () => {
    const events = someHistory(20);
    const store = new SimulatedReadStore();
    await runToEnd(store, events, undefined, { projections: [accounts], journals: [] });
    const loaded = jest.spyOn(store, 'load');
    await runToEnd(store, events, undefined, { projections: [accounts, tally], journals: [] });
    expect(loaded.mock.calls.map(([projection]) => projection.name)).toEqual(['tally']);
  });

  it('rebuilds an emptied read database', async () => {
    const events = someHistory(20);
    const store = new SimulatedReadStore();
    await runToEnd(store, events);
    store.empty();
    await runToEnd(store, events);
    expect(store.contents()).toEqual(await contentsOf(events));
  });

  it('starts from the beginning when the read database is emptied underneath it', async () => {
    const events = someHistory(20);
    const store = new SimulatedReadStore();
    const emptying = new CrashingReadStore(store);
    const load = emptying.load.bind(emptying);
    let loads = 0;
    jest.spyOn(emptying, 'load').mockImplementation((projection, ids) => {
      if ((loads += 1) === 5) store.empty();
      return load(projection, ids);
    });
    await runToEnd(emptying, events, (items) => items.map((item) => [item]));
    expect(store.contents()).toEqual(await contentsOf(events));
  });

  it('folds a ledger from the beginning where its state is gone or behind the checkpoint', async () => {
    const events = someHistory(20);
    const store = new SimulatedReadStore();
    await runToEnd(store, events.slice(0, 10));
    const { openings } = accountsFixture;
    await store.dropState(openings);
    await store.saveState(openings, { position: events[0]!.meta.position, state: { size: 0, digest: 1 } });
    await runToEnd(store, events);
    expect(store.contents()).toEqual(await contentsOf(events));
  });

  it('refuses a read database that was built from another log, and names the way out', async () => {
    const events = someHistory(20);
    const store = new SimulatedReadStore();
    await runToEnd(store, events);
    for (const other of [events.slice(0, 5), []]) {
      const run = runnerOn(store, other).run(new AbortController().signal);
      await expect(run).rejects.toThrow(ForeignReadDatabaseError);
      await expect(run).rejects.toThrow(/Drop the read database/);
    }
  });

  it('tries again while a store is away, and says so', async () => {
    const events = someHistory(20);
    const store = new SimulatedReadStore();
    const saveCheckpoint = jest
      .spyOn(store, 'saveCheckpoint')
      .mockRejectedValueOnce(new ReadStoreUnavailableError());
    const states: string[] = [];
    const stopping = new AbortController();
    const runner = new ProjectionRunner({
      name: 'test',
      events: new ScriptedEventStore(events),
      store,
      readModels,
      onState: ({ state, error }) => states.push(error ? `${state}: ${error.constructor.name}` : state),
    });
    const running = runner.run(stopping.signal);
    await eventually(
      'every event is folded',
      () => runner.status().position === events.at(-1)?.meta.position,
    );
    stopping.abort();
    await running;
    expect(saveCheckpoint).toHaveBeenCalledTimes(2);
    expect(states).toEqual(['running', 'retrying: ReadStoreUnavailableError', 'running', 'stopped']);
    expect(store.contents()).toEqual(await contentsOf(events));
  });

  it('says that it runs again only once a batch is through', async () => {
    const events = someHistory(20);
    let attempts = 0;
    // As where the key ring is away, which only opening an event shows.
    class AwayAtFirst extends ScriptedEventStore {
      override async *subscribe(options: SubscribeOptions) {
        attempts += 1;
        if (attempts <= 3) throw new ReadStoreUnavailableError();
        yield* super.subscribe(options);
      }
    }
    const store = new SimulatedReadStore();
    const states: string[] = [];
    const stopping = new AbortController();
    const runner = new ProjectionRunner({
      name: 'test',
      events: new AwayAtFirst(events),
      store,
      readModels,
      onState: ({ state }) => states.push(state),
    });
    const running = runner.run(stopping.signal);
    await eventually('it is through', () => runner.status().position === events.at(-1)?.meta.position);
    stopping.abort();
    await running;
    expect(states).toEqual(['running', 'retrying', 'retrying', 'retrying', 'running', 'stopped']);
  });

  it('stops at an event that cannot be folded, with everything before its batch in place', async () => {
    const events = someHistory(20).map((event, n) =>
      n === 10 ? recorded({ type: 'test.Opened.v1', data: { id: 'a' } } as AccountEvent, event.meta) : event,
    );
    const broken = defineProjection<Account, AccountEvent>({
      ...accounts,
      on: {
        ...accounts.on,
        'test.Opened.v1': (account, event, key) => {
          if (event.meta === events[10]?.meta || event.meta.position === events[10]?.meta.position)
            throw new Error('x');
          return accounts.on['test.Opened.v1'](account, event, key);
        },
      },
    });
    const store = new SimulatedReadStore();
    const runner = runnerOn(store, events, (items) => items.map((item) => [item]), {
      projections: [broken],
      journals: [],
    });
    await expect(runner.run(new AbortController().signal)).rejects.toThrow(ProjectionError);
    expect(runner.status()).toMatchObject({ state: 'failed', position: events[9]?.meta.position });
    expect(store.contents()).toEqual(
      await contentsOf(events.slice(0, 10), { projections: [accounts], journals: [] }),
    );
  });

  it('gives up on a document that never holds still', async () => {
    const events = someHistory(20);
    const store = new SimulatedReadStore();
    const save = jest.spyOn(store, 'save').mockResolvedValue(false);
    const stopping = new AbortController();
    const runner = runnerOn(store, events, undefined, { projections: [tally], journals: [] });
    const running = runner.run(stopping.signal);
    await eventually('it retries', () => runner.status().state === 'retrying');
    stopping.abort();
    await running;
    expect(save).toHaveBeenCalledTimes(20);
  });
});

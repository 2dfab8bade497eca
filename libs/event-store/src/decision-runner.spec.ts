import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { CommandContext, RecordedEvent } from '@app/kernel';
import { account, CLOSED, ClosedError, OverdraftError, type Command } from './account.suite';
import {
  IdempotencyConflictError,
  NaturalKeyConflictError,
  StaleRevisionError,
  StreamBusyError,
} from './decision.errors';
import { DecisionRunner, type DecisionOptions, type DecisionRunnerOptions } from './decision-runner';
import { EsdbEventStore } from './esdb.event-store';
import { UnknownOutcomeError } from './event-store.port';
import {
  contextOf,
  InMemoryLogClient,
  openTestKeys,
  testCodec,
  type Fate,
  type Noted,
  type TestKeys,
} from './event-store.suite';
import { PayloadMac } from './payload-mac';

describe('DecisionRunner', () => {
  let keys: TestKeys;
  let client: InMemoryLogClient;
  let store: EsdbEventStore;
  let stream: string;

  beforeAll(async () => {
    keys = await openTestKeys();
  });
  afterAll(() => keys.close());

  const use = (fate?: () => Fate, pause?: () => Promise<void>) => {
    client = new InMemoryLogClient(fate, pause);
    store = new EsdbEventStore(client, testCodec(keys));
    stream = `account-${randomUUID()}`;
  };
  beforeEach(() => use());

  const runner = (options?: DecisionRunnerOptions) =>
    new DecisionRunner(store, new PayloadMac(keys.secrets), options);
  const move = (n: number, more: Partial<Extract<Command, { type: 'Move' }>> = {}): Command => ({
    type: 'Move',
    n,
    ...more,
  });
  const run = (
    on: DecisionRunner,
    command: Command,
    context: Partial<CommandContext> = {},
    options?: DecisionOptions,
  ) => on.run(account, stream, command, contextOf(context), options);
  const log = async (): Promise<RecordedEvent<Noted>[]> => {
    const events = [];
    for await (const event of store.readStream(stream)) events.push(event as RecordedEvent<Noted>);
    return events;
  };

  describe('costs', () => {
    it('one append and no read on a stream it knows, and on one believed new', async () => {
      const api = runner();
      await run(api, move(1), {}, { fresh: true });
      expect(client.calls).toEqual({ appends: 1, reads: 0 });
      for (let n = 0; n < 10; n += 1) await run(api, move(1), { repeatable: true });
      expect(client.calls).toEqual({ appends: 11, reads: 0 });
      const other = runner();
      await run(other, move(1));
      expect(client.calls).toEqual({ appends: 12, reads: 1 });
      await run(other, move(1), { expectedRevision: 11 });
      expect(client.calls).toEqual({ appends: 13, reads: 1 });
    });

    it('no more memory than it was given', async () => {
      const api = runner({ cacheBytesMax: 4_096 });
      for (let n = 0; n < 50; n += 1) {
        stream = `account-${n}`;
        await run(api, move(n), {}, { fresh: true });
      }
      client.calls.reads = 0;
      for (let n = 0; n < 50; n += 1) {
        stream = `account-${n}`;
        expect(await run(api, move(1))).toMatchObject({ answer: { balance: n + 1 } });
      }
      expect(client.calls.reads).toBeGreaterThan(30);
    });
  });

  describe('with a state that is behind the stream', () => {
    it('refuses, does nothing and compares revisions only after it has read on', async () => {
      const [one, two] = [runner(), runner()];
      await run(one, move(5));
      await run(two, move(5));
      await run(one, move(-10));
      // The other one still sees 10; what it may not see is the 100 that come now.
      await run(one, move(100));
      expect(await run(two, move(-60))).toMatchObject({ answer: { balance: 40 }, revision: 4 });
      await run(one, { type: 'Tag', tag: 'vip' });
      expect(await run(two, { type: 'Tag', tag: 'vip' })).toMatchObject({ revision: 5, replayed: false });
      await run(two, move(-40));
      await expect(run(one, move(-1))).rejects.toThrow(OverdraftError);
      await run(two, move(1));
      expect(await run(one, move(1), { expectedRevision: 7 })).toMatchObject({ revision: 8 });
    });

    it('answers nothing to record with where the stream ends', async () => {
      const api = runner();
      expect(await run(api, { type: 'Tag', tag: 'a' })).toMatchObject({
        revision: 0,
        answer: { balance: 0 },
      });
      const { position } = (await log()).at(-1)?.meta as { position: bigint };
      expect(await run(api, { type: 'Tag', tag: 'a' })).toEqual({
        answer: { balance: 0 },
        revision: 0,
        position,
        replayed: false,
        unchanged: true,
      });
    });
  });

  describe('If-Match', () => {
    it('tells a stale revision and does not try again', async () => {
      const [one, two] = [runner(), runner()];
      await run(one, move(5));
      await run(two, move(5));
      await expect(run(two, move(1), { expectedRevision: 0 })).rejects.toThrow(StaleRevisionError);
      await expect(run(one, move(1), { expectedRevision: 0 })).rejects.toMatchObject({
        expected: 0,
        actual: 1,
      });
      await expect(run(runner(), move(1), { expectedRevision: 7 })).rejects.toThrow(StaleRevisionError);
      expect(await log()).toHaveLength(2);
    });
  });

  describe('a command that comes again', () => {
    const commandId = randomUUID();
    const again = { commandId, repeatable: true };

    it('gets the first answer, from any process, even with a stale If-Match', async () => {
      const [one, two] = [runner(), runner()];
      const first = await run(one, move(5), again);
      await run(one, move(7));
      for (const api of [one, two, runner()]) {
        expect(await run(api, move(5, { now: 'later' }), { ...again, expectedRevision: 99 })).toEqual({
          ...first,
          replayed: true,
        });
      }
      expect(await log()).toHaveLength(2);
    });

    it('is refused with another payload, whatever the caller takes for the payload', async () => {
      const api = runner();
      await run(api, move(5), again, { payload: { points: 5, at: { b: 1, a: 2 } } });
      expect(await run(api, move(6), again, { payload: { at: { a: 2, b: 1 }, points: 5 } })).toMatchObject({
        replayed: true,
      });
      await expect(run(api, move(5), again, { payload: { points: 6 } })).rejects.toThrow(
        IdempotencyConflictError,
      );
      await expect(run(runner(), move(5), again)).rejects.toThrow(IdempotencyConflictError);
      expect(await log()).toHaveLength(1);
    });

    it('is decided anew after a refusal, and after 24 hours', async () => {
      const api = runner();
      await expect(run(api, move(-5), again)).rejects.toThrow(OverdraftError);
      await run(api, move(5));
      expect(await run(api, move(-5), again)).toMatchObject({ answer: { balance: 0 }, replayed: false });
      await run(api, move(5));
      const later = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
      expect(await run(api, move(-5), { ...again, now: later(23.9) })).toMatchObject({ replayed: true });
      expect(await run(api, move(-5), { ...again, now: later(24.1) })).toMatchObject({ replayed: false });
    });

    it('leaves no payload on the log, and its MAC and answer only where they are of use', async () => {
      const api = runner();
      await run(api, move(1, { events: 3 }), again);
      await run(api, move(1, { events: 3 }));
      const metas = (await log()).map(({ meta }) => ({ mac: meta.mac, answer: meta.answer }));
      const { mac } = metas[0] as { mac: string };
      expect(mac).toMatch(/^[\w-]{22}$/);
      expect(metas.slice(0, 3)).toEqual([{ mac }, { mac }, { mac, answer: { balance: 1 } }]);
      expect(metas.slice(3)).toEqual([{}, {}, {}]);
    });

    it('is one command, however many processes try it at once', async () => {
      use(
        () => 'answered',
        () => turn(),
      );
      const apis = Array.from({ length: 4 }, () => runner());
      await run(apis[0] as DecisionRunner, move(100));
      const storm = Array.from({ length: 40 }, (_, n) =>
        run(apis[n % 4] as DecisionRunner, move(-1, { now: String(n) }), again),
      );
      const answers = await Promise.all(storm);
      expect(new Set(answers.map(({ answer, revision }) => `${answer.balance}/${revision}`))).toEqual(
        new Set(['99/1']),
      );
      expect(answers.some(({ replayed }) => !replayed)).toBe(true);
      expect(await log()).toHaveLength(2);
    });

    it('goes wrong for none of two payloads that race under one key on a new stream', async () => {
      use(
        () => 'answered',
        () => turn(),
      );
      const apis = [runner(), runner()] as const;
      const [one, two] = await Promise.allSettled([
        run(apis[0], move(5), again, { fresh: true }),
        run(apis[1], move(7), again, { fresh: true }),
      ]);
      const states = [one.status, two.status].sort();
      expect(states).toEqual(['fulfilled', 'rejected']);
      const lost = (one.status === 'rejected' ? one : two) as PromiseRejectedResult;
      expect(lost.reason).toBeInstanceOf(IdempotencyConflictError);
      const balance = (await log()).reduce((sum, { data }) => sum + data.n, 0);
      for (const api of apis)
        expect(await run(api, { type: 'Tag', tag: 'x' })).toMatchObject({ answer: { balance } });
    });
  });

  describe('a natural key', () => {
    it('answers as the first did, without limit of time, and refuses other figures', async () => {
      const [one, two] = [runner(), runner()];
      const first = await run(one, move(5, { key: 'inv-1', events: 2 }));
      await run(one, move(1));
      const later = new Date(Date.now() + 9e10).toISOString();
      for (const api of [one, two]) {
        expect(await run(api, move(5, { key: 'inv-1', events: 2 }), { now: later })).toEqual({
          ...first,
          replayed: true,
        });
        await expect(run(api, move(6, { key: 'inv-1' }))).rejects.toThrow(NaturalKeyConflictError);
      }
      expect(await log()).toHaveLength(3);
    });
  });

  describe('a stream that is closed', () => {
    it('leaves every command to the decision: one that comes again, by whichever key, and one that has seen less', async () => {
      const commandId = randomUUID();
      const again = { commandId, repeatable: true };
      const [one, two] = [runner(), runner()];
      await run(one, move(5), again);
      await run(one, move(5, { key: 'inv-1' }));
      await run(two, { type: 'Tag', tag: CLOSED });
      for (const api of [one, two, runner()]) {
        await expect(run(api, move(5), again)).rejects.toThrow(ClosedError);
        await expect(run(api, move(6), again)).rejects.toThrow(ClosedError);
        await expect(run(api, move(5, { key: 'inv-1' }))).rejects.toThrow(ClosedError);
        await expect(run(api, move(5), { expectedRevision: 0 })).rejects.toThrow(ClosedError);
      }
      expect(await log()).toHaveLength(3);
    });
  });

  describe('the queue', () => {
    it('lets fifty at once on one stream through, each with one append', async () => {
      use(
        () => 'answered',
        () => turn(),
      );
      const api = runner();
      await Promise.all(Array.from({ length: 50 }, () => run(api, move(1))));
      expect((await log()).reduce((sum, { data }) => sum + data.n, 0)).toBe(50);
      expect(client.calls).toEqual({ appends: 50, reads: 2 });
    });

    it('is bounded in length and in time', async () => {
      use(
        () => 'answered',
        () => turn(),
      );
      const api = runner({ queueLengthMax: 3 });
      const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => run(api, move(1))));
      const busy = outcomes.filter((outcome) => outcome.status === 'rejected');
      expect(busy).toHaveLength(2);
      for (const { reason } of busy) expect(reason).toBeInstanceOf(StreamBusyError);
      await expect(run(api, move(1), { deadlineMs: Date.now() - 1 })).rejects.toThrow(StreamBusyError);
      expect(await log()).toHaveLength(3);
    });

    it('goes on after a task that failed', async () => {
      const api = runner();
      await expect(run(api, move(-1))).rejects.toThrow(OverdraftError);
      expect(await run(api, move(1))).toMatchObject({ revision: 0 });
    });
  });

  describe('read', () => {
    it('sees what any process has written, and costs one read', async () => {
      const [one, two] = [runner(), runner()];
      expect(await one.read(account, stream)).toMatchObject({ revision: null, state: { balance: 0 } });
      await run(two, move(5));
      await run(two, move(5));
      client.calls.reads = 0;
      expect(await one.read(account, stream)).toMatchObject({ revision: 1, state: { balance: 10 } });
      expect(client.calls.reads).toBe(1);
    });
  });

  describe('an append whose outcome is unknown', () => {
    const fates =
      (...list: Fate[]) =>
      () =>
        list.shift() ?? 'answered';

    it('is sent again as it was, and counts once', async () => {
      for (const fate of ['lost', 'unanswered', 'late'] as const) {
        use(fates('answered', fate, fate));
        const api = runner();
        await run(api, move(5));
        expect(await run(api, move(1))).toMatchObject({ answer: { balance: 6 }, revision: 1 });
        client.writeLate();
        expect(await log()).toHaveLength(2);
      }
    });

    it('is owned up to at the deadline; the stream is read before the next decision', async () => {
      for (const fate of ['lost', 'unanswered', 'late'] as const) {
        let broken = false;
        use(() => (broken ? fate : 'answered'));
        const api = runner();
        await run(api, move(5));
        broken = true;
        await expect(run(api, move(1), { deadlineMs: Date.now() + 60 })).rejects.toThrow(UnknownOutcomeError);
        broken = false;
        client.calls.reads = 0;
        const happened = fate === 'unanswered' ? 1 : 0;
        expect(await run(api, move(1))).toMatchObject({ answer: { balance: 6 + happened } });
        expect(client.calls.reads).toBe(1);
      }
    });

    it('is answered when the command comes again', async () => {
      let broken = false;
      use(() => (broken ? 'unanswered' : 'answered'));
      const api = runner();
      await run(api, move(5));
      broken = true;
      const context = { commandId: randomUUID(), repeatable: true };
      await expect(run(api, move(1), { ...context, deadlineMs: Date.now() + 60 })).rejects.toThrow(
        UnknownOutcomeError,
      );
      broken = false;
      expect(await run(api, move(1), context)).toMatchObject({
        answer: { balance: 6 },
        revision: 1,
        replayed: true,
      });
      expect(await run(api, move(1))).toMatchObject({ answer: { balance: 7 }, revision: 2 });
      expect(await log()).toHaveLength(3);
    });
  });
});

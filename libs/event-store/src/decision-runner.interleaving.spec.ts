import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import type { CommandContext, Outcome, RecordedEvent } from '@app/kernel';
import { account, OverdraftError, type Account, type Answer, type Command } from './account.suite';
import {
  IdempotencyConflictError,
  NaturalKeyConflictError,
  StaleRevisionError,
  StreamBusyError,
} from './decision.errors';
import { DecisionRunner } from './decision-runner';
import { EsdbEventStore } from './esdb.event-store';
import { UnknownOutcomeError } from './event-store.port';
import {
  contextOf,
  InMemoryLogClient,
  openTestKeys,
  testCodec,
  type Fate,
  type Noted,
} from './event-store.suite';
import { PayloadMac } from './payload-mac';

/** One command somebody sends, on one of two processes. */
type Planned = Readonly<{
  on: 0 | 1;
  command: Command;
  /** Commands of one key are one command sent again, or another payload under the same key. */
  key: number | null;
  ifMatch: number | null;
  fresh: boolean;
}>;

/** How it ended, and how long the stream was when it was sent and when it was answered. */
type Ended = Readonly<{
  command: Command;
  context: CommandContext;
  outcome: { value: Outcome<Answer> } | { error: Error };
  from: number;
  to: number;
}>;

const STREAM = 'account-1';
const IDS = [randomUUID(), randomUUID(), randomUUID()];
const CLIENTS = 3;

const commands: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    type: fc.constant('Move' as const),
    n: fc.integer({ min: -8, max: 8 }),
    events: fc.integer({ min: 1, max: 2 }),
  }),
  fc.record({
    type: fc.constant('Move' as const),
    n: fc.integer({ min: 1, max: 2 }),
    key: fc.constantFrom('k1', 'k2'),
  }),
  fc.record({ type: fc.constant('Tag' as const), tag: fc.constantFrom('a', 'b') }),
);
const planned: fc.Arbitrary<Planned> = fc.record({
  on: fc.constantFrom(0 as const, 1 as const),
  command: commands,
  key: fc.option(fc.nat({ max: IDS.length - 1 })),
  ifMatch: fc.option(fc.nat({ max: 6 }), { freq: 4 }),
  fresh: fc.boolean(),
});
const faults = fc.array(fc.constantFrom<Fate>('answered', 'answered', 'lost', 'unanswered', 'late'), {
  maxLength: 12,
});
const pauses = fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 30 });

const stateOf = (events: readonly RecordedEvent<Noted>[]): Account =>
  events.reduce((state, event) => account.evolve(state, event), account.initialState());

const decidedOn = (command: Command, events: readonly RecordedEvent<Noted>[]) => {
  try {
    return account.decide(command, stateOf(events));
  } catch (error) {
    return error as Error;
  }
};

/** Whether what a command's sender was told is what the log says, at some moment between sending and answer. */
const expectTrue = (
  { command, context, outcome, from, to }: Ended,
  log: readonly RecordedEvent<Noted>[],
): void => {
  const own = log.filter(({ meta }) => meta.commandId === context.commandId);
  const moments = Array.from({ length: to - from + 1 }, (_, n) => log.slice(0, from + n));
  if ('value' in outcome) {
    const { answer, revision, replayed } = outcome.value;
    if (replayed) {
      expect(log[revision]?.meta.answer).toEqual(answer);
    } else if (own.at(-1)?.meta.revision === revision) {
      const first = own[0]?.meta.revision as number;
      const events = own.map(({ type, data }) => ({ type, data }));
      expect(decidedOn(command, log.slice(0, first))).toMatchObject({ answer, events });
      if (context.expectedRevision !== undefined) expect(first).toBe(context.expectedRevision + 1);
    } else {
      const nothingToDo = moments.some((moment) => {
        const decision = decidedOn(command, moment);
        return (
          'events' in decision && decision.events.length === 0 && decision.answer.balance === answer.balance
        );
      });
      expect(nothingToDo).toBe(true);
    }
    return;
  }
  const { error } = outcome;
  if (error instanceof OverdraftError) {
    expect(moments.some((moment) => decidedOn(command, moment) instanceof OverdraftError)).toBe(true);
  } else if (error instanceof StaleRevisionError) {
    expect(moments.some((moment) => moment.length - 1 !== context.expectedRevision)).toBe(true);
  } else if (error instanceof IdempotencyConflictError) {
    expect(own.length).toBeGreaterThan(0);
  } else if (error instanceof NaturalKeyConflictError) {
    const { key } = command as { key: string };
    expect(log.slice(0, to).some(({ data }) => data.key === key)).toBe(true);
  } else {
    expect([UnknownOutcomeError, StreamBusyError]).toContain(error.constructor);
  }
};

/** No event twice, no command in two places, no natural key twice, no rule broken. */
const expectSound = (log: readonly RecordedEvent<Noted>[]): void => {
  expect(new Set(log.map(({ meta }) => meta.eventId)).size).toBe(log.length);
  for (const commandId of new Set(log.map(({ meta }) => meta.commandId))) {
    const revisions = log.flatMap(({ meta }) => (meta.commandId === commandId ? [meta.revision] : []));
    expect((revisions.at(-1) as number) - (revisions[0] as number)).toBe(revisions.length - 1);
    const answers = log.filter(({ meta }) => meta.commandId === commandId && meta.answer !== undefined);
    expect(answers.length).toBeLessThanOrEqual(1);
  }
  for (const key of ['k1', 'k2'])
    expect(log.filter(({ data }) => data.key === key).length).toBeLessThanOrEqual(1);
  for (let length = 0; length <= log.length; length += 1) {
    expect(stateOf(log.slice(0, length)).balance).toBeGreaterThanOrEqual(0);
  }
};

describe('DecisionRunner in two processes, under any interleaving and any faults', () => {
  it('is as if the commands had happened one after the other', async () => {
    const keys = await openTestKeys();
    const play = async (plan: readonly Planned[], fates: readonly Fate[], turns: readonly number[]) => {
      let [nextFate, nextPause] = [0, 0];
      const client = new InMemoryLogClient(
        () => fates[nextFate++] ?? 'answered',
        async () => {
          for (let left = turns[nextPause++ % turns.length] as number; left > 0; left -= 1) await turn();
        },
      );
      const store = new EsdbEventStore(client, testCodec(keys));
      const processes = [0, 1].map(() => new DecisionRunner(store, new PayloadMac(keys.secrets)));
      const send = async ({ on, command, key, ifMatch, fresh }: Planned): Promise<Ended> => {
        const from = client.log.length;
        const context = contextOf({
          deadlineMs: Date.now() + 500,
          ...(key !== null && { commandId: IDS[key] as string, repeatable: true }),
          ...(ifMatch !== null && { expectedRevision: ifMatch }),
        });
        const runner = processes[on] as DecisionRunner;
        const outcome = await runner.run(account, STREAM, command, context, { fresh }).then(
          (value) => ({ value }),
          (error: unknown) => ({ error: error as Error }),
        );
        return { command, context, outcome, from, to: client.log.length };
      };
      const ended: Ended[] = [];
      const clients = Array.from({ length: CLIENTS }, async (_, lane) => {
        for (const item of plan.filter((__, index) => index % CLIENTS === lane)) ended.push(await send(item));
      });
      await Promise.all(clients);
      client.writeLate();
      const log: RecordedEvent<Noted>[] = [];
      for await (const event of store.readStream(STREAM)) log.push(event as RecordedEvent<Noted>);
      for (const end of ended) expectTrue(end, log);
      expectSound(log);
      // What the processes keep is what the log says.
      for (const runner of processes) {
        const { state, revision } = await runner.read(account, STREAM);
        expect({ state, revision: revision ?? -1 }).toEqual({
          state: stateOf(log),
          revision: log.length - 1,
        });
      }
    };
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(planned, { minLength: 2, maxLength: 24 }), faults, pauses, play),
        { numRuns: 80 },
      );
    } finally {
      await keys.close();
    }
  });
});

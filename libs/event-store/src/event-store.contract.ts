import { randomUUID } from 'node:crypto';
import { EventStore, RevisionConflictError } from './event-store.port';
import { contextOf, noted } from './event-store.suite';

/** Every adapter runs this suite. A rule that is not here is not a rule of the port. */
export const eventStoreContract = (
  name: string,
  open: () => Promise<Readonly<{ store: EventStore; close: () => Promise<void> }>>,
): void => {
  describe(`EventStore contract: ${name}`, () => {
    let store: EventStore;
    let close: () => Promise<void>;
    let stream: string;

    beforeAll(async () => {
      ({ store, close } = await open());
    });
    afterAll(() => close());
    beforeEach(() => {
      stream = `test-${randomUUID()}`;
    });

    const read = async (fromRevision?: number) => {
      const events = [];
      for await (const event of store.readStream(stream, fromRevision)) events.push(event);
      return events;
    };
    const numbers = async (fromRevision?: number) =>
      (await read(fromRevision)).map(({ data }) => (data as { n: number }).n);

    it('reads an unknown stream as empty', async () => {
      expect(await read()).toEqual([]);
      expect(await read(5)).toEqual([]);
    });

    it('returns events in append order, from a revision on', async () => {
      await store.append(stream, [noted(1), noted(2)], 'no-stream', contextOf());
      await store.append(stream, [noted(3)], 1, contextOf());
      expect(await numbers()).toEqual([1, 2, 3]);
      expect(await numbers(2)).toEqual([3]);
      expect(await numbers(3)).toEqual([]);
      expect(await numbers(30)).toEqual([]);
    });

    it('knows the last event of a stream', async () => {
      expect(await store.lastOf(stream)).toBeNull();
      await store.append(stream, [noted(1), noted(2)], 'no-stream', contextOf());
      await store.append(stream, [noted(3)], 1, contextOf());
      expect(await store.lastOf(stream)).toEqual((await read()).at(-1));
    });

    it('says where it wrote', async () => {
      const first = await store.append(stream, [noted(1), noted(2)], 'no-stream', contextOf());
      const second = await store.append(stream, [noted(3)], first.revision, contextOf());
      expect([first.revision, second.revision]).toEqual([1, 2]);
      expect(second.position > first.position).toBe(true);
      const events = await read();
      expect(events.map(({ meta }) => meta.revision)).toEqual([0, 1, 2]);
      expect(events[1]?.meta.position).toBe(first.position);
      expect(events[2]?.meta.position).toBe(second.position);
      expect(events.map(({ meta }) => meta.eventId)).toEqual([...first.eventIds, ...second.eventIds]);
    });

    it('finds the events of some types between two positions', async () => {
      const before = await store.head();
      const written = [];
      for (let n = 0; n < 5; n += 1)
        written.push(await store.append(`${stream}-${n}`, [noted(n)], 'no-stream', contextOf()));
      const found = async (types: string[], after: bigint | null, upTo: bigint): Promise<number[]> => {
        const numbersFound: number[] = [];
        for await (const { data, meta } of store.eventsOf(types, after, upTo))
          if (meta.stream.startsWith(stream)) numbersFound.push((data as { n: number }).n);
        return numbersFound;
      };
      const positions = written.map(({ position }) => position) as [bigint, bigint, bigint, bigint, bigint];
      const { type } = noted(1);
      expect(await found([type, 'test.Another.v1'], before, positions[4])).toEqual([0, 1, 2, 3, 4]);
      expect(await found([type], positions[1], positions[3])).toEqual([2, 3]);
      expect(await found([type], positions[4], positions[4])).toEqual([]);
      expect(await found([type], null, positions[0])).toEqual([0]);
      // Whole names, and no expressions.
      expect(
        await found([type.slice(0, -1), type.replaceAll('.', '-'), `${type}.*`], before, positions[4]),
      ).toEqual([]);
    });

    it('gives back what the command carried', async () => {
      const context = contextOf({
        onBehalfOf: 'staff-7',
        purpose: 'support',
        causationId: randomUUID(),
        correlationId: 'c-1',
      });
      const record = { mac: 'mac', answer: { balance: 5 } };
      await store.append(stream, [noted(1), noted(2, { note: 'called' })], 'no-stream', context, record);
      const [first, last] = await read();
      const { commandId, actor, onBehalfOf, purpose, causationId, correlationId } = context;
      const carried = {
        commandId,
        actor,
        onBehalfOf,
        purpose,
        causationId,
        correlationId,
        mac: 'mac',
        stream,
      };
      expect(first?.meta).toMatchObject(carried);
      expect(first?.meta).not.toHaveProperty('answer');
      expect(last?.meta).toMatchObject({ ...carried, answer: { balance: 5 } });
      expect(last?.data).toEqual(noted(2, { note: 'called' }).data);
      expect(last?.meta.sealed?.['note']).toMatch(/^1\.f\./);
      expect(Math.abs(Date.parse(last?.meta.recordedAt ?? '') - Date.now())).toBeLessThan(60_000);
    });

    it('records the facts of several writers wherever the stream ends, once', async () => {
      await store.append(stream, [noted(1)], 'no-stream', contextOf());
      const facts = [2, 3].map((n) => ({ event: noted(n), context: contextOf({ purpose: `p-${n}` }) }));
      const deadlineMs = Date.now() + 10_000;
      const { revision, eventIds } = await store.record(stream, facts, deadlineMs);
      expect([revision, eventIds.length]).toEqual([2, 2]);
      await store.record(stream, facts.slice(0, 1), deadlineMs);
      await store.record(stream, facts, deadlineMs);
      const events = await read();
      expect(await numbers()).toEqual([1, 2, 3]);
      expect(events.map(({ meta }) => meta.purpose)).toEqual([undefined, 'p-2', 'p-3']);
      expect(events.slice(1).map(({ meta }) => meta.commandId)).toEqual(
        facts.map(({ context }) => context.commandId),
      );
      const other = [{ event: noted(4), context: contextOf() }];
      await Promise.all([store.record(stream, other, deadlineMs), store.record(stream, facts, deadlineMs)]);
      expect(await numbers()).toEqual([1, 2, 3, 4]);
    });

    it('records facts at the revision that was expected, and at no other', async () => {
      const fact = (n: number) => [{ event: noted(n), context: contextOf() }];
      const deadlineMs = Date.now() + 10_000;
      const [first, second] = [fact(1), fact(2)];
      await store.record(stream, first, deadlineMs, 'no-stream');
      await store.record(stream, second, deadlineMs, 0);
      for (const expected of ['no-stream', 0, 2] as const) {
        await expect(store.record(stream, fact(3), deadlineMs, expected)).rejects.toThrow(
          RevisionConflictError,
        );
      }
      await store.record(stream, second, deadlineMs, 0);
      expect(await numbers()).toEqual([1, 2]);
    });

    it('refuses an append at any other revision', async () => {
      await expect(store.append(stream, [noted(1)], 0, contextOf())).rejects.toThrow(RevisionConflictError);
      await store.append(stream, [noted(1), noted(2)], 'no-stream', contextOf());
      for (const expected of ['no-stream', 0, 2] as const) {
        await expect(store.append(stream, [noted(3)], expected, contextOf())).rejects.toThrow(
          RevisionConflictError,
        );
      }
      expect(await numbers()).toEqual([1, 2]);
    });

    it('lets exactly one of many racing appends through', async () => {
      const race = Array.from({ length: 8 }, (_, n) =>
        store.append(stream, [noted(n)], 'no-stream', contextOf()),
      );
      const outcomes = await Promise.allSettled(race);
      const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
      expect(lost).toHaveLength(7);
      for (const { reason } of lost) expect(reason).toBeInstanceOf(RevisionConflictError);
      expect(await read()).toHaveLength(1);
    });

    it('writes the same append once', async () => {
      const context = contextOf();
      const first = await store.append(stream, [noted(1), noted(2)], 'no-stream', context);
      await store.append(stream, [noted(3)], 1, contextOf());
      expect(await store.append(stream, [noted(1), noted(2)], 'no-stream', context)).toEqual(first);
      expect(await numbers()).toEqual([1, 2, 3]);
    });

    it('does not take another append of the same command for the same', async () => {
      const context = contextOf({ repeatable: true });
      await store.append(stream, [noted(1)], 'no-stream', context, { mac: 'a', answer: {} });
      for (const [event, record] of [
        [noted(2), { mac: 'a', answer: {} }],
        [noted(1), { mac: 'b', answer: {} }],
        [noted(1), { mac: 'a', answer: { id: 'another' } }],
      ] as const) {
        await expect(store.append(stream, [event], 'no-stream', context, record)).rejects.toThrow(
          RevisionConflictError,
        );
      }
    });

    it('delivers every event behind a position, in order, then those that come', async () => {
      const before = await store.head();
      const written: number[] = [];
      const append = async (n: number) => {
        await store.append(`test-${randomUUID()}`, [noted(n), noted(n + 0.5)], 'no-stream', contextOf());
        written.push(n, n + 0.5);
      };
      for (let n = 0; n < 20; n += 1) await append(n);
      const stop = new AbortController();
      const states: string[] = [];
      const positions: bigint[] = [];
      const delivered: number[] = [];
      const subscription = store.subscribe({
        after: before,
        batchSizeMax: 7,
        signal: stop.signal,
        onState: (state) => states.push(state),
      });
      for await (const batch of subscription) {
        expect(batch.length).toBeGreaterThan(0);
        expect(batch.length).toBeLessThanOrEqual(7);
        for (const { data, meta } of batch) {
          delivered.push((data as { n: number }).n);
          positions.push(meta.position);
        }
        if (delivered.length >= 40 && written.length < 46) await append(written.length);
        if (delivered.length === 46) stop.abort();
      }
      expect(delivered).toEqual(written);
      expect(positions).toEqual([...positions].sort((a, b) => Number(a - b)));
      expect(states).toEqual(['live']);
      expect(await store.head()).toBe(positions.at(-1));
    });

    it('tells when what stands at a position was recorded, and nothing of any other', async () => {
      const positions: bigint[] = [];
      for (const n of [1, 2]) {
        const { position } = await store.append(`test-${randomUUID()}`, [noted(n)], 'no-stream', contextOf());
        positions.push(position);
      }
      const [first = 0n, last = 0n] = positions;
      const behind = store.subscribe({
        after: first,
        batchSizeMax: 10,
        signal: new AbortController().signal,
      });
      for await (const batch of behind) {
        const found = batch.find(({ meta }) => meta.position === last);
        if (found === undefined) continue;
        expect(await store.recordedAt(last)).toBe(found.meta.recordedAt);
        break;
      }
      expect(await store.recordedAt(first)).toMatch(/^\d{4}-.*Z$/);
      expect(await store.recordedAt(first + 1n === last ? last + 1n : first + 1n)).toBeNull();
      expect(await store.recordedAt(2n ** 62n)).toBeNull();
    });

    it('ends a subscription that waits, and one that has not begun', async () => {
      const stop = new AbortController();
      setTimeout(() => stop.abort(), 50);
      const waiting = store.subscribe({ after: await store.head(), batchSizeMax: 10, signal: stop.signal });
      for await (const batch of waiting) expect(batch).toEqual([]);
      const never = store.subscribe({ after: null, batchSizeMax: 10, signal: stop.signal });
      for await (const batch of never) expect(batch).toEqual([]);
    });
  });
};

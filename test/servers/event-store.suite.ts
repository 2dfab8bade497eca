import {
  BACKWARDS,
  binaryEvent,
  END,
  eventTypeFilter,
  excludeSystemEvents,
  jsonEvent,
  NO_STREAM,
  START,
  STREAM_EXISTS,
  streamNameFilter,
} from '@eventstore/db-client';
import { Empty } from '@eventstore/db-client/generated/shared_pb';
import { BatchAppendReq, ReadReq } from '@eventstore/db-client/generated/streams_pb';
import { randomUUID } from 'node:crypto';
import { APPEND_CALL, eventually, fact, Inbox, outcome, Probe } from './event-store.probe';
import { codeOf, identifierOf, RawCalls } from './event-store.raw';

const NOTHING = new Empty();
const SIZE_MAX = 1_048_576;
const TOMBSTONE = 9223372036854775807n;

/**
 * What this project relies on of an event store, as the official client sees it. Every server that is offered runs it,
 * so it uses fresh streams and never counts on a first position, on being alone or on an empty `$all`.
 */
export const eventStoreSuite = (name: string, open: () => Promise<string>): void => {
  describe(`event store: ${name}`, () => {
    let probe: Probe;
    let raw: RawCalls;

    beforeAll(async () => {
      const connectionString = await open();
      probe = new Probe(connectionString);
      raw = new RawCalls(connectionString);
    });

    afterAll(async () => {
      raw.close();
      await probe.close();
    });

    const append = (...args: Parameters<Probe['client']['appendToStream']>) =>
      outcome(probe.client.appendToStream(...args));
    const wrong = (streamName: string, expectedVersion: unknown, actualVersion: unknown) => ({
      type: 'wrong-expected-version',
      streamName,
      expectedVersion,
      actualVersion,
    });
    const deleted = (streamName: string) => ({ type: 'stream-deleted', streamName });
    const notFound = (streamName: string) => ({ type: 'stream-not-found', streamName });
    const wrote = (revision: bigint) => ({
      success: true,
      nextExpectedRevision: revision,
      position: { commit: expect.any(BigInt), prepare: expect.any(BigInt) },
    });
    const softDeletedStream = async (n: number): Promise<string> => {
      const stream = await probe.streamOf(n);
      await probe.client.deleteStream(stream);
      return stream;
    };
    /** A real server writes this metadata behind the append that it acknowledges. */
    const recreated = (stream: string, from: number): Promise<void> =>
      eventually(
        async () => (await probe.client.getStreamMetadata(stream)).metadata?.truncateBefore === from,
        'the metadata of the recreated stream',
      );
    const closedStream = async (n: number): Promise<string> => {
      const stream = await probe.streamOf(n);
      await probe.client.tombstoneStream(stream);
      return stream;
    };

    describe.each([
      ['BatchAppend', {}],
      ['Append', APPEND_CALL],
    ])('expected revision, %s', (_call, options) => {
      it.each([
        ['any', undefined, 0n],
        ['no_stream', NO_STREAM, 0n],
      ])('creates a missing stream: %s', async (_name, expectedRevision, revision) => {
        const stream = probe.fresh();
        const expected = expectedRevision === undefined ? {} : ({ expectedRevision: NO_STREAM } as const);
        expect(await append(stream, fact(0), { ...expected, ...options })).toEqual(wrote(revision));
      });

      it('refuses a missing stream that should be there', async () => {
        const stream = probe.fresh();
        const exists = { expectedRevision: STREAM_EXISTS, ...options } as const;
        expect(await append(stream, fact(0), exists)).toEqual(wrong(stream, 'stream_exists', 'no_stream'));
        const at = { expectedRevision: 3n, ...options };
        expect(await append(stream, fact(0), at)).toEqual(wrong(stream, 3n, 'no_stream'));
      });

      it('compares with the head of an existing stream', async () => {
        const stream = await probe.streamOf(3);
        expect(await append(stream, fact(3), options)).toEqual(wrote(3n));
        expect(await append(stream, fact(4), { expectedRevision: STREAM_EXISTS, ...options })).toEqual(
          wrote(4n),
        );
        expect(await append(stream, [fact(5), fact(6)], { expectedRevision: 4n, ...options })).toEqual(
          wrote(6n),
        );
        const refusals = [NO_STREAM, 5n, 7n, 2n ** 63n - 2n] as const;
        for (const expectedRevision of refusals) {
          const refused = await append(stream, fact(9), { expectedRevision, ...options });
          expect(refused).toEqual(wrong(stream, expectedRevision, 6n));
        }
        expect(await probe.revisions(stream)).toEqual([0, 1, 2, 3, 4, 5, 6]);
      });

      it.each([
        ['any', undefined],
        ['no_stream', NO_STREAM],
        ['its last revision', 2n],
      ] as const)('goes on behind a soft-deleted stream: %s', async (_name, expectedRevision) => {
        const stream = await softDeletedStream(3);
        const expected = expectedRevision === undefined ? {} : { expectedRevision };
        expect(await append(stream, fact(3), { ...expected, ...options })).toEqual(wrote(3n));
        expect(await probe.revisions(stream)).toEqual([3]);
        const { metadata } = await probe.client.getStreamMetadata(stream);
        expect(metadata).toEqual({ truncateBefore: 3 });
      });

      it('refuses a soft-deleted stream that should exist or be elsewhere', async () => {
        const stream = await softDeletedStream(3);
        const exists = { expectedRevision: STREAM_EXISTS, ...options } as const;
        expect(await append(stream, fact(3), exists)).toEqual(deleted(stream));
        expect(await append(stream, fact(3), { expectedRevision: 1n, ...options })).toEqual(
          wrong(stream, 1n, 2n),
        );
      });

      it('refuses everything on a tombstoned stream', async () => {
        const stream = await closedStream(3);
        for (const expectedRevision of [undefined, NO_STREAM, STREAM_EXISTS, 2n, 1n] as const) {
          const expected = expectedRevision === undefined ? {} : { expectedRevision };
          expect(await append(stream, fact(3), { ...expected, ...options })).toEqual(deleted(stream));
        }
      });

      it('limits the data of one append', async () => {
        const stream = probe.fresh();
        const bytes = (length: number) =>
          binaryEvent({ type: 'test.Bytes.v1', data: new Uint8Array(length) });
        const half = SIZE_MAX / 2;
        expect(await append(stream, [bytes(half), bytes(half)], options)).toEqual(wrote(1n));
        const tooMuch = await append(stream, [bytes(half), bytes(half + 1)], options);
        expect(tooMuch).toMatchObject({ type: 'maximum-append-size-exceeded' });
        expect(await probe.revisions(stream)).toEqual([0, 1]);
      });

      it('treats an append of nothing as a question', async () => {
        const stream = probe.fresh();
        expect(await append(stream, [], options)).toMatchObject({ success: true });
        expect(await append(stream, [], { expectedRevision: NO_STREAM, ...options })).toMatchObject({
          success: true,
        });
        expect(await outcome(probe.read(stream))).toEqual(notFound(stream));
        const there = await probe.streamOf(2);
        expect(await append(there, [], { expectedRevision: 0n, ...options })).toEqual(wrong(there, 0n, 1n));
        expect(await append(there, [], { expectedRevision: 5n, ...options })).toEqual(wrong(there, 5n, 1n));
        expect(await probe.revisions(there)).toEqual([0, 1]);
      });

      it('answers a deadline that has passed', async () => {
        const late = await append(probe.fresh(), fact(0), { deadline: 0, ...options });
        expect(late).toMatchObject({ type: 'deadline-exceeded' });
      });
    });

    describe.each([
      ['BatchAppend', {}],
      ['Append', APPEND_CALL],
    ])('idempotence by event id, %s', (_call, options) => {
      it('answers a repetition with the first answer, and writes nothing', async () => {
        const stream = probe.fresh();
        const [a, b, c] = [fact(0), fact(1), fact(2)];
        const first = await append(stream, [a, b], { expectedRevision: NO_STREAM, ...options });
        const second = await append(stream, c, { expectedRevision: 1n, ...options });
        expect(await append(stream, [a, b], { expectedRevision: NO_STREAM, ...options })).toEqual(first);
        expect(await append(stream, [a, b], options)).toEqual(first);
        expect(await append(stream, [a, b], { expectedRevision: STREAM_EXISTS, ...options })).toEqual(first);
        expect(await append(stream, c, { expectedRevision: 1n, ...options })).toEqual(second);
        expect(await append(stream, [b, c], { expectedRevision: 0n, ...options })).toEqual(second);
        expect(await append(stream, a, { expectedRevision: NO_STREAM, ...options })).toEqual(wrote(0n));
        expect(await probe.revisions(stream)).toEqual([0, 1, 2]);
      });

      it('refuses what is only partly a repetition', async () => {
        const stream = probe.fresh();
        const [a, b, c, d] = [fact(0), fact(1), fact(2), fact(3)];
        await append(stream, [a, b, c, d], { expectedRevision: NO_STREAM, ...options });
        expect(await append(stream, b, { expectedRevision: NO_STREAM, ...options })).toEqual(
          wrong(stream, 'no_stream', 3n),
        );
        expect(await append(stream, [a, fact(9)], { expectedRevision: NO_STREAM, ...options })).toEqual(
          wrong(stream, 'no_stream', 3n),
        );
        expect(await append(stream, [a, fact(9)], options)).toEqual(wrong(stream, 'any', 3n));
        expect(await append(stream, [a, d], { expectedRevision: NO_STREAM, ...options })).toEqual(
          wrong(stream, 'no_stream', 3n),
        );
        expect(await probe.revisions(stream)).toEqual([0, 1, 2, 3]);
      });

      it('writes old ids again where they are new', async () => {
        const stream = probe.fresh();
        const old = fact(0);
        await append(stream, old, options);
        expect(await append(stream, old, { expectedRevision: 0n, ...options })).toEqual(wrote(1n));
        expect(await append(stream, [fact(2), old], options)).toEqual(wrote(3n));
        expect(await append(probe.fresh(), old, options)).toEqual(wrote(0n));
        const twice = fact(4);
        const other = probe.fresh();
        expect(await append(other, [twice, twice], options)).toEqual(wrote(1n));
        expect(await append(other, [twice, twice], { expectedRevision: NO_STREAM, ...options })).toEqual(
          wrote(1n),
        );
        expect(await append(other, twice, options)).toEqual(wrote(0n));
        expect(await probe.revisions(other)).toEqual([0, 1]);
      });

      it('knows ids of before a soft delete, without a position to name', async () => {
        const stream = probe.fresh();
        const old = fact(0);
        await append(stream, old, options);
        await probe.client.deleteStream(stream);
        const nothingWritten = { success: true, nextExpectedRevision: 0n };
        expect(await append(stream, old, options)).toMatchObject(nothingWritten);
        expect(await append(stream, old, { expectedRevision: NO_STREAM, ...options })).toMatchObject(
          nothingWritten,
        );
        expect(await outcome(probe.read(stream))).toEqual(notFound(stream));
      });
    });

    describe('what is refused', () => {
      const any = (options: { setAny(value: Empty): void }) => options.setAny(NOTHING);

      it('names the metadata that an event lacks', async () => {
        const lacking = raw.append(probe.fresh(), [{ metadata: { type: 'x' } }], any);
        await expect(lacking).rejects.toMatchObject({ code: 3 });
        const trailers = await lacking.catch((error) => error.metadata.getMap());
        expect(trailers).toMatchObject({
          exception: 'missing-required-metadata-property',
          'required-metadata-properties': 'type,content-type',
        });
      });

      it.each([
        ['an empty type', { metadata: { type: '', 'content-type': 'application/json' } }],
        ['an id that is none', { id: 'not-a-uuid' }],
        ['the zero id', { id: '00000000-0000-0000-0000-000000000000' }],
      ])('%s', async (_name, event) => {
        const stream = probe.fresh();
        expect(await codeOf(raw.append(stream, [event], any))).toBe(2);
        const batch = await raw.batchAppend(stream, [event]);
        expect(batch.getError()?.getCode()).toBe(3);
        expect(await outcome(probe.read(stream))).toEqual(notFound(stream));
      });

      it('an empty stream name', async () => {
        expect(await codeOf(raw.append('', [{}], any))).toBe(2);
      });

      it('echoes stream and correlation in batch answers, with the errors as statuses', async () => {
        const stream = await probe.streamOf(1);
        let correlation = '';
        const answer = await raw.batchAppend(stream, [{}], (request: BatchAppendReq) => {
          request.getOptions()?.setNoStream(NOTHING);
          correlation = request.getCorrelationId()?.getString() ?? '';
        });
        expect(answer.getCorrelationId()?.getString()).toBe(correlation);
        expect(Buffer.from(answer.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString()).toBe(stream);
        expect(answer.getError()?.getCode()).toBe(6);
        expect(answer.getError()?.getDetails()?.getTypeUrl()).toBe(
          'type.googleapis.com/event_store.client.WrongExpectedVersion',
        );
        const closed = await closedStream(1);
        expect((await raw.batchAppend(closed, [{}])).getError()?.getCode()).toBe(5);
      });

      it('takes an append in several messages', async () => {
        const stream = probe.fresh();
        const events = Array.from({ length: 50 }, (_, n) => fact(n));
        expect(await append(stream, events, { batchAppendSize: 1_000 })).toEqual(wrote(49n));
        expect(await probe.revisions(stream)).toHaveLength(50);
      });
    });

    describe('what comes back', () => {
      it('keeps data, metadata, type, id and content type', async () => {
        const stream = probe.fresh('naïve-流');
        const json = jsonEvent({
          type: 'test.Ünïcode.v1',
          data: { text: 'ž'.repeat(300) },
          metadata: { by: 'me' },
        });
        const bytes = binaryEvent({
          type: 'test.Bytes.v1',
          data: Uint8Array.of(0, 255, 1),
          metadata: Uint8Array.of(9, 8),
        });
        const before = Date.now();
        await append(stream, [json, bytes]);
        const [first, second] = await probe.read(stream);
        expect(first?.event).toMatchObject({
          streamId: stream,
          id: json.id,
          revision: 0n,
          type: json.type,
          data: json.data,
          metadata: json.metadata,
          isJson: true,
        });
        expect(second?.event).toMatchObject({ id: bytes.id, revision: 1n, isJson: false });
        expect(Buffer.from(second?.event?.data as Uint8Array)).toEqual(Buffer.of(0, 255, 1));
        expect(Buffer.from(second?.event?.metadata as Uint8Array)).toEqual(Buffer.of(9, 8));
        expect(Math.abs((first?.event?.created.getTime() ?? 0) - before)).toBeLessThan(60_000);
      });

      it('takes invalid JSON as it is, and other content types for bytes', async () => {
        const stream = probe.fresh();
        const metadata = (contentType: string) => ({ type: 'test.Odd.v1', 'content-type': contentType });
        await raw.batchAppend(stream, [
          { metadata: metadata('application/json'), data: Buffer.from('{"a":') },
          { metadata: metadata('text/plain'), data: Buffer.from('text') },
        ]);
        const [json, text] = await probe.read(stream);
        expect(json?.event).toMatchObject({ isJson: true, data: '{"a":' });
        expect(text?.event?.isJson).toBe(false);
      });

      it('gives every event one position, strictly rising, and answers with the last', async () => {
        const stream = probe.fresh();
        const answers = [];
        for (const n of [2, 1, 3]) {
          answers.push(
            await probe.client.appendToStream(
              stream,
              Array.from({ length: n }, (_, i) => fact(i)),
            ),
          );
        }
        const positions = (await probe.read(stream)).map(({ event }) => event?.position);
        expect(positions.every((position) => position?.commit === position?.prepare)).toBe(true);
        const commits = positions.map((position) => position?.commit ?? 0n);
        expect(commits).toEqual([...new Set(commits)].sort((a, b) => (a < b ? -1 : 1)));
        expect(answers.map(({ position }) => position?.commit)).toEqual([commits[1], commits[2], commits[5]]);
      });

      it('keeps the order of pipelined appends on a warm client', async () => {
        const stream = await probe.streamOf(1);
        await Promise.all(Array.from({ length: 40 }, (_, n) => probe.client.appendToStream(stream, fact(n))));
        const data = (await probe.read(stream)).slice(1).map(({ event }) => (event?.data as { n: number }).n);
        expect(data).toEqual(Array.from({ length: 40 }, (_, n) => n));
      });
    });

    describe('reading a stream', () => {
      it('answers missing, deleted and tombstoned streams each in its way', async () => {
        const missing = probe.fresh();
        const soft = await softDeletedStream(2);
        const closed = await closedStream(2);
        for (const direction of ['forwards', 'backwards'] as const) {
          const fromRevision = direction === 'forwards' ? START : END;
          expect(await outcome(probe.read(missing, { direction, fromRevision }))).toEqual(notFound(missing));
          expect(await outcome(probe.read(soft, { direction, fromRevision }))).toEqual(notFound(soft));
          expect(await outcome(probe.read(closed, { direction, fromRevision }))).toEqual(deleted(closed));
        }
      });

      it('reads both ways from anywhere, as many as are asked for', async () => {
        const stream = await probe.streamOf(5);
        expect(await probe.revisions(stream, { fromRevision: 2n })).toEqual([2, 3, 4]);
        expect(await probe.revisions(stream, { fromRevision: 1n, maxCount: 2 })).toEqual([1, 2]);
        expect(await probe.revisions(stream, { fromRevision: 5n })).toEqual([]);
        expect(await probe.revisions(stream, { fromRevision: 10n })).toEqual([]);
        const back = { direction: BACKWARDS } as const;
        expect(await probe.revisions(stream, { ...back, fromRevision: END })).toEqual([4, 3, 2, 1, 0]);
        expect(await probe.revisions(stream, { ...back, fromRevision: 2n, maxCount: 2 })).toEqual([2, 1]);
        expect(await probe.revisions(stream, { ...back, fromRevision: 10n })).toEqual([4, 3, 2, 1, 0]);
        expect(await probe.revisions(stream, { ...back, fromRevision: START })).toEqual([0]);
      });

      it('reads a stream longer than any buffer', async () => {
        const stream = probe.fresh();
        const pad = 'x'.repeat(200_000);
        for (let n = 0; n < 8; n += 1) {
          await append(stream, jsonEvent({ type: 'test.Large.v1', data: { n, pad } }));
        }
        const events = await probe.read(stream);
        expect(events.map(({ event }) => (event?.data as { n: number }).n)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      });

      it('refuses requests that make no sense', async () => {
        const stream = await probe.streamOf(1);
        const source = (
          options: ReadReq.Options,
          change: (stream: ReadReq.Options.StreamOptions) => void,
        ) => {
          const from = new ReadReq.Options.StreamOptions();
          from.setStreamIdentifier(identifierOf(stream));
          change(from);
          options.setStream(from);
        };
        const start = (options: ReadReq.Options) => source(options, (from) => from.setStart(NOTHING));
        const forwardsFromEnd = raw.read((options) => {
          source(options, (from) => from.setEnd(NOTHING));
          options.setCount('1');
        });
        expect(await codeOf(forwardsFromEnd)).toBe(2);
        const countZero = raw.read((options) => {
          start(options);
          options.setCount('0');
        });
        expect(await codeOf(countZero)).toBe(2);
        const noUuidOption = raw.read((options) => {
          start(options);
          options.setCount('1');
          options.clearUuidOption();
        });
        expect(await codeOf(noUuidOption)).toBe(3);
        const filtered = raw.read((options) => {
          start(options);
          options.setCount('1');
          options.setFilter(typePrefix('test.'));
        });
        expect(await codeOf(filtered)).toBe(3);
      });
    });

    const typePrefix = (prefix: string): ReadReq.Options.FilterOptions => {
      const filter = new ReadReq.Options.FilterOptions();
      const expression = new ReadReq.Options.FilterOptions.Expression();
      expression.addPrefix(prefix);
      filter.setEventType(expression);
      filter.setCount(NOTHING);
      filter.setCheckpointintervalmultiplier(1);
      return filter;
    };

    describe('reading $all', () => {
      const names = (events: readonly { event?: { streamId: string; revision: bigint } }[]) =>
        events.map(({ event }) => `${event?.streamId}@${event?.revision}`);

      it('forwards includes the event at a position, backwards leaves it out', async () => {
        const stream = await probe.streamOf(4);
        const positions = (await probe.read(stream)).map(
          ({ event }) => event?.position as { commit: bigint; prepare: bigint },
        );
        const [, second, third] = positions as [unknown, (typeof positions)[0], (typeof positions)[0]];
        const forwards = await probe.readAll({ fromPosition: second, maxCount: 2 });
        expect(names(forwards)).toEqual([`${stream}@1`, `${stream}@2`]);
        const backwards = await probe.readAll({ fromPosition: third, maxCount: 2, direction: BACKWARDS });
        expect(names(backwards)).toEqual([`${stream}@1`, `${stream}@0`]);
        expect(await probe.readAll({ fromPosition: END, maxCount: 1, direction: BACKWARDS })).toHaveLength(1);
        expect(await probe.readAll({ fromPosition: END, maxCount: 1 })).toEqual([]);
        expect(await probe.readAll({ fromPosition: START, maxCount: 1, direction: BACKWARDS })).toEqual([]);
      });

      it('reads from the start, and all of it backwards in the opposite order', async () => {
        await probe.streamOf(30);
        const some = await probe.readAll({ maxCount: 20 });
        expect(some.length).toBeGreaterThan(0);
        const commits = some.map(({ event }) => event?.position?.commit ?? 0n);
        expect([...commits].sort((a, b) => (a < b ? -1 : 1))).toEqual(commits);
        const last = some.at(-1)?.event?.position as { commit: bigint; prepare: bigint };
        const back = await probe.readAll({ fromPosition: last, direction: BACKWARDS });
        expect(names(back.reverse())).toEqual(names(some.slice(0, -1)));
      });

      it('refuses positions where no event begins', async () => {
        const { commit } = await probe.now();
        await probe.now();
        const inside = { commit: commit + 1n, prepare: commit + 1n };
        for (const direction of ['forwards', 'backwards'] as const) {
          expect(await codeOf(probe.readAll({ fromPosition: inside, maxCount: 1, direction }))).toBe(2);
        }
        const beyond = { commit: commit + 1_000_000_000n, prepare: commit + 1_000_000_000n };
        expect(await probe.readAll({ fromPosition: beyond, maxCount: 1 })).toEqual([]);
        expect(await codeOf(probe.readAll({ fromPosition: beyond, maxCount: 1, direction: BACKWARDS }))).toBe(
          2,
        );
      });

      it('counts matches of a filter, both ways', async () => {
        const prefix = `test.${randomUUID().slice(0, 8)}.`;
        const from = await probe.now();
        const stream = probe.fresh();
        for (let n = 0; n < 6; n += 1) {
          const type = n % 2 === 0 ? `${prefix}Even.v1` : 'test.Odd.v1';
          await append(stream, jsonEvent({ type, data: { n } }));
        }
        const read = async (direction: 0 | 1, count: string) => {
          const messages = await raw.read((options) => {
            const all = new ReadReq.Options.AllOptions();
            if (direction === 1) all.setEnd(NOTHING);
            else {
              const position = new ReadReq.Options.Position();
              position.setCommitPosition(from.commit.toString());
              position.setPreparePosition(from.prepare.toString());
              all.setPosition(position);
            }
            options.setAll(all);
            options.setReadDirection(direction);
            options.setCount(count);
            options.setFilter(typePrefix(prefix));
          });
          return messages.flatMap((message) =>
            message.hasEvent() ? [Number(message.getEvent()?.getEvent()?.getStreamRevision())] : [],
          );
        };
        expect(await read(0, '2')).toEqual([0, 2]);
        expect(await read(1, '2')).toEqual([4, 2]);
        expect(await read(0, '9')).toEqual([0, 2, 4]);
      });

      it('still shows deleted events, and the system events that deleted them', async () => {
        const from = await probe.now();
        const stream = probe.fresh();
        await append(stream, [fact(0), fact(1)]);
        await probe.client.deleteStream(stream);
        await append(stream, fact(2));
        await recreated(stream, 2);
        await probe.client.tombstoneStream(stream);
        const events = await probe.allSince(from, stream, 6);
        expect(
          events.map(
            ({ event }) => `${event?.streamId.replace(stream, 's')}@${event?.revision} ${event?.type}`,
          ),
        ).toEqual([
          's@0 test.Happened.v1',
          's@1 test.Happened.v1',
          '$$s@0 $metadata',
          's@2 test.Happened.v1',
          '$$s@1 $metadata',
          `s@${TOMBSTONE} $streamDeleted`,
        ]);
      });
    });

    describe('catch-up subscriptions to a stream', () => {
      it('confirm, catch up, say so, and go on', async () => {
        const stream = await probe.streamOf(3);
        const inbox = new Inbox(probe.client.subscribeToStream(stream));
        await inbox.until(({ entries }) => entries.includes('caughtUp'), 'caughtUp');
        await append(stream, fact(3));
        await inbox.until(({ received }) => received.length === 4, 'the live event');
        expect(inbox.entries[0]).toBe('confirmation');
        expect(inbox.entries.filter((entry) => entry.includes('@'))).toEqual(
          [0, 1, 2, 3].map((n) => `${stream}@${n}`),
        );
        await inbox.subscription.unsubscribe();
      });

      it('go on behind the revision they name, or from the end', async () => {
        const stream = await probe.streamOf(3);
        const behind = new Inbox(probe.client.subscribeToStream(stream, { fromRevision: 1n }));
        const end = new Inbox(probe.client.subscribeToStream(stream, { fromRevision: END }));
        for (const inbox of [behind, end])
          await inbox.until(({ entries }) => entries.includes('caughtUp'), 'caughtUp');
        await append(stream, fact(3));
        for (const inbox of [behind, end]) {
          await inbox.until(({ entries }) => entries.includes(`${stream}@3`), 'the live event');
          await inbox.subscription.unsubscribe();
        }
        expect(behind.received.map(({ event }) => event?.revision)).toEqual([2n, 3n]);
        expect(end.received.map(({ event }) => event?.revision)).toEqual([3n]);
      });

      it('wait for a missing or deleted stream', async () => {
        const missing = probe.fresh();
        const soft = await softDeletedStream(2);
        for (const [stream, revision] of [
          [missing, 0n],
          [soft, 2n],
        ] as const) {
          const inbox = new Inbox(probe.client.subscribeToStream(stream));
          await inbox.until(({ entries }) => entries.includes('caughtUp'), 'caughtUp');
          await append(stream, fact(0));
          await inbox.until(({ received }) => received.length === 1, 'the first event');
          expect(inbox.received[0]?.event?.revision).toBe(revision);
          await inbox.subscription.unsubscribe();
        }
      });

      it('end when the stream is tombstoned', async () => {
        const stream = await probe.streamOf(1);
        const inbox = new Inbox(probe.client.subscribeToStream(stream));
        await inbox.until(({ entries }) => entries.includes('caughtUp'), 'caughtUp');
        await probe.client.tombstoneStream(stream);
        await inbox.until(({ error }) => error !== null, 'the end');
        expect(inbox.received.map(({ event }) => [event?.type, event?.revision])).toEqual([
          ['test.Happened.v1', 0n],
          ['$streamDeleted', TOMBSTONE],
        ]);
        expect(inbox.error).toMatchObject({ type: 'stream-deleted', streamName: stream });
      });

      it('do not begin on a tombstoned stream', async () => {
        const stream = await closedStream(1);
        for (const fromRevision of [START, END, 5n] as const) {
          const inbox = new Inbox(probe.client.subscribeToStream(stream, { fromRevision }));
          await inbox.until(({ error }) => error !== null, 'the refusal');
          expect(inbox.entries).toEqual([]);
          expect(inbox.error).toMatchObject({ type: 'stream-deleted', streamName: stream });
        }
      });

      it('skip events up to a revision beyond the head', async () => {
        const stream = await probe.streamOf(2);
        const inbox = new Inbox(probe.client.subscribeToStream(stream, { fromRevision: 3n }));
        await inbox.until(({ entries }) => entries.includes('caughtUp'), 'caughtUp');
        await append(stream, [fact(2), fact(3), fact(4)]);
        await inbox.until(({ received }) => received.length === 1, 'the event behind it');
        expect(inbox.received.map(({ event }) => event?.revision)).toEqual([4n]);
        await inbox.subscription.unsubscribe();
      });

      it('say that they have ended after unsubscribe', async () => {
        const subscription = probe.client.subscribeToStream(await probe.streamOf(1));
        const ended = new Promise<void>((resolve) => void subscription.on('close', resolve));
        subscription.on('data', () => void subscription.unsubscribe());
        await ended;
      });
    });

    describe('catch-up subscriptions to $all', () => {
      it('deliver what a filter lets through: catch-up, then live, each once and in order', async () => {
        const from = await probe.now();
        const mine = probe.fresh('mine');
        const other = probe.fresh('other');
        for (let n = 0; n < 5; n += 1) {
          await append(mine, fact(n));
          await append(other, fact(n));
        }
        const filters = [
          streamNameFilter({ prefixes: ['mine-none', mine] }),
          streamNameFilter({ regex: `^${mine}$` }),
        ];
        const inboxes = filters.map(
          (filter) => new Inbox(probe.client.subscribeToAll({ fromPosition: from, filter })),
        );
        for (const inbox of inboxes)
          await inbox.until(({ entries }) => entries.includes('caughtUp'), 'caughtUp');
        await append(other, fact(5));
        await append(mine, fact(5));
        for (const inbox of inboxes) {
          await inbox.until(({ received }) => received.length === 6, 'six events');
          expect(inbox.received.map(({ event }) => `${event?.streamId}@${event?.revision}`)).toEqual(
            [0, 1, 2, 3, 4, 5].map((n) => `${mine}@${n}`),
          );
          await inbox.subscription.unsubscribe();
        }
      });

      it('filter by type, and leave system events out', async () => {
        const from = await probe.now();
        const stream = probe.fresh();
        const type = `test.${randomUUID().slice(0, 8)}`;
        await append(stream, [
          jsonEvent({ type: `${type}.A`, data: {} }),
          fact(1),
          jsonEvent({ type: `${type}.B`, data: {} }),
        ]);
        await probe.client.setStreamMetadata(stream, { maxCount: 10 });
        await append(stream, jsonEvent({ type: `${type}.C`, data: {} }));
        const prefixes = new Inbox(
          probe.client.subscribeToAll({
            fromPosition: from,
            filter: eventTypeFilter({ prefixes: [`${type}.`] }),
          }),
        );
        await prefixes.until(({ received }) => received.length === 3, 'three events');
        expect(prefixes.received.map(({ event }) => event?.type)).toEqual([
          `${type}.A`,
          `${type}.B`,
          `${type}.C`,
        ]);
        const application = new Inbox(
          probe.client.subscribeToAll({ fromPosition: from, filter: excludeSystemEvents() }),
        );
        await application.until(({ entries }) => entries.includes(`${stream}@3`), 'the last event');
        expect(application.received.every(({ event }) => event?.type.startsWith('$') === false)).toBe(true);
        for (const inbox of [prefixes, application]) await inbox.subscription.unsubscribe();
      });

      it('go on behind a position, without a filter too', async () => {
        const stream = await probe.streamOf(3);
        const positions = (await probe.read(stream)).map(
          ({ event }) => event?.position as { commit: bigint; prepare: bigint },
        );
        const inbox = new Inbox(
          probe.client.subscribeToAll({ fromPosition: positions[0] as (typeof positions)[0] }),
        );
        await inbox.until(({ received }) => received.length >= 2, 'two events');
        expect(inbox.entries.filter((entry) => entry.includes('@')).slice(0, 2)).toEqual([
          `${stream}@1`,
          `${stream}@2`,
        ]);
        await inbox.subscription.unsubscribe();
      });

      it('refuse an invalid position after the confirmation', async () => {
        const { commit } = await probe.now();
        const fromPosition = { commit: commit + 1n, prepare: commit + 1n };
        await probe.streamOf(2);
        const inbox = new Inbox(probe.client.subscribeToAll({ fromPosition }));
        await inbox.until(({ error }) => error !== null, 'the refusal');
        expect(inbox.entries).toEqual(['confirmation']);
        expect(inbox.error).toMatchObject({ code: 3 });
      });

      it('report checkpoints from which nothing is lost', async () => {
        const from = await probe.now();
        const rare = probe.fresh('rare');
        const common = probe.fresh('common');
        await append(rare, fact(0));
        for (let n = 0; n < 4; n += 1)
          await append(
            common,
            Array.from({ length: 40 }, (_, i) => fact(i)),
          );
        await append(rare, fact(1));
        const checkpoints: { commit: bigint; prepare: bigint }[] = [];
        const noted: string[] = [];
        const filter = (note: boolean) =>
          streamNameFilter({
            prefixes: [rare],
            checkpointInterval: 1,
            ...(note
              ? {
                  checkpointReached: (
                    _subscription: unknown,
                    position: { commit: bigint; prepare: bigint },
                  ) => {
                    checkpoints.push(position);
                    noted.push('checkpoint');
                  },
                }
              : {}),
          });
        const inbox = new Inbox(probe.client.subscribeToAll({ fromPosition: from, filter: filter(true) }));
        inbox.subscription.on('caughtUp', () => noted.push('caughtUp'));
        await inbox.until(
          ({ entries, received }) => entries.includes('caughtUp') && received.length === 2,
          'caughtUp',
        );
        expect(noted.lastIndexOf('caughtUp')).toBeGreaterThan(0);
        const duringCatchUp = checkpoints.length;
        expect(duringCatchUp).toBeGreaterThanOrEqual(3);
        await append(
          common,
          Array.from({ length: 70 }, (_, i) => fact(i)),
        );
        await append(rare, fact(2));
        await inbox.until(({ received }) => received.length === 3, 'the live event');
        expect(checkpoints.length).toBeGreaterThan(duringCatchUp);
        await inbox.subscription.unsubscribe();
        const commits = checkpoints.map(({ commit }) => commit);
        expect([...new Set(commits)].sort((a, b) => (a < b ? -1 : 1))).toEqual(commits);

        for (const checkpoint of checkpoints) {
          const resumed = new Inbox(
            probe.client.subscribeToAll({ fromPosition: checkpoint, filter: filter(false) }),
          );
          const expected = inbox.received.filter(
            ({ event }) => (event?.position?.commit ?? 0n) > checkpoint.commit,
          );
          await resumed.until(
            ({ received, entries }) => entries.includes('caughtUp') && received.length >= expected.length,
            'the rest',
          );
          const got = resumed.received.map(({ event }) => event?.id);
          expect(got.slice(-expected.length || got.length)).toEqual(expected.map(({ event }) => event?.id));
          await resumed.subscription.unsubscribe();
        }
      });

      it('refuse a regular expression that is none', async () => {
        const inbox = new Inbox(probe.client.subscribeToAll({ filter: streamNameFilter({ regex: '([' }) }));
        await inbox.until(({ error }) => error !== null, 'the refusal');
        expect(inbox.error).toMatchObject({ code: 2 });
      });

      it('go on with the event of a checkpoint commit/0', async () => {
        const from = await probe.now();
        const stream = await probe.streamOf(2);
        const [first] = await probe.read(stream);
        const commit = first?.event?.position?.commit ?? 0n;
        expect(commit).toBeGreaterThan(from.commit);
        const inbox = new Inbox(
          probe.client.subscribeToAll({
            fromPosition: { commit, prepare: 0n },
            filter: streamNameFilter({ prefixes: [stream] }),
          }),
        );
        await inbox.until(({ received }) => received.length === 2, 'both events');
        await inbox.subscription.unsubscribe();
      });

      it('refuse a checkpoint interval of nothing', async () => {
        const subscribed = raw.read((options) => {
          const all = new ReadReq.Options.AllOptions();
          all.setStart(NOTHING);
          options.setAll(all);
          options.setSubscription(new ReadReq.Options.SubscriptionOptions());
          const filter = typePrefix('test.');
          filter.setCheckpointintervalmultiplier(0);
          options.setFilter(filter);
        });
        expect(await codeOf(subscribed)).toBe(2);
      });

      it('see every acknowledged append', async () => {
        const inbox = await probe.liveOnAll();
        const stream = probe.fresh();
        for (let n = 0; n < 20; n += 1) await append(stream, fact(n));
        const mine = () => inbox.received.filter(({ event }) => event?.streamId === stream);
        await inbox.until(() => mine().length === 20, 'twenty events');
        expect(mine().map(({ event }) => Number(event?.revision))).toEqual(
          Array.from({ length: 20 }, (_, n) => n),
        );
        await inbox.subscription.unsubscribe();
      });
    });

    describe('metadata and deletion', () => {
      it('limits reads by count and truncation at once, while appends go on from the true head', async () => {
        const stream = await probe.streamOf(5);
        await probe.client.setStreamMetadata(stream, { maxCount: 2 });
        expect(await probe.revisions(stream)).toEqual([3, 4]);
        expect(await probe.revisions(stream, { direction: BACKWARDS, fromRevision: END })).toEqual([4, 3]);
        expect(await append(stream, fact(5), { expectedRevision: 4n })).toEqual(wrote(5n));
        expect(await probe.revisions(stream)).toEqual([4, 5]);
        await probe.client.setStreamMetadata(stream, { truncateBefore: 3 });
        expect(await probe.revisions(stream)).toEqual([3, 4, 5]);
        expect(await probe.revisions(stream, { fromRevision: START, maxCount: 1 })).toEqual([3]);
        await probe.client.setStreamMetadata(stream, { truncateBefore: 10 });
        expect(await probe.revisions(stream)).toEqual([]);
        await probe.client.setStreamMetadata(stream, {});
        expect(await probe.revisions(stream)).toEqual([0, 1, 2, 3, 4, 5]);
      });

      it('limits subscriptions too', async () => {
        const stream = await probe.streamOf(5);
        await probe.client.setStreamMetadata(stream, { truncateBefore: 3 });
        const inbox = new Inbox(probe.client.subscribeToStream(stream));
        await inbox.until(
          ({ entries, received }) => entries.includes('caughtUp') && received.length === 2,
          'the rest',
        );
        expect(inbox.received.map(({ event }) => event?.revision)).toEqual([3n, 4n]);
        await inbox.subscription.unsubscribe();
      });

      it('hides events older than the age', async () => {
        const stream = await probe.streamOf(2);
        await probe.client.setStreamMetadata(stream, { maxAge: 3_600 });
        expect(await probe.revisions(stream)).toEqual([0, 1]);
        await probe.client.setStreamMetadata(stream, { maxAge: 1 });
        const deadline = Date.now() + 5_000;
        while ((await probe.revisions(stream)).length > 0 && Date.now() < deadline) {
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
        expect(await probe.revisions(stream)).toEqual([]);
        expect(await append(stream, fact(2), { expectedRevision: 1n })).toEqual(wrote(2n));
      });

      it('shows only the newest metadata', async () => {
        const stream = await probe.streamOf(1);
        await probe.client.setStreamMetadata(stream, { maxCount: 3 });
        await probe.client.setStreamMetadata(stream, { maxCount: 4, colour: 'red' });
        expect(await probe.revisions(`$$${stream}`)).toEqual([1]);
        const { metadata } = await probe.client.getStreamMetadata(stream);
        expect(metadata).toEqual({ maxCount: 4, colour: 'red' });
      });

      it('deletes with an expectation, leaving metadata that says so', async () => {
        const stream = await probe.streamOf(3);
        const remove = (options: Parameters<Probe['client']['deleteStream']>[1]) =>
          outcome(probe.client.deleteStream(stream, options));
        expect(await remove({ expectedRevision: 1n })).toMatchObject({ type: 'wrong-expected-version' });
        expect(await remove({ expectedRevision: NO_STREAM })).toMatchObject({
          type: 'wrong-expected-version',
        });
        expect(await remove({ expectedRevision: 2n })).toEqual({ position: expect.any(Object) });
        expect(await outcome(probe.read(stream))).toEqual(notFound(stream));
        const [metadata] = await probe.read(`$$${stream}`);
        expect(metadata?.event?.type).toBe('$metadata');
        expect(metadata?.event?.data).toEqual({ $tb: Number(TOMBSTONE) });
      });

      it('cannot delete what is not there, and can delete twice', async () => {
        const missing = probe.fresh();
        expect(await outcome(probe.client.deleteStream(missing))).toMatchObject({
          type: 'wrong-expected-version',
        });
        const stream = await softDeletedStream(2);
        expect(await outcome(probe.client.deleteStream(stream))).toEqual({ position: expect.any(Object) });
        const closed = await closedStream(1);
        expect(await outcome(probe.client.deleteStream(closed))).toEqual(deleted(closed));
      });

      it('keeps other metadata when a deleted stream begins anew', async () => {
        const stream = await probe.streamOf(2);
        await probe.client.setStreamMetadata(stream, { colour: 'red' });
        await probe.client.deleteStream(stream);
        await append(stream, fact(2));
        await recreated(stream, 2);
        expect((await probe.client.getStreamMetadata(stream)).metadata).toEqual({ truncateBefore: 2 });
        await probe.client.deleteStream(stream);
        await probe.client.setStreamMetadata(stream, { colour: 'blue' });
        await recreated(stream, 3);
        expect((await probe.client.getStreamMetadata(stream)).metadata).toEqual({
          colour: 'blue',
          truncateBefore: 3,
        });
        expect(await probe.revisions(stream)).toEqual([]);
        expect(await append(stream, fact(3), { expectedRevision: 2n })).toEqual(wrote(3n));
        expect(await probe.revisions(stream)).toEqual([3]);
      });

      it('tombstones streams in any state, once', async () => {
        const missing = probe.fresh();
        expect(await outcome(probe.client.tombstoneStream(missing))).toEqual({
          position: expect.any(Object),
        });
        expect(await append(missing, fact(0))).toEqual(deleted(missing));
        const soft = await softDeletedStream(1);
        expect(await outcome(probe.client.tombstoneStream(soft))).toEqual({ position: expect.any(Object) });
        const stream = await probe.streamOf(2);
        expect(await outcome(probe.client.tombstoneStream(stream, { expectedRevision: 0n }))).toMatchObject({
          type: 'wrong-expected-version',
        });
        expect(await outcome(probe.client.tombstoneStream(stream, { expectedRevision: 1n }))).toEqual({
          position: expect.any(Object),
        });
        expect(await outcome(probe.client.tombstoneStream(stream))).toEqual(deleted(stream));
        expect(await outcome(probe.client.setStreamMetadata(stream, {}))).toMatchObject({
          type: 'stream-deleted',
        });
      });

      it('resolves links, dangling ones to nothing', async () => {
        const stream = await probe.streamOf(2);
        const links = probe.fresh('links');
        const link = (target: string) => binaryEvent({ type: '$>', data: Buffer.from(target) });
        await append(links, [link(`1@${stream}`), link(`7@${stream}`), fact(9)]);
        const resolved = await probe.read(links, { resolveLinkTos: true });
        expect(
          resolved.map(({ event, link: from }) => [event?.streamId, event?.revision, from?.revision]),
        ).toEqual([
          [stream, 1n, 0n],
          [undefined, undefined, 1n],
          [links, 2n, undefined],
        ]);
        const plain = await probe.read(links);
        expect(plain.map(({ event }) => event?.type)).toEqual(['$>', '$>', 'test.Happened.v1']);
      });
    });
  });
};

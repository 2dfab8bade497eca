import { type AppendExpectedRevision, BACKWARDS, END, FORWARDS, START } from '@eventstore/db-client';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { APPEND_CALL, eventually, fact, Inbox, outcome, Probe } from './event-store.probe';

const RUNS = 60;
const STREAMS = 2;
const TRUNCATE_ALL = Infinity;
const DELETED = { type: 'stream-deleted' };
const WRONG = { type: 'wrong-expected-version' };

type Expected = 'any' | 'no_stream' | 'stream_exists' | number;
type Metadata = { maxCount?: number; truncateBefore?: number };

/** One stream as the behaviour describes it, in the plainest form. */
class ModelStream {
  readonly ids: string[] = [];
  metadata: Metadata | null = null;
  metadataCount = 0;
  tombstoned = false;

  get head(): number {
    return this.ids.length - 1;
  }

  get softDeleted(): boolean {
    return this.metadata?.truncateBefore === TRUNCATE_ALL;
  }

  get firstVisible(): number {
    const { truncateBefore = 0, maxCount } = this.metadata ?? {};
    return Math.max(truncateBefore, maxCount === undefined ? 0 : this.head - maxCount + 1);
  }

  get visible(): number[] {
    return this.ids.map((_, revision) => revision).filter((revision) => revision >= this.firstVisible);
  }

  decide(expected: Expected, ids: readonly string[]): 'write' | 'deleted' | 'wrong' | number {
    if (this.tombstoned) return 'deleted';
    if (expected === 'stream_exists' && this.softDeleted) return 'deleted';
    if (expected === 'stream_exists' && this.head < 0 && this.metadataCount === 0) return 'wrong';
    if (expected === 'any' || expected === 'stream_exists') {
      const known = ids.map((id) => this.ids.indexOf(id));
      if (known.length === 0 || known[0] === -1) return 'write';
      return known.includes(-1) ? 'wrong' : (known.at(-1) as number);
    }
    const revision = expected === 'no_stream' ? -1 : expected;
    if (revision === this.head) return 'write';
    if (revision > this.head || ids.length === 0) return 'wrong';
    const same = ids.map((id, index) => this.ids[revision + 1 + index] === id);
    if (!same.includes(false)) return revision + ids.length;
    return expected === 'no_stream' && this.softDeleted && !same[0] ? 'write' : 'wrong';
  }
}

class Model {
  readonly streams = Array.from({ length: STREAMS }, () => new ModelStream());
  /** What `$all` shows, in order. */
  readonly log: string[] = [];

  setMetadata(index: number, metadata: Metadata): void {
    const stream = this.streams[index] as ModelStream;
    stream.metadata = metadata;
    this.log.push(`$$${index}@${stream.metadataCount}`);
    stream.metadataCount += 1;
  }

  append(index: number, ids: readonly string[]): void {
    const stream = this.streams[index] as ModelStream;
    const recreated = stream.softDeleted ? stream.head + 1 : null;
    for (const id of ids) {
      this.log.push(`${index}@${stream.ids.length}`);
      stream.ids.push(id);
    }
    if (recreated !== null) {
      this.setMetadata(index, { ...stream.metadata, truncateBefore: recreated });
    }
  }
}

/** Runs one sequence against the server and the model, and compares every answer. */
class Comparison {
  readonly model = new Model();
  private readonly names: string[];
  private readonly previous = new Map<number, { expected: Expected; ids: string[] }>();

  constructor(
    private readonly probe: Probe,
    readonly prefix: string,
  ) {
    this.names = this.model.streams.map((_, index) => `${prefix}-${index}`);
  }

  /** `repeat` events of the last append to the stream are sent again, as they were or before `count` new ones. */
  async append(
    index: number,
    wanted: Wanted,
    count: number,
    repeat: number,
    appendCall: boolean,
  ): Promise<void> {
    const [name, stream] = this.at(index);
    const again = this.previous.get(index);
    const old = again && repeat > 0 ? again.ids.slice(0, repeat) : [];
    const expected = again && repeat > 1 ? again.expected : resolve(wanted, stream.head);
    const ids = [...old, ...Array.from({ length: count }, () => randomUUID())];
    this.previous.set(index, { expected, ids });
    const events = ids.map((id, n) => fact(n, id));
    const options = { expectedRevision: toClient(expected), ...(appendCall ? APPEND_CALL : {}) };
    const answer = await outcome(this.probe.client.appendToStream(name, events, options));
    const decision = stream.decide(expected, ids);
    if (decision === 'deleted') return expect(answer).toEqual({ ...DELETED, streamName: name });
    if (decision === 'wrong') {
      const actualVersion = stream.head < 0 ? 'no_stream' : BigInt(stream.head);
      return expect(answer).toEqual({
        ...WRONG,
        streamName: name,
        expectedVersion: toClient(expected),
        actualVersion,
      });
    }
    const { softDeleted } = stream;
    if (decision === 'write') this.model.append(index, ids);
    if (decision === 'write' && softDeleted) await this.recreated(index);
    // What an append of nothing names as its revision is nobody's business.
    if (ids.length === 0) return expect(answer).toMatchObject({ success: true });
    const revision = decision === 'write' ? stream.head : decision;
    expect(answer).toMatchObject({ success: true, nextExpectedRevision: BigInt(revision) });
  }

  async read(index: number, backwards: boolean, from: number | 'edge', maxCount: number): Promise<void> {
    const [name, stream] = this.at(index);
    const edge = backwards ? END : START;
    const answer = await outcome(
      this.probe.revisions(name, {
        direction: backwards ? BACKWARDS : FORWARDS,
        fromRevision: from === 'edge' ? edge : BigInt(from),
        maxCount,
      }),
    );
    if (stream.tombstoned) return expect(answer).toEqual({ ...DELETED, streamName: name });
    if (stream.head < 0 || stream.softDeleted) {
      return expect(answer).toEqual({ type: 'stream-not-found', streamName: name });
    }
    const ordered = backwards ? [...stream.visible].reverse() : stream.visible;
    const within = ordered.filter(
      (revision) => from === 'edge' || (backwards ? revision <= from : revision >= from),
    );
    expect(answer).toEqual(within.slice(0, maxCount));
  }

  async close(index: number, wanted: Wanted, hard: boolean): Promise<void> {
    const [name, stream] = this.at(index);
    const expected = resolve(wanted, stream.head);
    // The client's own functions do not offer stream_exists here.
    if (expected === 'stream_exists') return;
    const options = {
      expectedRevision: toClient(expected) as Exclude<AppendExpectedRevision, 'stream_exists'>,
    };
    const { client } = this.probe;
    const answer = await outcome(
      hard ? client.tombstoneStream(name, options) : client.deleteStream(name, options),
    );
    const decision = stream.decide(expected, [randomUUID()]);
    if (decision === 'deleted') return expect(answer).toEqual({ ...DELETED, streamName: name });
    if (decision === 'wrong' || (!hard && stream.head < 0 && stream.metadataCount === 0)) {
      return expect(answer).toMatchObject(WRONG);
    }
    expect(answer).toEqual({ position: expect.any(Object) });
    if (!hard) return this.model.setMetadata(index, { truncateBefore: TRUNCATE_ALL });
    stream.tombstoned = true;
    this.model.log.push(`${index}@9223372036854775807`);
  }

  async setMetadata(index: number, metadata: Metadata): Promise<void> {
    const [name, stream] = this.at(index);
    // A real server may or may not remember that the stream is closed, once it has metadata.
    if (stream.tombstoned && stream.metadataCount > 0) return;
    const answer = await outcome(this.probe.client.setStreamMetadata(name, metadata));
    if (stream.tombstoned) return expect(answer).toMatchObject(DELETED);
    expect(answer).toMatchObject({ success: true, nextExpectedRevision: BigInt(stream.metadataCount) });
    const { softDeleted } = stream;
    this.model.setMetadata(index, metadata);
    if (!softDeleted) return;
    this.model.setMetadata(index, { ...metadata, truncateBefore: stream.head + 1 });
    await this.recreated(index);
  }

  /** A real server writes the metadata of a recreated stream behind the append that it acknowledges. */
  private async recreated(index: number): Promise<void> {
    const [name, stream] = this.at(index);
    await eventually(
      async () =>
        Number((await this.probe.read(`$$${name}`))[0]?.event?.revision) === stream.metadataCount - 1,
      'the metadata of the recreated stream',
    );
  }

  async subscribe(index: number, from: number | 'edge'): Promise<void> {
    const [name, stream] = this.at(index);
    const fromRevision = from === 'edge' ? START : BigInt(from);
    const inbox = new Inbox(
      this.probe.client.subscribeToStream(name, { fromRevision }),
      ({ event }) => `${event?.revision}`,
    );
    const expected = stream.visible.filter((revision) => from === 'edge' || revision > from);
    await inbox.until(
      ({ entries, error, received }) =>
        error !== null || (entries.includes('caughtUp') && received.length >= expected.length),
      'caughtUp',
    );
    await inbox.subscription.unsubscribe();
    expect(inbox.received.map(({ event }) => Number(event?.revision))).toEqual(
      stream.tombstoned ? [] : expected,
    );
    if (stream.tombstoned) expect(inbox.error).toMatchObject(DELETED);
  }

  async all(since: { commit: bigint; prepare: bigint }): Promise<void> {
    const events = await this.probe.allSince(since, this.prefix, this.model.log.length);
    const names = events.map(
      ({ event }) => `${event?.streamId.replace(`${this.prefix}-`, '')}@${event?.revision}`,
    );
    expect(names).toEqual(this.model.log);
  }

  private at(index: number): [string, ModelStream] {
    return [this.names[index] as string, this.model.streams[index] as ModelStream];
  }
}

type Wanted = Exclude<Expected, number> | { offset: number };

const resolve = (wanted: Wanted, head: number): Expected =>
  typeof wanted === 'string' ? wanted : Math.max(0, head + wanted.offset);
const toClient = (expected: Expected): AppendExpectedRevision =>
  typeof expected === 'number' ? BigInt(expected) : expected;

const stream = fc.nat(STREAMS - 1);
const wanted = fc.oneof(
  fc.constant<Wanted>('any'),
  fc.constantFrom<Wanted>('any', 'no_stream', 'stream_exists'),
  fc.integer({ min: -3, max: 1 }).map((offset): Wanted => ({ offset })),
  fc.constant<Wanted>({ offset: 0 }),
);
const from = fc.oneof(fc.constant('edge' as const), fc.nat(8));
const metadata = fc.record(
  { maxCount: fc.integer({ min: 1, max: 4 }), truncateBefore: fc.nat(6) },
  { requiredKeys: [] },
);

type Step = (comparison: Comparison) => Promise<void>;
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(stream, wanted, fc.nat(2), fc.constantFrom(0, 0, 0, 1, 2, 9), fc.boolean()).map(
      (args): Step =>
        (comparison) =>
          comparison.append(...args),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(stream, fc.boolean(), from, fc.integer({ min: 1, max: 5 })).map(
      (args): Step =>
        (comparison) =>
          comparison.read(...args),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(stream, wanted).map(
      (args): Step =>
        (comparison) =>
          comparison.close(...args, false),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(stream, wanted).map(
      (args): Step =>
        (comparison) =>
          comparison.close(...args, true),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(stream, metadata).map(
      (args): Step =>
        (comparison) =>
          comparison.setMetadata(...args),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(stream, from).map(
      (args): Step =>
        (comparison) =>
          comparison.subscribe(...args),
    ),
  },
);

/** Random sequences of calls get the answers of a model; the same calls drive every server. */
export const eventStoreModelSuite = (name: string, open: () => Promise<string>): void => {
  describe(`event store and its model: ${name}`, () => {
    let probe: Probe;
    beforeAll(async () => void (probe = new Probe(await open())));
    afterAll(() => probe.close());

    it('agree on every answer and on the order of all events', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
          const since = await probe.now();
          const comparison = new Comparison(probe, probe.fresh('model'));
          for (const run of steps) await run(comparison);
          await comparison.all(since);
        }),
        { numRuns: RUNS, endOnFailure: false, interruptAfterTimeLimit: 45_000 },
      );
    });
  });
};

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  defineEvent,
  open,
  sealed,
  type CommandContext,
  type DomainEvent,
  type EventDefinition,
  type Personal,
} from '@app/kernel';
import { LocalKeyRing, Sealer, type Secrets } from '@app/personal-data';
import { NoAnswerError, type LogSource } from './esdb.client';
import type { LogClient } from './esdb.event-store';
import { EventCatalog } from './event-catalog';
import { EventCodec, type EncodedEvent, type StoredEvent } from './event-codec';
import { RevisionConflictError, type AppendResult, type ExpectedRevision } from './event-store.port';

/** What the suites of this library share: events, contexts, and an event store's client in memory whose faults are chosen. */

export type Noted = DomainEvent<
  'test.Noted.v1',
  { contactId: string; n: number; key?: string; note?: Personal<string> }
>;
export const testDefinitions: readonly EventDefinition[] = [
  defineEvent<Noted>({
    type: 'test.Noted.v1',
    subject: 'contactId',
    fields: { contactId: open, n: open, key: open, note: sealed('freetext') },
  }),
];

export const noted = (n: number, more: Partial<Noted['data']> = {}): Noted => ({
  type: 'test.Noted.v1',
  data: { contactId: '6f9619ff-8b86-4d11-b42d-00c04fc964ff', n, ...more },
});

export const contextOf = (more: Partial<CommandContext> = {}): CommandContext => {
  const commandId = randomUUID();
  return {
    commandId,
    repeatable: false,
    actor: { id: 'key-1', role: 'admin', method: 'api-key' },
    correlationId: commandId,
    now: new Date().toISOString(),
    deadlineMs: Date.now() + 10_000,
    ...more,
  };
};

export type TestKeys = Readonly<{
  sealer: Sealer;
  secrets: Secrets;
  keyRing: LocalKeyRing;
  close: () => Promise<void>;
}>;

export const openTestKeys = async (): Promise<TestKeys> => {
  const folder = await mkdtemp(join(tmpdir(), 'regulars-keys-'));
  const keyRing = await LocalKeyRing.open(folder);
  return {
    keyRing,
    sealer: new Sealer(keyRing),
    secrets: keyRing.secrets,
    close: async () => {
      await keyRing.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

export const testCodec = (keys: TestKeys, definitions = testDefinitions): EventCodec =>
  new EventCodec(new EventCatalog(definitions), keys.sealer);

/**
 * What becomes of one append: it is answered; it gets lost on the way; it happens but the answer gets lost; it happens
 * only after the next appends were served, its answer lost.
 */
export type Fate = 'answered' | 'lost' | 'unanswered' | 'late';

type Append = Readonly<{
  stream: string;
  events: readonly EncodedEvent[];
  expected: ExpectedRevision | 'any';
}>;

/** Answers as EventStoreDB does, as far as the adapter asks; counts what it is asked. */
export class InMemoryLogClient implements LogClient {
  readonly log: StoredEvent[] = [];
  readonly calls = { appends: 0, reads: 0 };
  private readonly late: Append[] = [];

  constructor(
    private readonly fate: () => Fate = () => 'answered',
    /** Waited for before and after each call is served. */
    private readonly pause: () => Promise<void> = () => Promise.resolve(),
  ) {}

  async append(
    stream: string,
    events: readonly EncodedEvent[],
    expected: ExpectedRevision | 'any',
  ): Promise<AppendResult> {
    this.calls.appends += 1;
    const fate = this.fate();
    await this.pause();
    if (fate === 'lost') throw new NoAnswerError('lost');
    if (fate === 'late') {
      this.late.push({ stream, events, expected });
      throw new NoAnswerError('late');
    }
    try {
      return this.write({ stream, events, expected });
    } finally {
      this.writeLate();
      await this.pause();
      if (fate === 'unanswered') throw new NoAnswerError('unanswered');
    }
  }

  async *readStream(stream: string, fromRevision: number): AsyncGenerator<readonly StoredEvent[]> {
    this.calls.reads += 1;
    await this.pause();
    const events = this.streamOf(stream).slice(fromRevision);
    await this.pause();
    yield events;
  }

  async lastOf(stream: string): Promise<StoredEvent | null> {
    return this.streamOf(stream).at(-1) ?? null;
  }

  async *eventsOf(types: readonly string[], after: bigint | null): AsyncGenerator<readonly StoredEvent[]> {
    yield this.log.filter(
      ({ type, position }) => types.includes(type) && (after === null || position > after),
    );
  }

  subscribe(after: bigint | null): LogSource {
    let next = after === null ? 0 : Number(after) + 1;
    return {
      take: (target, max) => {
        const taken = this.log.slice(next, next + max - target.length);
        next += taken.length;
        target.push(...taken);
        return taken.length > 0;
      },
      wait: async (timeoutMs, signal) => {
        const deadline = Date.now() + timeoutMs;
        while (next >= this.log.length && !signal.aborted && Date.now() < deadline) {
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      },
      confirmed: Promise.resolve(),
      close: () => Promise.resolve(),
    };
  }

  newestPosition(): Promise<bigint | null> {
    return Promise.resolve(this.log.at(-1)?.position ?? null);
  }

  recordedAt(position: bigint): Promise<Date | null> {
    return Promise.resolve(this.log.find((event) => event.position === position)?.recordedAt ?? null);
  }

  streamOf(stream: string): StoredEvent[] {
    return this.log.filter((event) => event.stream === stream);
  }

  /** What was late happens now. */
  writeLate(): void {
    for (const append of this.late.splice(0)) {
      try {
        this.write(append);
      } catch (error) {
        if (!(error instanceof RevisionConflictError)) throw error;
      }
    }
  }

  private write({ stream, events, expected }: Append): AppendResult {
    const known = this.streamOf(stream);
    const first = known.findIndex(({ id }) => id === events[0]?.id);
    const head = first < 0 ? known.length - 1 : first - 1;
    const base = expected === 'any' ? head : expected === 'no-stream' ? -1 : expected;
    const eventIds = events.map(({ id }) => id);
    if (base === known.length - 1) {
      for (const { id, type, data, metadata } of events) {
        this.log.push({
          id,
          stream,
          revision: this.streamOf(stream).length,
          position: BigInt(this.log.length),
          type,
          recordedAt: new Date(),
          data: JSON.parse(JSON.stringify(data)),
          metadata: JSON.parse(JSON.stringify(metadata)),
        });
      }
    } else if (!eventIds.every((id, index) => known[base + 1 + index]?.id === id)) {
      throw new RevisionConflictError(stream, expected);
    }
    const last = this.streamOf(stream)[base + events.length] as StoredEvent;
    return { revision: last.revision, position: last.position, eventIds };
  }
}

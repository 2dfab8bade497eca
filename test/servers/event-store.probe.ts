import {
  type AllStreamSubscription,
  END,
  EventStoreDBClient,
  jsonEvent,
  type JSONEventData,
  type JSONEventType,
  type ResolvedEvent,
  type StreamSubscription,
  streamNameFilter,
} from '@eventstore/db-client';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';

export type TestEvent = JSONEventType<'test.Happened.v1', { n: number }>;

const WAIT_MS = 60_000;

export const fact = (n: number, id: string = randomUUID()): JSONEventData<TestEvent> =>
  jsonEvent<TestEvent>({ id, type: 'test.Happened.v1', data: { n } });

/** Credentials make the client use Append in the place of BatchAppend. */
export const APPEND_CALL = { credentials: { username: 'admin', password: 'changeit' } } as const;

/** The part of an error that the behaviour is about; anything else comes back as it is. */
export const outcome = async (work: Promise<unknown>): Promise<unknown> => {
  try {
    return await work;
  } catch (error) {
    const { type, expectedVersion, actualVersion, code, streamName } = error as Record<string, unknown>;
    if (type === 'wrong-expected-version') return { type, streamName, expectedVersion, actualVersion };
    if (type === 'stream-deleted' || type === 'stream-not-found') return { type, streamName };
    return { type, code };
  }
};

/** Rejects when a condition that a test waits for has not come true in time. */
export const within = async <T>(work: Promise<T>, what: string): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited in vain for ${what}.`)), WAIT_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
};

/** Asks again until the answer is yes; for what a server does behind its acknowledgement. */
export const eventually = (ask: () => Promise<boolean>, what: string): Promise<void> =>
  within(
    (async () => {
      while (!(await ask())) await new Promise((resolve) => setTimeout(resolve, 20));
    })(),
    what,
  );

/** What a subscription delivered, in order: events by name, `caughtUp`, and checkpoints where they are asked for. */
export class Inbox {
  readonly entries: string[] = [];
  error: Error | null = null;
  private readonly events: ResolvedEvent[] = [];
  private changed: () => void = () => undefined;

  constructor(
    readonly subscription: StreamSubscription | AllStreamSubscription,
    name: (event: ResolvedEvent) => string = ({ event, link }) =>
      `${(link ?? event)?.streamId}@${(link ?? event)?.revision}`,
  ) {
    // Not `on('data')`: caughtUp is emitted before the events that came first are read.
    subscription.on('data', (event: ResolvedEvent) => {
      this.events.push(event);
      this.note(name(event));
    });
    subscription.on('caughtUp', () => this.note('caughtUp'));
    subscription.on('confirmation', () => this.note('confirmation'));
    subscription.on('error', (error: Error) => {
      this.error = error;
      this.changed();
    });
  }

  note(entry: string): void {
    this.entries.push(entry);
    this.changed();
  }

  get received(): readonly ResolvedEvent[] {
    return this.events;
  }

  /** Resolves when as many entries are there, or the subscription has failed. */
  async until(done: (inbox: Inbox) => boolean, what: string): Promise<void> {
    await within(
      (async () => {
        while (!done(this)) await new Promise<void>((resolve) => (this.changed = resolve));
      })(),
      `${what}, only [${this.entries.join(' ')}] ${this.error?.message ?? ''}`,
    );
  }
}

/** A client of the server under test, with names that no other test uses. */
export class Probe {
  readonly client: EventStoreDBClient;
  private readonly run = randomUUID().slice(0, 8);
  private count = 0;

  constructor(readonly connectionString: string) {
    this.client = EventStoreDBClient.connectionString(connectionString);
  }

  fresh(kind = 'stream'): string {
    return `${kind}-${this.run}-${(this.count += 1)}`;
  }

  /** Appends facts 0 to n - 1 to a fresh stream. */
  async streamOf(n: number): Promise<string> {
    const stream = this.fresh();
    await this.client.appendToStream(
      stream,
      Array.from({ length: n }, (_, index) => fact(index)),
    );
    return stream;
  }

  async read(...args: Parameters<EventStoreDBClient['readStream']>): Promise<ResolvedEvent[]> {
    const events: ResolvedEvent[] = [];
    for await (const event of this.client.readStream(...args)) events.push(event);
    return events;
  }

  async readAll(...args: Parameters<EventStoreDBClient['readAll']>): Promise<ResolvedEvent[]> {
    const events: ResolvedEvent[] = [];
    for await (const event of this.client.readAll(...args)) events.push(event as ResolvedEvent);
    return events;
  }

  async revisions(...args: Parameters<EventStoreDBClient['readStream']>): Promise<number[]> {
    return (await this.read(...args)).map(({ event }) => Number(event?.revision));
  }

  /** The position of the newest event: of one that this makes. */
  async now(): Promise<{ commit: bigint; prepare: bigint }> {
    const { position } = await this.client.appendToStream(this.fresh('now'), fact(0));
    return position as { commit: bigint; prepare: bigint };
  }

  /** Everything that was written to streams with a prefix since a position, read through a live subscription. */
  async allSince(
    position: { commit: bigint; prepare: bigint },
    prefix: string,
    wanted: number,
  ): Promise<ResolvedEvent[]> {
    const filter = streamNameFilter({ prefixes: [prefix, `$$${prefix}`] });
    const subscription = this.client.subscribeToAll({ fromPosition: position, filter });
    const inbox = new Inbox(subscription);
    await inbox.until(({ received }) => received.length >= wanted, `${wanted} events of ${prefix}`);
    await subscription.unsubscribe();
    return [...inbox.received];
  }

  async liveOnAll(): Promise<Inbox> {
    const subscription = this.client.subscribeToAll({ fromPosition: END });
    const inbox = new Inbox(subscription);
    await within(once(subscription, 'confirmation'), 'the confirmation');
    return inbox;
  }

  async close(): Promise<void> {
    await this.client.dispose();
  }
}

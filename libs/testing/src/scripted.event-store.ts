import { once } from 'node:events';
import type { RecordedEvent } from '@app/kernel';
import type { AppendResult, EventStore, SubscribeOptions } from '@app/event-store';

type Split = <T>(items: readonly T[]) => (readonly T[])[];

/** A log whose events are given, delivered in the batches the spec wants; afterwards it is live and silent. */
export class ScriptedEventStore implements EventStore {
  constructor(
    private readonly events: readonly RecordedEvent[],
    private readonly split: Split = (items) => [items],
  ) {}

  async *subscribe({ after, signal }: SubscribeOptions): AsyncIterable<readonly RecordedEvent[]> {
    const unseen = this.events.filter(({ meta }) => after === null || meta.position > after);
    for (const batch of this.split(unseen)) {
      if (signal.aborted) return;
      yield batch;
    }
    if (!signal.aborted) await once(signal, 'abort');
  }

  async *eventsOf(
    types: readonly string[],
    after: bigint | null,
    upTo: bigint,
  ): AsyncIterable<RecordedEvent> {
    yield* this.events.filter(
      ({ type, meta: { position } }) =>
        types.includes(type) && (after === null || position > after) && position <= upTo,
    );
  }

  async head(): Promise<bigint | null> {
    return this.events.at(-1)?.meta.position ?? null;
  }

  async recordedAt(position: bigint): Promise<string | null> {
    return this.events.find(({ meta }) => meta.position === position)?.meta.recordedAt ?? null;
  }

  async *readStream(stream: string): AsyncIterable<RecordedEvent> {
    yield* this.events.filter(({ meta }) => meta.stream === stream);
  }

  async lastOf(stream: string): Promise<RecordedEvent | null> {
    return this.events.findLast(({ meta }) => meta.stream === stream) ?? null;
  }

  record(): Promise<AppendResult> {
    return this.append();
  }

  append(): Promise<AppendResult> {
    return Promise.reject(new Error('A scripted log is read only.'));
  }
}

import type { DomainEvent, RecordedEvent } from '@app/kernel';
import { foldBatch, touchedBy, type AnyProjection, type Projection } from '@app/read-store';
import { recordedHistory } from './recorded';
import { SimulatedReadStore } from './simulated.read-store';

/**
 * Given what happened, then this document. Every case is delivered as one batch, event by event, and with every overlap that
 * a crash before the checkpoint can cause; all of them must leave the same bytes. Redelivery from the start alone would not
 * do: the first event makes the document anew, and hides what a second delivery from the middle counts twice.
 */
export const readModelOf = <Doc extends object, E extends DomainEvent>(projection: Projection<Doc, E>) => ({
  given: (...history: (E | RecordedEvent<E>)[]) => {
    const events = recordedHistory<DomainEvent>(history).map(frozen);
    return {
      then: (id: string, expected: Doc | null) => {
        const stored = storedOf(projection, events);
        expect(stored.loadNow(projection, [id]).get(id)?.doc ?? null).toEqual(expected);
      },
      /** The document itself, for cases that look at a part of it. */
      document: (id: string) =>
        (storedOf(projection, events).loadNow(projection, [id]).get(id)?.doc ?? null) as Doc | null,
    };
  },
});

/** All deliveries of a history: whole, one by one, and seen up to n then again from every m on. */
export const deliveriesOf = <E>(events: readonly E[]): (readonly E[])[][] => {
  const deliveries: (readonly E[])[][] = [[events], events.map((event) => [event])];
  for (let seen = 1; seen <= events.length; seen += 1) {
    for (let from = 0; from < seen; from += 1) deliveries.push([events.slice(0, seen), events.slice(from)]);
  }
  return deliveries;
};

const storedOf = (projection: AnyProjection, events: readonly RecordedEvent[]): SimulatedReadStore => {
  const [whole, ...others] = deliveriesOf(events).map((batches) => delivered(projection, batches));
  if (!whole) throw new Error('There is always the delivery as a whole.');
  for (const other of others) expect(other.contents()).toEqual(whole.contents());
  return whole;
};

const delivered = (
  projection: AnyProjection,
  batches: readonly (readonly RecordedEvent[])[],
): SimulatedReadStore => {
  const store = new SimulatedReadStore();
  for (const batch of batches) {
    const loaded = store.loadNow(projection, touchedBy(projection, batch));
    for (const { doc } of loaded.values()) frozen(doc);
    store.saveNow(projection, foldBatch(projection, batch, loaded));
  }
  return store;
};

/** A handler that writes into what it is given throws. */
const frozen = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
};

import type { DomainEvent, RecordedEvent } from '@app/kernel';
import {
  collectionOf,
  type AnyLedger,
  type AnyProjection,
  type Ledger,
  type LedgerRow,
  type Projection,
} from './projection';
import { ProjectionError } from './read-store.errors';

/**
 * A document and the position of the last event that changed it. Null: it was removed. That too has a position, or a runner
 * that is behind could put back what another has removed.
 */
export type Stored<Doc extends object = object> = Readonly<{ position: bigint; doc: Doc | null }>;

export type Change<Doc extends object = object> = Stored<Doc> &
  Readonly<{
    id: string;
    /** Nothing was stored under this id when the batch was loaded. */
    isNew: boolean;
  }>;

type Folded<Doc> = { isNew: boolean; position: bigint; doc: Doc | null; changed: boolean };

/** Handlers are looked up by event type, so the union of a projection's own events is forgotten here, once. */
const erased = (projection: AnyProjection): Projection => projection as unknown as Projection;

/** Ids of the documents that a batch touches, each once. */
export const touchedBy = (projection: AnyProjection, events: readonly RecordedEvent[]): string[] => {
  const { on, keys } = erased(projection);
  const ids = new Set<string>();
  for (const event of events) {
    if (Object.hasOwn(on, event.type)) for (const id of keys(event)) ids.add(id);
  }
  return [...ids];
};

/**
 * Folds a batch into the documents it touches and returns those that changed. Pure.
 *
 * Delivery is at least once, effect is once: an event at or below a document's own position is skipped for that document.
 * A handler that returns the very document it was given has changed nothing, so neither document nor position is written;
 * this depends on the event alone and not on the batch, so every split gives the same bytes.
 */
export const foldBatch = (
  projection: AnyProjection,
  events: readonly RecordedEvent[],
  loaded: ReadonlyMap<string, Stored>,
): Change[] => {
  const { on, keys } = erased(projection);
  const folded = new Map<string, Folded<object>>();
  for (const event of events) {
    if (!Object.hasOwn(on, event.type)) continue;
    const handle = on[event.type] as (
      doc: object | null,
      event: RecordedEvent<DomainEvent>,
      key: string,
    ) => object | null;
    try {
      for (const id of keys(event)) fold(entryOf(folded, loaded, id), event, handle, id);
    } catch (thrown) {
      throw new ProjectionError(collectionOf(projection), event, thrown);
    }
  }
  const changes: Change[] = [];
  for (const [id, { isNew, position, doc, changed }] of folded) {
    if (changed) changes.push({ id, isNew, position, doc });
  }
  return changes;
};

const entryOf = (
  folded: Map<string, Folded<object>>,
  loaded: ReadonlyMap<string, Stored>,
  id: string,
): Folded<object> => {
  const known = folded.get(id);
  if (known) return known;
  const stored = loaded.get(id);
  const entry = stored
    ? { isNew: false, position: stored.position, doc: stored.doc, changed: false }
    : { isNew: true, position: BEFORE_ALL, doc: null, changed: false };
  folded.set(id, entry);
  return entry;
};

/** Below every position of a log. */
const BEFORE_ALL = -1n;

const fold = (
  entry: Folded<object>,
  event: RecordedEvent,
  handle: (doc: object | null, event: RecordedEvent, key: string) => object | null,
  id: string,
): void => {
  if (event.meta.position <= entry.position) return;
  const doc = handle(entry.doc, event, id);
  if (doc === entry.doc) return;
  entry.doc = doc;
  entry.position = event.meta.position;
  entry.changed = true;
};

/** The state of a ledger, and the position of the last event it has seen. */
export type LedgerState = Readonly<{ position: bigint; state: object }>;

export type LedgerChange = Readonly<{ rows: readonly LedgerRow[]; next: LedgerState }>;

/**
 * Folds a batch into a ledger; undefined where all of it was folded before. `before`: what was folded so far, null at the
 * beginning. Pure.
 */
export const foldLedger = (
  ledger: AnyLedger,
  events: readonly RecordedEvent[],
  before: LedgerState | null,
): LedgerChange | undefined => {
  const { initial, fold: step } = ledger as unknown as Ledger;
  const rows: LedgerRow[] = [];
  let state = before?.state ?? initial;
  let position = before?.position ?? BEFORE_ALL;
  let seen = false;
  for (const event of events) {
    if (event.meta.position <= position) continue;
    position = event.meta.position;
    seen = true;
    try {
      const next = step(state, event);
      state = next.state;
      for (const row of next.rows) rows.push(row);
    } catch (thrown) {
      throw new ProjectionError(collectionOf(ledger), event, thrown);
    }
  }
  return seen ? { rows, next: { position, state } } : undefined;
};

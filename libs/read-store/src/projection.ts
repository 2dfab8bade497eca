import type { DomainEvent, FieldMark, RecordedEvent, SealPurpose } from '@app/kernel';

type OfType<E extends DomainEvent, T extends E['type']> = Extract<E, { type: T }>;

/**
 * One handler for each event type the projection reads; all others are skipped. Null: there is no document (any more). What is
 * stored of a removed one is its id and position, so whoever reads a projection that removes passes over documents without fields.
 */
export type Handlers<Doc, E extends DomainEvent> = {
  readonly [T in E['type']]: (doc: Doc | null, event: RecordedEvent<OfType<E, T>>, key: string) => Doc | null;
};

/** Field paths with 1 (ascending) or -1 (descending), in order, as MongoDB takes them. */
export type IndexSpec = Readonly<{
  key: Readonly<Record<string, 1 | -1>>;
  unique?: boolean;
  sparse?: boolean;
}>;

/** How a field of a read model is treated: as in an event (without personal data, or kept sealed), or personal and readable. */
export type ReadFieldMark =
  FieldMark | Readonly<{ kind: 'inClear'; purpose: SealPurpose; holds: readonly string[] }>;

/** Marks of all fields of a document, by name. */
export type ReadFieldMarks = Readonly<Record<string, ReadFieldMark>>;
type Marked<ReadModel, Doc> = ReadModel & {
  readonly fields: { readonly [Field in keyof Doc]-?: ReadFieldMark };
};

/** A personal field that a read model keeps readable; the fold of an erasure empties it. */
export const inClear = (purpose: SealPurpose, holds: readonly string[] = []): ReadFieldMark => ({
  kind: 'inClear',
  purpose,
  holds,
});

/**
 * A read model as data: pure functions from (document, event) to document. No clock, no randomness, no I/O.
 * Documents are JSON-safe (strings, numbers, booleans, null, arrays, objects). A handler never changes the document it is given.
 */
export type Projection<Doc extends object = object, E extends DomainEvent = DomainEvent> = Readonly<{
  name: string;
  /** Raise it with any change to what is stored: the next start builds `<name>_v<version>` afresh. */
  version: number;
  /** The documents an event touches, by id. Most events touch one. */
  keys: (event: RecordedEvent<E>) => readonly string[];
  /** Of every field of a document: the inventory of personal data is made of them. */
  fields: ReadFieldMarks;
  on: Handlers<Doc, E>;
  indexes: readonly IndexSpec[];
  /**
   * Further indexes that documents ask for as they are written: the sort of a points pool that was not there before.
   * Called for every document written; must be cheap.
   */
  indexesFor?: (doc: Doc) => readonly string[];
}>;

/**
 * A read model with one document an event, never changed: the activity feed. `_id` is the event's log position.
 */
export type Journal<Doc extends object = object> = Readonly<{
  name: string;
  version: number;
  /** Null: the event leaves no document. */
  entry: (event: RecordedEvent) => Doc | null;
  /** Of every field of a document: the inventory of personal data is made of them. */
  fields: ReadFieldMarks;
  indexes: readonly IndexSpec[];
}>;

/** A document of a ledger; under one id it is the same whenever it is written. */
export type LedgerRow = Readonly<{ _id: number | string; doc: object }>;

/**
 * A read model that is one fold of the whole log in order, for what depends on every event before: a numbering, a hash
 * tree. What it goes on with is the state; what it leaves behind are rows, each decided once by the events up to it.
 */
export type Ledger<State extends object = object> = Readonly<{
  name: string;
  version: number;
  /** JSON-safe, and small: it is written with every batch. */
  initial: State;
  /** Pure; never changes the state it is given. */
  fold: (state: State, event: RecordedEvent) => LedgerStep<State>;
  /** Of every field of a row: the inventory of personal data is made of them. The state holds nothing personal. */
  fields: ReadFieldMarks;
  /** Of the rows. */
  indexes: readonly IndexSpec[];
}>;

export type LedgerStep<State extends object> = Readonly<{ state: State; rows: readonly LedgerRow[] }>;

/** A ledger of whatever state. */
export type AnyLedger = Omit<Ledger, 'fold'> &
  Readonly<{ fold: (state: never, event: RecordedEvent) => LedgerStep<object> }>;

/** A projection of whatever documents and events. */
export type AnyProjection = Projection<never, never>;

/** What a context hands to the projector. */
export type ReadModels = Readonly<{
  projections: readonly AnyProjection[];
  journals: readonly Journal[];
  ledgers?: readonly AnyLedger[];
}>;

/** Every field of a document must be marked, or it does not compile. */
export const defineProjection = <Doc extends object, E extends DomainEvent>(
  projection: Marked<Projection<Doc, E>, Doc>,
): Marked<Projection<Doc, E>, Doc> => projection;

export const defineLedger = <State extends object>(ledger: Ledger<State>): Ledger<State> => ledger;

/** Every field of a document must be marked, or it does not compile. */
export const defineJournal = <Doc extends object>(
  journal: Marked<Journal<Doc>, Doc>,
): Marked<Journal<Doc>, Doc> => journal;

/** The collection a read model is folded into; the version that code was compiled for is the one it reads. */
export const collectionOf = ({ name, version }: Readonly<{ name: string; version: number }>): string =>
  `${name}_v${version}`;

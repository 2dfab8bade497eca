/** What an append expects of its stream; a bigint is the revision of its last event. */
export type ExpectedRevision = bigint | 'any' | 'no_stream' | 'stream_exists';

/** What a decision is made on. `head` is -1 for a stream without events. */
export type StreamView = Readonly<{
  head: number;
  tombstoned: boolean;
  softDeleted: boolean;
  hasMetadata: boolean;
  /** The revision of an event of this stream, by its id. */
  revisionOf: (id: string) => number | null;
  /** The id of the event at a revision from 0 to `head`. */
  idAt: (revision: number) => string;
}>;

export type AppendDecision =
  | Readonly<{ kind: 'write' }>
  /** The same events are there already; `last` is the revision of the last of them. */
  | Readonly<{ kind: 'repeated'; last: number }>
  | Readonly<{ kind: 'wrong-revision' }>
  | Readonly<{ kind: 'deleted' }>;

const WRITE = { kind: 'write' } as const;
const WRONG_REVISION = { kind: 'wrong-revision' } as const;
const DELETED = { kind: 'deleted' } as const;

/** Without a stated revision, the events are a repetition if all are known and new if the first is not. */
const decideByKnownIds = (ids: readonly string[], view: StreamView): AppendDecision => {
  let last = -1;
  for (const [index, id] of ids.entries()) {
    const revision = view.revisionOf(id);
    if (revision === null) return index === 0 ? WRITE : WRONG_REVISION;
    last = revision;
  }
  return last === -1 ? WRITE : { kind: 'repeated', last };
};

/** EventStoreDB's rule for an append (and, with one fresh id, for a delete): expected revision, idempotence, deletion. */
export const decideAppend = (
  expected: ExpectedRevision,
  ids: readonly string[],
  view: StreamView,
): AppendDecision => {
  if (view.tombstoned) return DELETED;
  if (expected === 'stream_exists') {
    if (view.softDeleted) return DELETED;
    if (view.head < 0 && !view.hasMetadata) return WRONG_REVISION;
  }
  if (expected === 'any' || expected === 'stream_exists') return decideByKnownIds(ids, view);
  const revision = expected === 'no_stream' ? -1 : Number(expected);
  if (revision === view.head) return WRITE;
  if (revision > view.head) return WRONG_REVISION;
  // The stream has moved on: these very events may be why.
  for (const [index, id] of ids.entries()) {
    const known = revision + 1 + index <= view.head && view.idAt(revision + 1 + index) === id;
    if (known) continue;
    return index === 0 && expected === 'no_stream' && view.softDeleted ? WRITE : WRONG_REVISION;
  }
  return ids.length === 0 ? WRONG_REVISION : { kind: 'repeated', last: revision + ids.length };
};

import { open, type RecordedEvent } from '@app/kernel';
import { defineLedger, type LedgerRow, type ReadFieldMark } from '@app/read-store';
import { append, emptyFrontier, leafBytes, leafHash, type Frontier } from '@app/transparency-log';
import type { AccessesRecorded, AccessRecorded, CheckpointSigned } from '../../domain/privacy.events';
import { entriesOfAccesses, entryOfAccess, entryOfCommand, gather, type Gathered } from './entry-of-event';
import type { EntryContent, PrivacyEntry } from './privacy-entry';

/** Where the fold of the log stands: how many entries there are, what their tree goes on from, and what was last signed. */
export type PrivacyLogState = Readonly<{
  size: number;
  frontier: Frontier;
  gathered: Gathered | null;
  checkpoint: SignedCheckpoint | null;
}>;

export type SignedCheckpoint = Readonly<{
  size: number;
  root: string;
  note: string;
  /** Place in the stream of checkpoints. */
  revision: number;
  signedAt: string;
}>;

/** Id of the row that holds a hash of tile level 1 or higher; ids of one level sort by index. */
export const tileHashId = (level: number, index: number): string =>
  `${level}/${String(index).padStart(13, '0')}`;

/** Rows hold pseudonyms, names of fields and counts; an entry's index is its id. */
const FIELDS: { readonly [Field in Exclude<keyof PrivacyEntry, 'index'> | 'hash']-?: ReadFieldMark } = {
  entryId: open,
  at: open,
  actor: open,
  action: open,
  command: open,
  purpose: open,
  outcome: open,
  onBehalfOf: open,
  subjects: open,
  subjectCount: open,
  subjectsHash: open,
  fields: open,
  query: open,
  rows: open,
  correlationId: open,
  network: open,
  eventId: open,
  leafHash: open,
  hash: open,
};

/**
 * Every entry with its place in the log's Merkle tree, and the tree's inner hashes that tiles are made of. Rows under a number
 * are entries, rows under a text are hashes.
 */
export const privacyLogLedger = defineLedger<PrivacyLogState>({
  name: 'privacy_log',
  version: 1,
  initial: { size: 0, frontier: emptyFrontier, gathered: null, checkpoint: null },
  fields: FIELDS,
  fold: (state, event) => {
    if (event.type === 'privacy.CheckpointSigned.v1')
      return {
        state: { ...state, checkpoint: checkpointOf(event as RecordedEvent<CheckpointSigned>) },
        rows: [],
      };
    if (event.type === 'privacy.AccessRecorded.v1')
      return entered(state, entryOfAccess((event as RecordedEvent<AccessRecorded>).data, event.meta));
    if (event.type === 'privacy.AccessesRecorded.v1') {
      let next: ReturnType<typeof entered> = { state, rows: [] };
      for (const content of entriesOfAccesses(event as RecordedEvent<AccessesRecorded>)) {
        const { state: after, rows } = entered(next.state, content);
        next = { state: after, rows: [...next.rows, ...rows] };
      }
      return next;
    }
    const gathered = gather(state.gathered, event);
    const { command } = event.meta;
    if (command === undefined) return { state: { ...state, gathered }, rows: [] };
    return entered({ ...state, gathered: null }, entryOfCommand(event, command, gathered));
  },
  indexes: [
    { key: { at: -1, _id: -1 } },
    { key: { subjects: 1, at: -1, _id: -1 } },
    { key: { 'actor.id': 1, at: -1, _id: -1 } },
    { key: { action: 1, at: -1, _id: -1 } },
    { key: { outcome: 1, at: -1, _id: -1 } },
  ],
});

const entered = (state: PrivacyLogState, content: EntryContent) => {
  const leaf = leafHash(leafBytes(content));
  const rows: LedgerRow[] = [{ _id: state.size, doc: { ...content, leafHash: leaf.toString('base64') } }];
  const frontier = append(state.frontier, leaf, (level, index, hash) => {
    rows.push({ _id: tileHashId(level, index), doc: { hash: hash.toString('base64') } });
  });
  return { state: { ...state, size: state.size + 1, frontier }, rows };
};

const checkpointOf = ({ data, meta }: RecordedEvent<CheckpointSigned>): SignedCheckpoint => ({
  size: data.size,
  root: data.root,
  note: data.note,
  revision: meta.revision,
  signedAt: meta.recordedAt,
});

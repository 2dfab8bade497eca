import { Inject, Injectable } from '@nestjs/common';
import { available, collectionOf, READ_DB } from '@app/read-store';
import { leafBytes, type TileSource } from '@app/transparency-log';
import type { Collection, Db, Filter } from 'mongodb';
import type { PrivacyEntry } from './privacy-entry';
import { privacyLogLedger, tileHashId, type PrivacyLogState } from './privacy-log.ledger';

export type EntryFilter = Readonly<{
  contactId?: string | undefined;
  actor?: string | undefined;
  action?: string | undefined;
  outcome?: string | undefined;
  /** Inclusive, ISO 8601 UTC. */
  from?: string | undefined;
  /** Exclusive. */
  to?: string | undefined;
}>;

/** The place of an entry in the lists, newest first. */
export type EntryPlace = Readonly<{ at: string; index: number }>;

type EntryRow = Omit<PrivacyEntry, 'index'> & { _id: number };
type HashRow = { _id: string; hash: string };
type StateRow = { _id: string; state: PrivacyLogState };

const COLLECTION = collectionOf(privacyLogLedger);
const FIRST_INDEX = 0;

/** The entries, tree and last checkpoint as folded. */
@Injectable()
export class PrivacyLogReads {
  constructor(@Inject(READ_DB) private readonly db: Db) {}

  async state(): Promise<PrivacyLogState> {
    const row = await available(() => this.db.collection<StateRow>('ledgers').findOne({ _id: COLLECTION }));
    return row?.state ?? privacyLogLedger.initial;
  }

  /** Newest first, behind a place. */
  async newest(
    filter: EntryFilter,
    behind: EntryPlace | null,
    limit: number,
  ): Promise<readonly PrivacyEntry[]> {
    const rows = await available(() =>
      this.entries().find(filterOf(filter, behind)).sort({ at: -1, _id: -1 }).limit(limit).toArray(),
    );
    return rows.map(entryOf);
  }

  async at(index: number): Promise<PrivacyEntry | null> {
    const row = await available(() => this.entries().findOne({ _id: index }));
    return row && entryOf(row);
  }

  /** When an actor's newest entry was made; null: it has none. */
  async lastSeen(actorId: string): Promise<string | null> {
    const [newest] = await this.newest({ actor: actorId }, null, 1);
    return newest?.at ?? null;
  }

  /** The bytes of the leaves from `first` on. Fewer than asked for where the log ends before. */
  async leaves(first: number, count: number): Promise<readonly Buffer[]> {
    const rows = await available(() => this.entriesFrom(first, count).toArray());
    return rows.map((row) => leafBytes(entryOf(row)));
  }

  /** Hashes of the tree. Fewer than asked for where the tree ends before. */
  readonly tiles: TileSource = async (level, index, width) => {
    const first = index * 256;
    const hashes =
      level === 0
        ? (
            await available(() => this.entriesFrom(first, width).project<EntryRow>({ leafHash: 1 }).toArray())
          ).map(({ leafHash }) => leafHash)
        : (await available(() => this.hashesFrom(level, first, width).toArray())).map(({ hash }) => hash);
    return hashes.map((hash) => Buffer.from(hash, 'base64'));
  };

  private entriesFrom(first: number, count: number) {
    return this.entries()
      .find({ _id: { $gte: first, $lt: first + count } })
      .sort({ _id: 1 });
  }

  private hashesFrom(level: number, first: number, count: number) {
    return this.db
      .collection<HashRow>(COLLECTION)
      .find({ _id: { $gte: tileHashId(level, first), $lt: tileHashId(level, first + count) } })
      .sort({ _id: 1 });
  }

  private entries(): Collection<EntryRow> {
    return this.db.collection<EntryRow>(COLLECTION);
  }
}

const filterOf = (
  { contactId, actor, action, outcome, from, to }: EntryFilter,
  behind: EntryPlace | null,
): Filter<EntryRow> => ({
  ...(contactId !== undefined && { subjects: contactId }),
  ...(actor !== undefined && { 'actor.id': actor }),
  ...(action !== undefined && { action }),
  ...(outcome !== undefined && { outcome: outcome as EntryRow['outcome'] }),
  // A text bound leaves out the rows of inner hashes, which have no time.
  at: { $gte: from ?? '', ...(to !== undefined && { $lt: to }), ...(behind && { $lte: behind.at }) },
  ...(behind && { $or: [{ at: { $lt: behind.at } }, { _id: { $gte: FIRST_INDEX, $lt: behind.index } }] }),
});

const entryOf = ({ _id, ...entry }: EntryRow): PrivacyEntry => ({ index: _id, ...entry });

import { Query } from '@nestjs/cqrs';
import type { EntryFilter } from '../entries/mongo.privacy-log-reads';
import type { PrivacyEntry } from '../entries/privacy-entry';

export type EntryPage = Readonly<{
  items: readonly PrivacyEntry[];
  nextCursor: string | null;
  asOfPosition: string;
}>;

export class ListEntriesQuery extends Query<EntryPage> {
  constructor(
    readonly filter: EntryFilter,
    readonly limit: number,
    readonly cursor: string | undefined,
    readonly minPosition: bigint | undefined,
  ) {
    super();
  }
}

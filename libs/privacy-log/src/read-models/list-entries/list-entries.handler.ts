import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { CursorCodec } from '@app/http';
import { ReadGate } from '@app/read-store';
import { PrivacyLogReads } from '../entries/mongo.privacy-log-reads';
import { ListEntriesQuery, type EntryPage } from './list-entries.query';

/** Pages of entries, newest first. Entries never change, so neither do the pages behind a cursor. */
@QueryHandler(ListEntriesQuery)
export class ListEntriesHandler implements IQueryHandler<ListEntriesQuery> {
  constructor(
    private readonly entries: PrivacyLogReads,
    private readonly gate: ReadGate,
    private readonly cursors: CursorCodec,
  ) {}

  /** Throws InvalidCursorError. */
  async execute({ filter, limit, cursor, minPosition }: ListEntriesQuery): Promise<EntryPage> {
    const { contactId, actor, action, outcome, from, to } = filter;
    const binding = ['privacy-log', contactId, actor, action, outcome, from, to];
    const after = cursor === undefined ? null : this.cursors.decode(cursor, binding);
    const asOfPosition = await this.gate.wait(minPosition);
    const behind = after && { at: String(after[0]), index: Number(after[1]) };
    const found = await this.entries.newest(filter, behind, limit + 1);
    const items = found.slice(0, limit);
    const last = items.at(-1);
    return {
      items,
      nextCursor: last && found.length > limit ? this.cursors.encode([last.at, last.index], binding) : null,
      asOfPosition: asOfPosition.toString(),
    };
  }
}

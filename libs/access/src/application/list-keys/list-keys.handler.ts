import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { DecisionRunner, EventStore } from '@app/event-store';
import { CursorCodec } from '@app/http';
import { ReadBehindError } from '@app/read-store';
import { accessDecider, type ApiKey } from '../../domain/access.decider';
import { ACCESS_STREAM } from '../../domain/access.events';
import { KeyUses } from './key-uses.port';
import { ListApiKeysQuery, type ApiKeyPage, type ApiKeyRow } from './list-keys.query';

const BINDING = 'api-keys';

/** Lists keys, oldest first, from the log itself: they are few, and a list that lags would mislead after a revocation. */
@QueryHandler(ListApiKeysQuery)
export class ListApiKeysHandler implements IQueryHandler<ListApiKeysQuery> {
  constructor(
    private readonly decisions: DecisionRunner,
    private readonly store: EventStore,
    private readonly cursors: CursorCodec,
    private readonly uses: KeyUses,
  ) {}

  async execute({ limit, cursor, minPosition }: ListApiKeysQuery): Promise<ApiKeyPage> {
    const after = cursor === undefined ? undefined : this.cursors.decode(cursor, BINDING)[0];
    const head = (await this.store.head()) ?? 0n;
    if (minPosition !== undefined && minPosition > head) throw new ReadBehindError(head, minPosition);
    const { state } = await this.decisions.read(accessDecider, ACCESS_STREAM);
    const keys = [...state.keys.values()];
    const start = after === undefined ? 0 : keys.findIndex(({ keyId }) => keyId === after) + 1;
    const items = await Promise.all(
      keys.slice(start, start + limit).map(async (key) => rowOf(key, await this.uses.lastUsedAt(key.keyId))),
    );
    const last = items.at(-1);
    return {
      items,
      nextCursor: last && start + limit < keys.length ? this.cursors.encode([last.id], BINDING) : null,
      asOfPosition: head.toString(),
    };
  }
}

const rowOf = (
  { keyId, name, role, createdAt, rotatedAt, expiresAt, revokedAt }: ApiKey,
  lastUsedAt: string | null,
): ApiKeyRow => ({
  id: keyId,
  name,
  role,
  createdAt,
  rotatedAt: rotatedAt ?? null,
  expiresAt: expiresAt ?? null,
  revokedAt: revokedAt ?? null,
  lastUsedAt,
});

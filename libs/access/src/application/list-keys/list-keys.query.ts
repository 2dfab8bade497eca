import { Query } from '@nestjs/cqrs';
import type { Role } from '@app/kernel';

/** An API key as administrators see it: nothing of its secret. */
export type ApiKeyRow = Readonly<{
  id: string;
  name: string;
  role: Role;
  createdAt: string;
  rotatedAt: string | null;
  expiresAt: string | null;
  revokedAt: string | null;
  /** When the privacy log last heard of it. */
  lastUsedAt: string | null;
}>;

export type ApiKeyPage = Readonly<{
  items: readonly ApiKeyRow[];
  nextCursor: string | null;
  asOfPosition: string;
}>;

export class ListApiKeysQuery extends Query<ApiKeyPage> {
  constructor(
    readonly limit: number,
    readonly cursor: string | undefined,
    readonly minPosition: bigint | undefined,
  ) {
    super();
  }
}

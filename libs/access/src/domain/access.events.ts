import { defineEvent, open, type DomainEvent, type EventDefinition, type Role } from '@app/kernel';

/** Everything on stream `access-main`: API keys, as hashes only. */

type OfKey = { keyId: string; occurredAt: string };

/** `hash`: SHA-256 of the key (32 random bytes, so no slow hash is needed), base64url. */
export type ApiKeyCreated = DomainEvent<
  'access.ApiKeyCreated.v1',
  OfKey & { name: string; role: Role; hash: string; expiresAt?: string }
>;
export type ApiKeyRotated = DomainEvent<'access.ApiKeyRotated.v1', OfKey & { hash: string }>;
export type ApiKeyRevoked = DomainEvent<'access.ApiKeyRevoked.v1', OfKey>;

export type AccessEvent = ApiKeyCreated | ApiKeyRotated | ApiKeyRevoked;

const ofKey = { keyId: open, occurredAt: open } as const;

export const accessEventDefinitions: readonly EventDefinition[] = [
  defineEvent<ApiKeyCreated>({
    type: 'access.ApiKeyCreated.v1',
    fields: { ...ofKey, name: open, role: open, hash: open, expiresAt: open },
  }),
  defineEvent<ApiKeyRotated>({ type: 'access.ApiKeyRotated.v1', fields: { ...ofKey, hash: open } }),
  defineEvent<ApiKeyRevoked>({ type: 'access.ApiKeyRevoked.v1', fields: ofKey }),
];

export const ACCESS_STREAM = 'access-main';

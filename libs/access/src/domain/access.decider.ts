import type { Decider, Decision, RecordedEvent, Role } from '@app/kernel';
import {
  ExpiryPassedError,
  KeyExistsError,
  KeyExpiredError,
  KeyNotFoundError,
  KeyRevokedError,
  TooManyKeysError,
} from './access.errors';
import type { AccessEvent } from './access.events';

/** Every process keeps all living keys in memory. */
export const LIVING_KEYS_MAX = 1_000;

/** The key that a start makes, so that somebody can make the others. */
export const ADMIN_KEY_ID = '00000000-0000-8000-8000-000000000001';
const ADMIN_KEY_NAME = 'admin key of the installation';

export type ApiKey = {
  readonly keyId: string;
  name: string;
  role: Role;
  hash: string;
  /** Hashes that this key had before it was rotated. */
  readonly formerHashes: string[];
  createdAt: string;
  rotatedAt?: string;
  expiresAt?: string;
  revokedAt?: string;
};

/** All keys, in the order they were first created. */
export type Access = { readonly keys: Map<string, ApiKey> };

export type CreateKey = Readonly<{
  type: 'CreateKey';
  keyId: string;
  name: string;
  role: Role;
  hash: string;
  expiresAt?: string;
  now: string;
}>;
export type RotateKey = Readonly<{ type: 'RotateKey'; keyId: string; hash: string; now: string }>;
export type RevokeKey = Readonly<{ type: 'RevokeKey'; keyId: string; now: string }>;
/** Makes the installation's admin key be this one, whatever it was. */
export type SetAdminKey = Readonly<{ type: 'SetAdminKey'; hash: string; now: string }>;

export type AccessCommand = CreateKey | RotateKey | RevokeKey | SetAdminKey;

export type KeyAnswer = Readonly<{ id: string; name: string; role: Role; expiresAt?: string }>;

/** Whether a key opens anything at an instant. */
export const isLiving = ({ revokedAt, expiresAt }: ApiKey, now: string): boolean =>
  revokedAt === undefined && (expiresAt === undefined || expiresAt > now);

type Decided = Decision<AccessEvent, KeyAnswer>;

const answerOf = (
  keyId: string,
  { name, role, expiresAt }: Pick<ApiKey, 'name' | 'role' | 'expiresAt'>,
): KeyAnswer => ({
  id: keyId,
  name,
  role,
  ...(expiresAt === undefined ? {} : { expiresAt }),
});

const decideCreate = ({ keyId, name, role, hash, expiresAt, now }: CreateKey, { keys }: Access): Decided => {
  if (keys.has(keyId)) throw new KeyExistsError();
  if (expiresAt !== undefined && expiresAt <= now) throw new ExpiryPassedError();
  const living = [...keys.values()].filter((key) => isLiving(key, now)).length;
  if (living >= LIVING_KEYS_MAX) throw new TooManyKeysError(LIVING_KEYS_MAX);
  const terms = { name, role, ...(expiresAt === undefined ? {} : { expiresAt }) };
  return {
    events: [{ type: 'access.ApiKeyCreated.v1', data: { keyId, ...terms, hash, occurredAt: now } }],
    answer: answerOf(keyId, terms),
  };
};

const existing = (keyId: string, { keys }: Access): ApiKey => {
  const key = keys.get(keyId);
  if (key === undefined) throw new KeyNotFoundError();
  return key;
};

const decideRotate = ({ keyId, hash, now }: RotateKey, access: Access): Decided => {
  const key = existing(keyId, access);
  if (key.revokedAt !== undefined) throw new KeyRevokedError();
  // A new secret would open nothing.
  if (!isLiving(key, now)) throw new KeyExpiredError();
  return {
    events: [{ type: 'access.ApiKeyRotated.v1', data: { keyId, hash, occurredAt: now } }],
    answer: answerOf(keyId, key),
  };
};

const decideRevoke = ({ keyId, now }: RevokeKey, access: Access): Decided => {
  const key = existing(keyId, access);
  const answer = answerOf(keyId, key);
  if (key.revokedAt !== undefined) return { events: [], answer };
  return { events: [{ type: 'access.ApiKeyRevoked.v1', data: { keyId, occurredAt: now } }], answer };
};

const decideAdmin = ({ hash, now }: SetAdminKey, { keys }: Access): Decided => {
  const key = keys.get(ADMIN_KEY_ID);
  const answer = answerOf(ADMIN_KEY_ID, { name: ADMIN_KEY_NAME, role: 'admin' });
  if (key === undefined || key.revokedAt !== undefined) {
    const data = { keyId: ADMIN_KEY_ID, name: ADMIN_KEY_NAME, role: 'admin' as const, hash, occurredAt: now };
    return { events: [{ type: 'access.ApiKeyCreated.v1', data }], answer };
  }
  if (key.hash === hash) return { events: [], answer };
  return {
    events: [{ type: 'access.ApiKeyRotated.v1', data: { keyId: ADMIN_KEY_ID, hash, occurredAt: now } }],
    answer,
  };
};

const decide = (command: AccessCommand, access: Access): Decided => {
  switch (command.type) {
    case 'CreateKey':
      return decideCreate(command, access);
    case 'RotateKey':
      return decideRotate(command, access);
    case 'RevokeKey':
      return decideRevoke(command, access);
    case 'SetAdminKey':
      return decideAdmin(command, access);
  }
};

const evolve = (access: Access, event: RecordedEvent<AccessEvent>): Access => {
  const { keys } = access;
  const key = keys.get(event.data.keyId);
  switch (event.type) {
    case 'access.ApiKeyCreated.v1': {
      const { keyId, name, role, hash, expiresAt, occurredAt } = event.data;
      // Only the installation's own key is ever created again, after it was revoked.
      const formerHashes = key ? [...key.formerHashes, key.hash] : [];
      const terms = expiresAt === undefined ? {} : { expiresAt };
      keys.set(keyId, { keyId, name, role, hash, formerHashes, createdAt: occurredAt, ...terms });
      return access;
    }
    case 'access.ApiKeyRotated.v1':
      if (key === undefined) return access;
      key.formerHashes.push(key.hash);
      key.hash = event.data.hash;
      key.rotatedAt = event.data.occurredAt;
      return access;
    case 'access.ApiKeyRevoked.v1':
      if (key !== undefined) key.revokedAt = event.data.occurredAt;
      return access;
    default:
      return unreachable(event, access);
  }
};

const unreachable = (_event: never, access: Access): Access => access;

export const accessDecider: Decider<Access, AccessCommand, AccessEvent, KeyAnswer> = {
  name: 'access',
  initialState: () => ({ keys: new Map() }),
  decide,
  evolve,
};

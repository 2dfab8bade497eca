import type { RecordedEvent } from '@app/kernel';
import { accessDecider, ADMIN_KEY_ID, isLiving, LIVING_KEYS_MAX, type AccessCommand } from './access.decider';
import {
  ExpiryPassedError,
  KeyExistsError,
  KeyExpiredError,
  KeyNotFoundError,
  KeyRevokedError,
  TooManyKeysError,
} from './access.errors';
import type { AccessEvent } from './access.events';

const NOW = '2026-01-31T12:00:00.000Z';
const LATER = '2026-01-31T12:00:00.001Z';

const created = (keyId: string, more: object = {}): AccessEvent => ({
  type: 'access.ApiKeyCreated.v1',
  data: { keyId, name: 'till', role: 'operator', hash: `hash-of-${keyId}`, occurredAt: NOW, ...more },
});
const rotated = (keyId: string, hash: string): AccessEvent => ({
  type: 'access.ApiKeyRotated.v1',
  data: { keyId, hash, occurredAt: NOW },
});
const revoked = (keyId: string): AccessEvent => ({
  type: 'access.ApiKeyRevoked.v1',
  data: { keyId, occurredAt: NOW },
});

const after = (...history: AccessEvent[]) =>
  history.reduce(
    (state, event) => accessDecider.evolve(state, event as RecordedEvent<AccessEvent>),
    accessDecider.initialState(),
  );
const decide = (command: AccessCommand, ...history: AccessEvent[]) =>
  accessDecider.decide(command, after(...history));

const create = {
  type: 'CreateKey',
  keyId: 'a',
  name: 'till',
  role: 'operator',
  hash: 'h',
  now: NOW,
} as const;

describe('API keys', () => {
  it('are created with what was asked for', () =>
    expect(decide({ ...create, expiresAt: LATER })).toEqual({
      events: [created('a', { hash: 'h', expiresAt: LATER })],
      answer: { id: 'a', name: 'till', role: 'operator', expiresAt: LATER },
    }));

  it('expire in the future, and are created once', () => {
    expect(() => decide({ ...create, expiresAt: NOW })).toThrow(ExpiryPassedError);
    expect(() => decide(create, created('a'))).toThrow(KeyExistsError);
  });

  it('are at most so many at once; those that ended do not count', () => {
    const many = Array.from({ length: LIVING_KEYS_MAX }, (_, n) => created(`k${n}`));
    expect(() => decide(create, ...many)).toThrow(TooManyKeysError);
    expect(decide(create, ...many, revoked('k0')).events).toHaveLength(1);
    expect(
      decide({ ...create, now: LATER }, ...many.slice(1), created('k0', { expiresAt: LATER })).events,
    ).toHaveLength(1);
  });

  it('are rotated until they are revoked or expire', () => {
    const rotate = { type: 'RotateKey', keyId: 'a', hash: 'new', now: NOW } as const;
    expect(decide(rotate, created('a'))).toEqual({
      events: [rotated('a', 'new')],
      answer: { id: 'a', name: 'till', role: 'operator' },
    });
    expect(() => decide(rotate)).toThrow(KeyNotFoundError);
    expect(() => decide(rotate, created('a'), revoked('a'))).toThrow(KeyRevokedError);
    expect(decide(rotate, created('a', { expiresAt: LATER })).events).toHaveLength(1);
    expect(() => decide(rotate, created('a', { expiresAt: NOW }))).toThrow(KeyExpiredError);
  });

  it('are revoked once, however often it is said', () => {
    const revoke = { type: 'RevokeKey', keyId: 'a', now: NOW } as const;
    expect(decide(revoke, created('a')).events).toEqual([revoked('a')]);
    expect(decide(revoke, created('a'), revoked('a')).events).toEqual([]);
    expect(() => decide(revoke)).toThrow(KeyNotFoundError);
  });

  it('live until they are revoked or expire', () => {
    const living = (...history: AccessEvent[]) => isLiving(after(...history).keys.get('a')!, NOW);
    expect(living(created('a'))).toBe(true);
    expect(living(created('a', { expiresAt: LATER }))).toBe(true);
    expect(living(created('a', { expiresAt: NOW }))).toBe(false);
    expect(living(created('a'), revoked('a'))).toBe(false);
  });

  describe("the installation's own", () => {
    const set = { type: 'SetAdminKey', hash: 'h', now: NOW } as const;
    const types = (...history: AccessEvent[]) => decide(set, ...history).events.map(({ type }) => type);

    it('is created, kept, rotated, or created again after a revocation', () => {
      expect(types()).toEqual(['access.ApiKeyCreated.v1']);
      expect(types(created(ADMIN_KEY_ID, { hash: 'h' }))).toEqual([]);
      expect(types(created(ADMIN_KEY_ID))).toEqual(['access.ApiKeyRotated.v1']);
      expect(types(created(ADMIN_KEY_ID, { hash: 'h' }), revoked(ADMIN_KEY_ID))).toEqual([
        'access.ApiKeyCreated.v1',
      ]);
    });

    it('remembers the hashes it had', () => {
      const key = after(
        created('a'),
        rotated('a', 'two'),
        revoked('a'),
        created('a', { hash: 'three' }),
      ).keys.get('a');
      expect(key).toMatchObject({ hash: 'three', formerHashes: ['hash-of-a', 'two'] });
      expect(key?.revokedAt).toBeUndefined();
    });
  });
});

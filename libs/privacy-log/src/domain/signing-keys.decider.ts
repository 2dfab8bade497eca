import type { Decider } from '@app/kernel';
import { TooManySigningKeysError } from './privacy-log.errors';
import type { SigningKeyRotated } from './privacy.events';

const KEYS_MAX = 1_000;
const FIRST_KEY = 1;

/** Key `n` of a log signs until key `n + 1` is put in force. */
export type SigningKeys = { current: number; readonly retired: { keyNumber: number; until: string }[] };

export type RotateSigningKey = Readonly<{
  type: 'RotateSigningKey';
  /** Public keys follow from their numbers. */
  publicKeyOf: (keyNumber: number) => string;
  now: string;
}>;

export type RotationAnswer = Readonly<{ keyNumber: number; publicKey: string }>;

export const signingKeysDecider: Decider<SigningKeys, RotateSigningKey, SigningKeyRotated, RotationAnswer> = {
  name: 'privacy-log-signing-keys',
  initialState: () => ({ current: FIRST_KEY, retired: [] }),
  decide: ({ publicKeyOf, now }, { current }) => {
    if (current >= KEYS_MAX) throw new TooManySigningKeysError(KEYS_MAX);
    const answer = { keyNumber: current + 1, publicKey: publicKeyOf(current + 1) };
    return {
      events: [{ type: 'privacy.SigningKeyRotated.v1', data: { ...answer, occurredAt: now } }],
      answer,
    };
  },
  evolve: (keys, { data }) => {
    keys.retired.push({ keyNumber: keys.current, until: data.occurredAt });
    keys.current = data.keyNumber;
    return keys;
  },
};

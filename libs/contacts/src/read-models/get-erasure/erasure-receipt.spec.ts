import { generateKeyPairSync } from 'node:crypto';
import type { ErasureDocument } from '../erasures/erasures.projection';
import { erasureReceipt } from './erasure-receipt';

const AT = '2026-01-31T12:00:00.000Z';
const UNTIL = '2034-01-01T00:00:00.000Z';

const { publicKey } = generateKeyPairSync('ed25519');
const signer = {
  publicKey: publicKey.export({ type: 'spki', format: 'der' }).subarray(-32),
  sign: () => Buffer.alloc(64),
};
const buyer: ErasureDocument = {
  contactId: 'c',
  erasureId: 'e',
  state: 'executing',
  legalGround: 'objection',
  requestedAt: AT,
  executeAfter: AT,
  startedAt: AT,
  unreachableAt: AT,
  completedAt: null,
  forfeited: {},
  suppressionTokens: 0,
  keys: [{ keyId: 'p1', destroyedAt: AT }],
  held: [],
  stores: [],
  valuesErased: 0,
  valuesRetained: 0,
  retainedUntil: UNTIL,
  retainedDestroyedAt: null,
  nextStepAt: null,
};
const purged: ErasureDocument = {
  ...buyer,
  state: 'partlyRetained',
  completedAt: AT,
  valuesErased: 4,
  valuesRetained: 2,
};

describe('the receipt of a buyer’s erasure', () => {
  it('says that values are retained, and how many once they were counted', () => {
    expect(erasureReceipt(buyer, signer)?.retained).toEqual({
      fields: expect.any(Array),
      reason: 'accounting',
      until: UNTIL,
    });
    const receipt = erasureReceipt(purged, signer);
    expect(receipt?.retained).toMatchObject({ values: 2, until: UNTIL });
    expect(receipt?.stores).toEqual([{ store: 'events', before: 6, after: 2 }]);
  });

  it('says how many tokens are left behind, where any are', () => {
    expect(erasureReceipt(buyer, signer)).not.toHaveProperty('suppressionTokens');
    expect(erasureReceipt({ ...buyer, suppressionTokens: 2 }, signer)?.suppressionTokens).toBe(2);
  });

  it('says that none are left once their time was up', () => {
    const destroyed = { ...purged, state: 'completed', retainedDestroyedAt: UNTIL } as const;
    const receipt = erasureReceipt(destroyed, signer);
    expect(receipt?.retained).toBeUndefined();
    expect(receipt?.stores).toEqual([{ store: 'events', before: 6, after: 0 }]);
    expect(receipt?.retainedDestroyedAt).toBe(UNTIL);
  });
});

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { SealPurpose } from '@app/kernel';
import { KeyDestroyedError, MissingKeyError, SealBrokenError } from './key-ring.errors';
import { LocalKeyRing } from './local.key-ring';
import { Sealer } from './sealer';

const purposes: readonly SealPurpose[] = ['profile', 'contact', 'device', 'freetext', 'accounting'];

describe('Sealer', () => {
  let folder: string;
  let keyRing: LocalKeyRing;
  let sealer: Sealer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'regulars-keys-'));
    keyRing = await LocalKeyRing.open(folder);
    sealer = new Sealer(keyRing);
  });
  afterAll(async () => {
    await keyRing.close();
    await rm(folder, { recursive: true, force: true });
  });

  const values = fc.jsonValue({ maxDepth: 3 });
  const anyPurpose = fc.constantFrom(...purposes);

  it('opens what it sealed', () =>
    fc.assert(
      fc.asyncProperty(
        values,
        anyPurpose,
        fc.uuid(),
        fc.string(),
        fc.uuid(),
        async (value, purpose, eventId, field, contactId) => {
          const sealed = await sealer.seal(value, contactId, purpose, { eventId, field });
          const expected = JSON.parse(JSON.stringify(value)) as unknown;
          expect(await sealer.open(sealed, { eventId, field })).toEqual(expected);
          expect(sealer.openAtHand(sealed, { eventId, field })).toEqual(expected);
        },
      ),
      { numRuns: 50 },
    ));

  it('opens in no other event, field or contact', () =>
    fc.assert(
      fc.asyncProperty(
        values,
        anyPurpose,
        fc.uuid(),
        fc.uuid(),
        async (value, purpose, eventId, contactId) => {
          const other = randomUUID();
          const sealed = await sealer.seal(value, contactId, purpose, { eventId, field: 'a' });
          const otherSealed = await sealer.seal(value, other, purpose, { eventId, field: 'a' });
          await expect(sealer.open(sealed, { eventId: randomUUID(), field: 'a' })).rejects.toThrow(
            SealBrokenError,
          );
          await expect(sealer.open(sealed, { eventId, field: 'b' })).rejects.toThrow(SealBrokenError);
          const moved = otherSealed.slice(0, 28) + sealed.slice(28);
          await expect(sealer.open(moved, { eventId, field: 'a' })).rejects.toThrow(SealBrokenError);
        },
      ),
      { numRuns: 20 },
    ));

  it('notices a change of any character', async () => {
    const place = { eventId: randomUUID(), field: 'profile' };
    const sealed = await sealer.seal({ firstName: 'Anna' }, randomUUID(), 'profile', place);
    for (let index = 0; index < sealed.length; index += 1) {
      // The last character may carry bits that base64url does not use: one far away in the alphabet changes used ones.
      const changed = sealed[index] === 'A' ? 'z' : 'A';
      const tampered = sealed.slice(0, index) + changed + sealed.slice(index + 1);
      await expect(sealer.open(tampered, place)).rejects.toThrow(/cannot be opened|has no key/);
    }
    for (const broken of ['', '1', '1.p.', sealed.slice(0, 28), sealed.slice(0, 40), `2${sealed.slice(1)}`]) {
      await expect(sealer.open(broken, place)).rejects.toThrow(SealBrokenError);
    }
  });

  it('tells a key that never was from one that was destroyed', async () => {
    const place = { eventId: randomUUID(), field: 'profile' };
    const contactId = randomUUID();
    const sealed = await sealer.seal('Anna', contactId, 'profile', place);
    const never = sealed.slice(0, 5) + 'A'.repeat(22) + sealed.slice(27);
    await expect(sealer.open(never, place)).rejects.toThrow(MissingKeyError);
    await keyRing.destroy(contactId, 'personal');
    expect(await sealer.open(sealed, place)).toBeNull();
    expect(sealer.openAtHand(sealed, place)).toBeNull();
    await expect(sealer.seal('Anna', contactId, 'profile', place)).rejects.toThrow(KeyDestroyedError);
  });

  it('seals the same value differently each time, with nothing of it in the text', async () => {
    const place = { eventId: randomUUID(), field: 'note' };
    const contactId = randomUUID();
    const sealed = new Set<string>();
    for (let time = 0; time < 600; time += 1)
      sealed.add(await sealer.seal('canary', contactId, 'freetext', place));
    expect(sealed.size).toBe(600);
    const nonces = new Set([...sealed].map((text) => text.slice(28, 44)));
    expect(nonces.size).toBe(600);
    expect([...sealed].join('')).not.toContain(Buffer.from('canary').toString('base64url'));
  });
});

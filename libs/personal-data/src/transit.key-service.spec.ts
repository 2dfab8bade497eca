import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { KeyRingSetupError, KeyServiceError } from './key-ring.errors';
import { openKeyRing } from './open.key-ring';
import { startTestKeyService, type TestKeyService } from './transit.key-service.suite';
import { TransitKeyService } from './transit.key-service';

const CONTACT = '4f5b8d9e-6a43-4c8e-9a55-0d5f6f2b7c11';

describe('TransitKeyService', () => {
  let server: TestKeyService;
  const service = (changes: object = {}): TransitKeyService =>
    new TransitKeyService({ ...server.options, timeoutMs: 150, triesMax: 3, backoffMs: 5, ...changes });

  beforeEach(async () => void (server = await startTestKeyService()));
  afterEach(() => server.close());

  it('gets back what it had wrapped, also after the service rotated its own key', async () => {
    const key = randomBytes(32);
    const wrapped = await service().wrap(key);
    expect(wrapped).toMatch(/^vault:v1:/);
    server.rotate();
    expect(await service().unwrap(wrapped)).toEqual(key);
    expect(await service().wrap(key)).toMatch(/^vault:v2:/);
    expect(server.requests[0]).toMatchObject({ method: 'POST', path: '/v1/transit/encrypt/regulars' });
    expect(server.requests[1]).toMatchObject({ method: 'POST', path: '/v1/transit/decrypt/regulars' });
  });

  it('tries again while the service is away, ill, sealed or slow, and not for ever', async () => {
    const wrapped = await service().wrap(Buffer.alloc(32, 1));
    for (const trouble of ['hang up', 'slow', 500, 503, 429] as const) {
      server.trouble(trouble, 2);
      expect(await service().unwrap(wrapped)).toEqual(Buffer.alloc(32, 1));
      server.trouble(trouble, 3);
      await expect(service().unwrap(wrapped)).rejects.toThrow(KeyServiceError);
    }
    await server.close();
    await expect(service().unwrap(wrapped)).rejects.toThrow(/cannot be reached \(ECONNREFUSED\)/);
  });

  it('asks once where the answer will not change', async () => {
    const wrapped = await service().wrap(Buffer.alloc(32, 1));
    const asks = async (refusal: RegExp, ask: () => Promise<unknown>): Promise<void> => {
      const before = server.requests.length;
      await expect(ask()).rejects.toThrow(refusal);
      expect(server.requests.length - before).toBe(1);
    };
    await asks(/refuses the token/, () => service({ token: 'another' }).unwrap(wrapped));
    await asks(/has no key named other/, () => service({ keyName: 'other' }).unwrap(wrapped));
    await asks(/answers 400/, () => service().unwrap('vault:v1:AAAA'));
    const garbage = ['', 'no JSON', '[]', 'null', '{}', '{"data":null}', '{"data":{}}'];
    const wrong = ['{"data":{"plaintext":7}}', '{"data":{"plaintext":"?"}}', '{"data":{"plaintext":""}}'];
    for (const answer of [...garbage, ...wrong, 'x'.repeat(100_000)]) {
      server.trouble(answer, 1);
      await asks(/answered/, () => service().unwrap(wrapped));
    }
    for (const answer of ['{"data":{"ciphertext":""}}', '{"data":{"ciphertext":{}}}']) {
      server.trouble(answer, 1);
      await asks(/answered/, () => service().wrap(Buffer.alloc(32)));
    }
  });

  it('tells nothing of token, key or answer in its errors', async () => {
    const secret = randomBytes(32);
    const told: unknown[] = [];
    const wrapped = await service().wrap(secret);
    for (const trouble of ['hang up', 'slow', 503, `{"data":"${secret.toString('base64')}"}`] as const) {
      server.trouble(trouble, 20);
      told.push(
        await service()
          .wrap(secret)
          .catch((error: unknown) => error),
      );
      told.push(
        await service()
          .unwrap(wrapped)
          .catch((error: unknown) => error),
      );
    }
    server.trouble(200, 0);
    told.push(
      await service({ token: 'wrong token' })
        .wrap(secret)
        .catch((error: unknown) => error),
    );
    await server.close();
    told.push(
      await service()
        .wrap(secret)
        .catch((error: unknown) => error),
    );
    expect(told.every((error) => error instanceof KeyServiceError)).toBe(true);
    const printed = inspect(told, { depth: 20, showHidden: true });
    for (const form of ['base64', 'hex', 'base64url'] as const)
      expect(printed).not.toContain(secret.toString(form).slice(0, 10));
    expect(printed).not.toContain(server.options.token);
    expect(printed).not.toContain('wrong token');
    expect(printed).not.toContain(wrapped.slice(9, 25));
  });

  describe('behind a key ring', () => {
    let keysDir: string;
    const fast = () => ({ ...server.options, timeoutMs: 1_000, triesMax: 2, backoffMs: 5 });
    const print = async (place: Parameters<typeof openKeyRing>[0]): Promise<string> => {
      const keyRing = await openKeyRing(place);
      try {
        const key = await keyRing.keyForSealing(CONTACT, 'personal');
        return key.subKey('profile').export().toString('hex');
      } finally {
        await keyRing.close();
      }
    };

    beforeEach(async () => void (keysDir = await mkdtemp(join(tmpdir(), 'regulars-keys-'))));
    afterEach(() => rm(keysDir, { recursive: true, force: true }));

    it('is asked once a start, whatever the number of contacts', async () => {
      const key = await print({ keysDir, keyService: fast() });
      const before = server.requests.length;
      const keyRing = await openKeyRing({ keysDir, keyService: fast() });
      expect(server.requests.length - before).toBe(1);
      await server.close();
      // Nothing but the start needs it.
      for (let index = 0; index < 20; index += 1)
        await keyRing.keyForSealing(CONTACT.replace(/^../, String(10 + index)), 'retained');
      expect(
        (await keyRing.keyForSealing(CONTACT, 'personal')).subKey('profile').export().toString('hex'),
      ).toBe(key);
      await keyRing.close();
    });

    it('refuses to start without it, says why, and starts once it is there again', async () => {
      const key = await print({ keysDir, keyService: fast() });
      await expect(print({ keysDir, keyService: { ...fast(), token: 'another' } })).rejects.toThrow(
        /refuses the token/,
      );
      server.trouble('{"data":{"plaintext":"AAAA"}}', 1);
      await expect(print({ keysDir, keyService: fast() })).rejects.toThrow(/key of another length/);
      // A key, but another one.
      server.trouble(`{"data":{"plaintext":"${Buffer.alloc(32, 7).toString('base64')}"}}`, 1);
      await expect(print({ keysDir, keyService: fast() })).rejects.toThrow(/not the one/);
      server.trouble(503, 2);
      await expect(print({ keysDir, keyService: fast() })).rejects.toThrow(/answers 503/);
      await expect(print({ keysDir })).rejects.toThrow(KeyRingSetupError);
      expect(await print({ keysDir, keyService: fast() })).toBe(key);
    });

    it('takes over from a file by a rotation', async () => {
      const key = await print({ keysDir });
      const keyRing = await openKeyRing({ keysDir, keyService: fast() });
      expect(await keyRing.keeper.rotate()).toEqual({ version: 2, rewrapped: 2 });
      await keyRing.close();
      expect(await print({ keysDir, keyService: fast() })).toBe(key);
      await expect(print({ keysDir })).rejects.toThrow(/REGULARS_KMS_URL/);
    });
  });
});

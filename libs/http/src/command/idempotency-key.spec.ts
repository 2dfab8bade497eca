import fc from 'fast-check';
import { commandIdOf, parseIdempotencyKey } from './idempotency-key';

const printable = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 1,
  maxLength: 255,
});

describe('an idempotency key', () => {
  it('may be any printable ASCII in quotes', () =>
    fc.assert(
      fc.property(printable, (key) => {
        expect(parseIdempotencyKey(`"${key.replace(/["\\]/g, '\\$&')}"`)).toBe(key);
      }),
    ));

  it('is the same bare, where it can be', () =>
    expect(parseIdempotencyKey('8e03978e-40d5-43e8-bc93-6894a57f9324')).toBe(
      parseIdempotencyKey('"8e03978e-40d5-43e8-bc93-6894a57f9324"'),
    ));

  it('is refused otherwise, never taken in part', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (header) => {
        try {
          const key = parseIdempotencyKey(header);
          expect([header, `"${key}"`, `"${key.replace(/["\\]/g, '\\$&')}"`]).toContain(header);
          expect(key.length).toBeGreaterThan(0);
          expect(key.length).toBeLessThanOrEqual(255);
        } catch (error) {
          expect(error).toMatchObject({ status: 400, code: 'invalid-idempotency-key' });
        }
      }),
    ));

  const secret = Buffer.alloc(32, 1);
  const request = { clientId: 'c', method: 'POST', route: '/a/:b', params: { b: 'x', c: 'y' }, key: 'k' };

  it('makes a command id that differs with each of its parts, and with the secret', () => {
    const ids = [
      request,
      { ...request, clientId: 'd' },
      { ...request, method: 'PUT' },
      { ...request, route: '/a/:c' },
      { ...request, params: { b: 'y', c: 'x' } },
      { ...request, key: 'l' },
    ].map((part) => commandIdOf(part, secret));
    expect(new Set([...ids, commandIdOf(request, Buffer.alloc(32, 2))]).size).toBe(7);
    expect(commandIdOf({ ...request, params: { c: 'Y', b: 'X' } }, secret)).toBe(ids[0]);
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiRequest } from '../regulars-api';
import { contactIdsOf } from './contact-ids';
import { eraseContacts } from './erase';

const id = (n: number): string => `7f3c2f6e-52f4-4d0b-9f3e-${String(n).padStart(12, '0')}`;

describe('ops erase', () => {
  it('sends one DELETE a contact, tells what came of each, and waits for the end where it is asked to', async () => {
    const answers: Record<string, number[]> = {
      [id(1)]: [202],
      [id(2)]: [404],
      [id(3)]: [409],
      [id(4)]: [410],
    };
    const states = ['executing', undefined, 'partlyRetained', 'completed'];
    const sent: ApiRequest[] = [];
    const send = async (request: ApiRequest, expected: readonly number[] = []) => {
      sent.push(request);
      const contactId = request.path.split('/')[2] ?? '';
      const status = request.method === 'DELETE' ? answers[contactId]![0]! : 200;
      if (status >= 300) expect(expected).toContain(status);
      const body = request.method === 'GET' ? { state: states.shift() } : {};
      return { status, body: body as never, replayed: false };
    };
    let done = 0;
    const options = { legalGround: 'objection', wait: true, inFlight: 1 };
    const result = await eraseContacts({ send }, Object.keys(answers), options, () => (done += 1));
    expect(result).toEqual({ erased: 1, already: 1, unknown: 1, pending: 1 });
    expect(done).toBe(4);
    expect(sent.filter(({ method }) => method === 'DELETE').map(({ body }) => body)).toEqual(
      Array.from({ length: 4 }, () => ({ legalGround: 'objection' })),
    );
    expect(states).toEqual([]);
  });

  it('takes ids from arguments and a file, each once', () => {
    const directory = mkdtempSync(join(tmpdir(), 'regulars-erase-'));
    const file = join(directory, 'ids.txt');
    writeFileSync(file, `# to be erased\r\n${id(2).toUpperCase()}\r\n\n${id(1)}\n`);
    try {
      expect(contactIdsOf([id(1)], file)).toEqual([id(1), id(2)]);
      expect(() => contactIdsOf(['Anna'])).toThrow('anna is no contact id.');
      expect(() => contactIdsOf([])).toThrow('No contact ids');
      expect(() => contactIdsOf([], join(directory, 'missing'))).toThrow('ENOENT');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Trouble = 'hang up' | 'slow' | number | string;

/** A small service in the shape of Vault's transit engine, with one key and one token. */
export type TestKeyService = Readonly<{
  options: Readonly<{ url: string; token: string; keyName: string }>;
  requests: readonly Readonly<{ method: string; path: string }>[];
  /** Its next answers: a status, a body, a dead connection, or none in time. */
  trouble: (kind: Trouble, times: number) => void;
  /** Wraps under a new version of its own key; unwraps under all. */
  rotate: () => void;
  close: () => Promise<void>;
}>;

const TOKEN = 'hvs.test-token-of-the-key-service';
const KEY_NAME = 'regulars';

export const startTestKeyService = async (): Promise<TestKeyService> => {
  const versions = [randomBytes(32)];
  const requests: { method: string; path: string }[] = [];
  const troubles: Trouble[] = [];

  const answer = (response: ServerResponse, status: number, body: string): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  };
  const handle = (request: IncomingMessage, response: ServerResponse, body: string): void => {
    requests.push({ method: request.method ?? '', path: request.url ?? '' });
    const trouble = troubles.shift();
    if (trouble === 'hang up') return void request.socket.destroy();
    if (trouble === 'slow') return;
    if (typeof trouble === 'number') return answer(response, trouble, '{"errors":["trouble"]}');
    if (trouble !== undefined) return answer(response, 200, trouble);
    if (request.headers['x-vault-token'] !== TOKEN) return answer(response, 403, '{"errors":["denied"]}');
    const [, what, name] = /^\/v1\/transit\/(encrypt|decrypt)\/(\w+)$/.exec(request.url ?? '') ?? [];
    if (name !== KEY_NAME) return answer(response, 404, '{"errors":[]}');
    try {
      const sent = JSON.parse(body) as { plaintext: string; ciphertext: string };
      const data =
        what === 'encrypt'
          ? { ciphertext: encrypted(versions, sent.plaintext) }
          : { plaintext: decrypted(versions, sent.ciphertext) };
      answer(response, 200, JSON.stringify({ request_id: '1', data }));
    } catch {
      answer(response, 400, '{"errors":["invalid ciphertext"]}');
    }
  };

  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece: Buffer) => (body += piece.toString()));
    request.on('end', () => handle(request, response, body));
  });
  server.listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const { port } = server.address() as AddressInfo;
  return {
    options: { url: `http://127.0.0.1:${port}`, token: TOKEN, keyName: KEY_NAME },
    requests,
    trouble: (kind, times) => {
      troubles.length = 0;
      for (let time = 0; time < times; time += 1) troubles.push(kind);
    },
    rotate: () => void versions.push(randomBytes(32)),
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
};

const encrypted = (versions: readonly Buffer[], plaintext: string): string => {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', versions.at(-1) as Buffer, nonce);
  const body = [nonce, cipher.update(Buffer.from(plaintext, 'base64')), cipher.final(), cipher.getAuthTag()];
  return `vault:v${versions.length}:${Buffer.concat(body).toString('base64')}`;
};

const decrypted = (versions: readonly Buffer[], ciphertext: string): string => {
  const [, version, text] = /^vault:v(\d+):(.+)$/.exec(ciphertext) ?? [];
  const body = Buffer.from(text as string, 'base64');
  const decipher = createDecipheriv(
    'aes-256-gcm',
    versions[Number(version) - 1] as Buffer,
    body.subarray(0, 12),
  ).setAuthTag(body.subarray(-16));
  return Buffer.concat([decipher.update(body.subarray(12, -16)), decipher.final()]).toString('base64');
};

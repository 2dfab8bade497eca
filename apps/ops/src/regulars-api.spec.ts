import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RefusedError, RegularsApi } from './regulars-api';

type Reply = (request: IncomingMessage, response: ServerResponse) => void;

const answering =
  (status: number, body: object, headers: Record<string, string> = {}): Reply =>
  (_, response) =>
    void response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify(body));
const hangingUp: Reply = ({ socket }) => void socket.destroy();

/** A server that answers each request with the next reply, and the last one for ever. */
const withServer = async (
  replies: readonly Reply[],
  patienceMs: number,
  test: (api: RegularsApi, seen: readonly IncomingMessage[]) => Promise<void>,
): Promise<void> => {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    replies[Math.min(seen.length, replies.length - 1)]!(request, response);
    seen.push(request);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const api = new RegularsApi({ url, key: 'secret', keyWord: '' }, { connections: 1, patienceMs });
  try {
    await test(api, seen);
  } finally {
    await api.close();
    server.close();
  }
};

const request = { method: 'POST', path: '/contacts', body: { profile: {} }, idempotencyKey: 'k-1' } as const;

describe('a request to a running instance', () => {
  it('carries the key, and says whether the answer is an old one', () =>
    withServer(
      [answering(201, { contactId: 'c' }, { 'idempotency-replayed': 'true' })],
      0,
      async (api, seen) => {
        expect(await api.send(request)).toEqual({ status: 201, body: { contactId: 'c' }, replayed: true });
        expect(seen[0]).toMatchObject({
          url: '/v1/contacts',
          headers: { authorization: 'Bearer secret', 'idempotency-key': 'k-1' },
        });
      },
    ));

  it('outlives lost connections and a busy instance', () =>
    withServer(
      [hangingUp, answering(503, {}), answering(429, {}, { 'retry-after': '0' }), answering(201, {})],
      30_000,
      async (api, seen) => {
        expect(await api.send(request)).toMatchObject({ status: 201, replayed: false });
        expect(seen).toHaveLength(4);
      },
    ));

  it('is not sent again once it is refused, unless that is expected', () =>
    withServer([answering(409, { title: 'Conflict', detail: 'It is there.' })], 30_000, async (api, seen) => {
      const refusal = api.send(request);
      await expect(refusal).rejects.toBeInstanceOf(RefusedError);
      await expect(refusal).rejects.toThrow('409 Conflict It is there.');
      expect(await api.send(request, [409])).toMatchObject({ status: 409 });
      expect(seen).toHaveLength(2);
    }));

  it('says so where nobody listens and nobody ever did, long before patience ends', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.close();
    await once(server, 'close');
    const api = new RegularsApi(
      { url, key: 'secret', keyWord: '' },
      { connections: 1, patienceMs: 3_600_000 },
    );
    await expect(api.send(request)).rejects.toThrow(`Nobody listens at ${url} (ECONNREFUSED).`);
    await api.close();
  });

  it('is given up when patience ends, with the reason', () =>
    withServer([answering(503, {})], 50, async (api) => {
      await expect(api.send(request)).rejects.toThrow('it answered 503');
    }));
});

import net from 'node:net';
import { startEmbeddedTestMongo, type TestMongo } from '@app/testing';
import { newMongoClient } from './mongo.client';

describe('newMongoClient', () => {
  let server: TestMongo;
  beforeAll(async () => void (server = await startEmbeddedTestMongo()));
  afterAll(() => server?.close());
  afterEach(() => jest.restoreAllMocks());

  it('answers though the connection dies as it is written to', async () => {
    const connect = jest.spyOn(net, 'createConnection');
    const client = newMongoClient(server.url, {});
    await client.connect();
    const things = client.db('things').collection<{ _id: number }>('things');
    await things.insertOne({ _id: 1 });
    const sockets = connect.mock.results.map(({ value }) => value as net.Socket);
    expect(sockets).not.toHaveLength(0);

    // Destroyed, and closed in a later turn of the event loop: what is written in between, nobody hears of.
    for (const socket of sockets) socket.destroy();
    expect(await things.find().toArray()).toEqual([{ _id: 1 }]);
    await client.close();
  });
});

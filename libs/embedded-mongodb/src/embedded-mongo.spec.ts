import { ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { MongoClient } from 'mongodb';
import { EmbeddedMongo, startEmbeddedMongo } from './embedded-mongo';

/** Each start compiles the sources anew, which takes its time on a busy machine. */
const START_MS_MAX = 600_000;
jest.setTimeout(START_MS_MAX);

const folders: string[] = [];
const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'embedded-mongodb-'));
  folders.push(made);
  return made;
};

afterAll(() => folders.forEach((made) => rmSync(made, { recursive: true, force: true })));

type Row = { _id: number; n: number; text?: string };

const withServer = async <Result>(
  dataDir: string,
  use: (server: EmbeddedMongo) => Promise<Result>,
): Promise<Result> => {
  const server = await startEmbeddedMongo({ dataDir });
  try {
    return await use(server);
  } finally {
    await server.close();
  }
};

const withRows = <Result>(
  dataDir: string,
  use: (
    rows: ReturnType<ReturnType<MongoClient['db']>['collection']>,
    server: EmbeddedMongo,
  ) => Promise<Result>,
): Promise<Result> =>
  withServer(dataDir, async (server) => {
    const client = await MongoClient.connect(server.url);
    try {
      return await use(client.db('test').collection('rows'), server);
    } finally {
      await client.close();
    }
  });

/** A server in a process of its own, to be killed. */
const startChild = async (dataDir: string): Promise<{ child: ChildProcess; url: string }> => {
  const args = ['-r', '@swc-node/register', join(__dirname, 'main.ts'), '--data', dataDir, '--port', '0'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout! })) {
    const address = /^embedded-mongodb listening on (\S+)$/.exec(line)?.[1];
    return { child, url: `mongodb://${address}` };
  }
  throw new Error('the server has not started');
};

const killed = async (child: ChildProcess): Promise<void> => {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
};

describe('the folder', () => {
  it('belongs to one server at a time, and is free after a kill', async () => {
    const dataDir = folder();
    const { child } = await startChild(dataDir);
    await expect(startEmbeddedMongo({ dataDir })).rejects.toMatchObject({ code: 'data-dir-locked' });
    await killed(child);
    await withServer(dataDir, async () => {
      await expect(startEmbeddedMongo({ dataDir })).rejects.toMatchObject({ code: 'data-dir-locked' });
    });
    await withServer(dataDir, async () => undefined);
  });

  it('is not taken by a process that only has the number of the one that did', async () => {
    const dataDir = folder();
    writeFileSync(join(dataDir, 'documents.lock'), `${process.pid} another-boot 1`);
    await withServer(dataDir, async () => undefined);
  });

  it('has to be writable', async () => {
    const file = join(folder(), 'file');
    writeFileSync(file, '');
    await expect(startEmbeddedMongo({ dataDir: join(file, 'data') })).rejects.toMatchObject({
      code: 'data-dir-unwritable',
    });
  });

  it('is given back when the port is taken', async () => {
    await withServer(folder(), async (server) => {
      const dataDir = folder();
      const port = Number(server.address.split(':')[1]);
      await expect(startEmbeddedMongo({ dataDir, port })).rejects.toMatchObject({ code: 'port-taken' });
      await withServer(dataDir, async () => undefined);
    });
  });
});

describe('a kill under writers', () => {
  it.each([
    ['journaled', { w: 1, j: true }],
    ['plain', { w: 1 }],
  ])(
    'loses no acknowledged %s write, and indexes agree with documents',
    async (_, writeConcern) => {
      const dataDir = folder();
      const acknowledged: number[] = [];
      const { child, url } = await startChild(dataDir);
      const client = await MongoClient.connect(url, { serverSelectionTimeoutMS: 500 });
      const rows = client.db('test').collection<Row>('rows');
      await rows.createIndex({ n: 1 });
      let next = 0;
      const writer = async (): Promise<void> => {
        for (;;) {
          const _id = (next += 1);
          await rows.insertOne({ _id, n: _id % 10 }, { writeConcern });
          await rows.updateOne({ _id }, { $inc: { n: 10 } }, { writeConcern });
          acknowledged.push(_id);
          if (acknowledged.length === 150) await killed(child);
        }
      };
      await Promise.allSettled(Array.from({ length: 8 }, writer));
      await client.close();
      await withRows(dataDir, async (found) => {
        const all = await found.find().toArray();
        const byId = new Map(all.map((row) => [row['_id'] as unknown, row]));
        for (const _id of acknowledged) expect(byId.get(_id)).toEqual({ _id, n: (_id % 10) + 10 });
        for (let n = 0; n < 20; n += 1) {
          expect(await found.countDocuments({ n })).toBe(all.filter((row) => row['n'] === n).length);
        }
      });
    },
    40_000,
  );
});

describe('compacting', () => {
  it('leaves no byte of a deleted or replaced document in any file, and all others', async () => {
    const dataDir = folder();
    await withRows(dataDir, async (rows, server) => {
      const documents = Array.from({ length: 3_000 }, (_, i) => ({
        _id: i as never,
        n: i,
        text: `CANARY-${i}-${'x'.repeat(i % 300)}`,
        big: i % 500 === 0 ? 'CANARY'.repeat(3_000) : '',
      }));
      await rows.createIndex({ text: 1 });
      await rows.insertMany(documents, { writeConcern: { w: 1, j: true } });
      await rows.deleteMany({ n: { $gte: 1_000 } });
      await rows.updateMany({}, { $set: { text: 'kept', big: '' } });
      await rows.db.collection('other').insertOne({ text: 'CANARY' });
      await rows.db.dropCollection('other');
      const during = rows.insertOne({ _id: 'late' as never, text: 'written meanwhile' });
      await server.compact();
      await during;
      for (const name of readdirSync(dataDir)) {
        expect({ name, found: readFileSync(join(dataDir, name)).includes('CANARY') }).toEqual({
          name,
          found: false,
        });
      }
      expect(await rows.countDocuments({ text: 'kept' })).toBe(1_000);
      expect(await rows.countDocuments()).toBe(1_001);
    });
    await withRows(dataDir, async (rows) => expect(await rows.countDocuments()).toBe(1_001));
  });
});

describe('malformed frames', () => {
  const header = (length: number, opcode: number): Buffer => {
    const bytes = Buffer.alloc(16);
    bytes.writeInt32LE(length, 0);
    bytes.writeInt32LE(opcode, 12);
    return bytes;
  };
  const frames: [string, Buffer][] = [
    ['a negative length', header(-1, 2013)],
    ['a length beyond the limit', header(48_000_001, 2013)],
    ['a length shorter than its header', header(15, 2013)],
    ['an unknown operation', Buffer.concat([header(20, 2012), Buffer.alloc(4)])],
    ['no body', Buffer.concat([header(20, 2013), Buffer.alloc(4)])],
    [
      'an unknown required flag',
      Buffer.concat([header(26, 2013), Buffer.from([4, 0, 0, 0, 0, 5, 0, 0, 0, 0])]),
    ],
    ['an unknown kind of section', Buffer.concat([header(21, 2013), Buffer.from([0, 0, 0, 0, 9])])],
    [
      'a document longer than its message',
      Buffer.concat([header(26, 2013), Buffer.from([0, 0, 0, 0, 0, 50, 0, 0, 0, 0])]),
    ],
    [
      'a string without an end',
      Buffer.concat([
        header(34, 2013),
        Buffer.from([0, 0, 0, 0, 0, 13, 0, 0, 0, 2, 97, 0, 99, 0, 0, 0, 0, 0]),
      ]),
    ],
    [
      'a section longer than its message',
      Buffer.concat([header(25, 2013), Buffer.from([0, 0, 0, 0, 1, 99, 0, 0, 0])]),
    ],
  ];
  let server: EmbeddedMongo;
  beforeAll(async () => void (server = await startEmbeddedMongo({ dataDir: folder() })));
  afterAll(() => server.close());

  it.each(frames)('closes the connection on %s and serves others', async (_, frame) => {
    const socket = connect(Number(server.address.split(':')[1]), '127.0.0.1');
    socket.on('error', () => undefined);
    const closed = once(socket, 'close');
    socket.write(frame);
    await closed;
    const client = await MongoClient.connect(server.url);
    expect(await client.db('test').command({ ping: 1 })).toMatchObject({ ok: 1 });
    await client.close();
  });
});

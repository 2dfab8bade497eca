import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RevisionConflictError, type ExpectedRevision } from '@app/event-store';
import type { DomainEvent, RecordedEvent } from '@app/kernel';
import { Lease, openReadDatabase, type ReadDatabase } from '@app/read-store';
import { FixedClock, recorded, startTestMongo, type TestMongo } from '@app/testing';
import {
  append,
  emptyFrontier,
  leafHash,
  openCheckpoint,
  signerOf,
  verifierKeyText,
  parseVerifierKey,
  type Frontier,
} from '@app/transparency-log';
import type { CheckpointSigned } from '../domain/privacy.events';
import { privacyLogLedger, type PrivacyLogState } from '../read-models/entries/privacy-log.ledger';
import { CheckpointSigner, LogNotConsistentError, type CheckpointSignerParts } from './checkpoint-signer';
import { witnessAt, type Witness } from './witness';

const KEY_NAME = 'regulars.test/log';
const key = signerOf(KEY_NAME, Buffer.alloc(32, 5));
const verifier = parseVerifierKey(verifierKeyText(KEY_NAME, key.publicKey));

/** One stream, with the event store's rule for appends. */
class CheckpointStream {
  readonly events: RecordedEvent<CheckpointSigned>[] = [];
  before: (() => Promise<void>) | undefined;

  constructor(private readonly clock: FixedClock) {}

  async append(stream: string, events: readonly DomainEvent[], expected: ExpectedRevision) {
    await this.before?.();
    if ((expected === 'no-stream' ? -1 : expected) !== this.events.length - 1)
      throw new RevisionConflictError(stream, expected);
    for (const event of events as readonly CheckpointSigned[]) {
      const place = { revision: this.events.length, recordedAt: this.clock.now().toISOString() };
      this.events.push(recorded(event, place));
    }
    return { revision: this.events.length - 1, position: 0n, eventIds: [] };
  }

  async *readStream(_: string, from = 0): AsyncIterable<RecordedEvent> {
    yield* this.events.slice(from);
  }

  get sizes(): readonly number[] {
    return this.events.map(({ data }) => data.size);
  }
}

/** A log of which every process sees the same, up to where its read model is. */
class GrowingLog {
  private readonly frontiers: Frontier[] = [emptyFrontier];
  private readonly leaves: Buffer[] = [];
  size = 0;

  constructor(private readonly seed = 'entry') {}

  grow(count: number): void {
    for (let n = 0; n < count; n += 1) {
      const leaf = leafHash(Buffer.from(`${this.seed} ${this.leaves.length}`));
      this.frontiers.push(append(this.frontiers.at(-1) as Frontier, leaf));
      this.leaves.push(leaf);
    }
    this.size = this.leaves.length;
  }

  state(): Promise<PrivacyLogState> {
    return Promise.resolve({
      ...privacyLogLedger.initial,
      size: this.size,
      frontier: this.frontiers[this.size] as Frontier,
    });
  }

  readonly tiles = (_: number, index: number, width: number) =>
    Promise.resolve(this.leaves.slice(index * 256, index * 256 + width));
}

describe('the signer of checkpoints', () => {
  let mongo: TestMongo;
  let database: ReadDatabase;
  let clock: FixedClock;
  let log: GrowingLog;
  let stream: CheckpointStream;
  let errors: unknown[];

  beforeAll(async () => {
    mongo = await startTestMongo();
    database = await openReadDatabase({ url: mongo.url, dbName: mongo.dbName });
  });
  afterAll(async () => {
    await database?.close();
    await mongo?.close();
  });
  beforeEach(async () => {
    await database.db.dropDatabase();
    clock = new FixedClock('2026-01-01T00:00:00.000Z');
    log = new GrowingLog();
    stream = new CheckpointStream(clock);
    errors = [];
  });

  const signerOn = (parts: Partial<CheckpointSignerParts> = {}) =>
    new CheckpointSigner({
      events: stream,
      log,
      signer: { keyName: KEY_NAME, inForce: () => Promise.resolve({ keyNumber: 1, signer: key }) },
      lease: new Lease(database.db, 'test', 10_000),
      witness: undefined,
      clock,
      onError: (error) => void errors.push(error),
      ...parts,
    });
  const later = (ms: number) => clock.advance(ms);

  it('signs the first entry at once, then no more often than every two seconds, and the last of a burst within five', async () => {
    const signer = signerOn();
    await signer.step();
    log.grow(1);
    await signer.step();
    expect(stream.sizes).toEqual([1]);
    log.grow(5);
    later(1_000);
    await signer.step();
    expect(stream.sizes).toEqual([1]);
    later(1_000);
    await signer.step();
    expect(stream.sizes).toEqual([1, 6]);
    log.grow(1_000);
    await signer.step();
    expect(stream.sizes).toEqual([1, 6, 1_006]);
    for (const { data } of stream.events)
      expect(openCheckpoint(data.note, verifier)).toMatchObject({ origin: KEY_NAME, size: data.size });
  });

  it('signs again every ten minutes while nothing happens', async () => {
    const signer = signerOn();
    log.grow(3);
    await signer.step();
    later(9 * 60_000);
    await signer.step();
    expect(stream.sizes).toEqual([3]);
    later(61_000);
    await signer.step();
    expect(stream.sizes).toEqual([3, 3]);
  });

  it('never signs a smaller size, nor before the read model has come to where it was', async () => {
    log.grow(10);
    await signerOn().step();
    log.size = 4;
    later(3_600_000);
    const again = signerOn();
    await again.step();
    expect(stream.sizes).toEqual([10]);
    log.grow(2);
    await again.step();
    expect(stream.sizes).toEqual([10, 12]);
  });

  it('signs nothing that does not continue what was signed', async () => {
    log.grow(10);
    await signerOn().step();
    const other = new GrowingLog('changed');
    other.grow(12);
    later(60_000);
    await expect(signerOn({ log: other }).step()).rejects.toThrow(LogNotConsistentError);
    expect(stream.sizes).toEqual([10]);
  });

  it('leaves the work to whoever holds the lease, and takes over when that one is silent', async () => {
    const one = signerOn();
    const two = signerOn();
    log.grow(1);
    await one.step();
    log.grow(1);
    later(5_000);
    await two.step();
    expect(stream.sizes).toEqual([1]);
    later(5_001);
    await two.step();
    expect(stream.sizes).toEqual([1, 2]);
    expect(stream.events.map(({ data }) => data.fence)).toEqual([1, 2]);
    log.grow(1);
    later(3_000);
    await one.step();
    expect(stream.sizes).toEqual([1, 2]);
  });

  it('is refused by the event store where it was stopped while another took over', async () => {
    const one = signerOn();
    const two = signerOn();
    log.grow(1);
    await one.step();
    log.grow(1);
    later(3_000);
    stream.before = async () => {
      stream.before = undefined;
      // Asleep between its look and its append, for longer than the lease lasts.
      later(20_000);
      log.grow(4);
      await two.step();
    };
    await one.step();
    expect(stream.sizes).toEqual([1, 6]);
    expect(errors).toEqual([]);
  });

  it('goes on with higher tokens when the leases were lost with the database', async () => {
    log.grow(1);
    const takeovers = [signerOn(), signerOn(), signerOn()];
    for (const signer of takeovers) {
      await signer.step();
      log.grow(1);
      later(20_000);
    }
    await database.db.dropDatabase();
    await signerOn().step();
    expect(stream.events.map(({ data }) => data.fence)).toEqual([1, 2, 3, 4]);
  });

  it('hands the newest note to the witness until it has it', async () => {
    const handed: string[] = [];
    let away = true;
    const witness: Witness = {
      hand: (note) => (away ? Promise.reject(new Error('away')) : Promise.resolve(void handed.push(note))),
    };
    const signer = signerOn({ witness });
    log.grow(1);
    await signer.step();
    expect(errors).toHaveLength(1);
    log.grow(1);
    later(2_000);
    away = false;
    await signer.step();
    await signer.step();
    expect(handed).toEqual([stream.events[1]?.data.note]);
    // Whoever starts anew cannot know what was handed on, and hands it on again.
    later(20_000);
    await signerOn({ witness }).step();
    expect(handed).toEqual([stream.events[1]?.data.note, stream.events[1]?.data.note]);
  });
});

describe('witnesses', () => {
  it('keep notes one after another in a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'regulars-witness-'));
    const path = join(folder, 'notes');
    await witnessAt(path).hand('one\n');
    await witnessAt(path).hand('two\n');
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n');
    rmSync(folder, { recursive: true });
  });

  it('are sent notes over HTTP, and must accept them', async () => {
    const bodies: string[] = [];
    let status = 204;
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        bodies.push(body);
        response.writeHead(status).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const witness = witnessAt(`http://127.0.0.1:${(server.address() as { port: number }).port}/notes`);
    await witness.hand('one\n');
    status = 500;
    await expect(witness.hand('two\n')).rejects.toThrow('The witness answered with 500.');
    expect(bodies).toEqual(['one\n', 'two\n']);
    server.closeAllConnections();
    server.close();
  });
});

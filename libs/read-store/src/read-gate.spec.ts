import { setTimeout as sleep } from 'node:timers/promises';
import { ReadGate } from './read-gate';
import { ReadBehindError, ReadStoreUnavailableError } from './read-store.errors';
import { Checkpoints, type Positions } from './read-store.port';

class SettableCheckpoints extends Checkpoints {
  reads = 0;
  failure: Error | undefined;
  readonly now = new Map<string, bigint>();

  async positions(): Promise<Positions> {
    this.reads += 1;
    if (this.failure) throw this.failure;
    return new Map(this.now);
  }
}

const readModels = [
  { name: 'contacts', version: 2 },
  { name: 'activity', version: 1 },
];

describe('the read gate', () => {
  let checkpoints: SettableCheckpoints;
  beforeEach(() => {
    checkpoints = new SettableCheckpoints();
    checkpoints.now.set('contacts_v1', 99n).set('contacts_v2', 5n).set('activity_v1', 7n);
  });
  const gateOf = (options = {}) => new ReadGate(checkpoints, readModels, options);

  it('answers with what every read model has reached, in the versions that this code reads', async () => {
    expect(await gateOf().wait()).toBe(5n);
    expect(await gateOf().wait(5n)).toBe(5n);
  });

  it('answers 0 before a read model has begun', async () => {
    checkpoints.now.delete('contacts_v2');
    expect(await gateOf().wait()).toBe(0n);
  });

  it('waits until every read model is there', async () => {
    const gate = gateOf();
    let reached: bigint | undefined;
    const waiting = gate.wait(8n).then((position) => (reached = position));
    checkpoints.now.set('contacts_v2', 9n);
    await gate.position();
    await sleep(30);
    expect(reached).toBeUndefined();
    checkpoints.now.set('activity_v1', 8n);
    await waiting;
    expect(reached).toBe(8n);
  });

  it('gives up after a while, and says how far the read models are', async () => {
    const waiting = gateOf({ waitMs: 30 }).wait(8n);
    await expect(waiting).rejects.toThrow(ReadBehindError);
    await expect(waiting).rejects.toMatchObject({
      kind: 'unavailable',
      details: { asOfPosition: '5', minPosition: '8' },
    });
  });

  it('keeps no more than so many waiting', async () => {
    const gate = gateOf({ waitersMax: 2, waitMs: 1_000 });
    const waiting = [gate.wait(8n), gate.wait(8n)];
    await gate.position();
    await expect(gate.wait(8n)).rejects.toThrow(ReadBehindError);
    checkpoints.now.set('contacts_v2', 8n).set('activity_v1', 8n);
    expect(await Promise.all(waiting)).toEqual([8n, 8n]);
  });

  it('asks the store once for all who ask at once, and once for all who wait', async () => {
    const gate = gateOf();
    await Promise.all(Array.from({ length: 100 }, () => gate.wait()));
    expect(checkpoints.reads).toBe(1);
    const waiting = Promise.all(Array.from({ length: 100 }, () => gate.wait(8n)));
    await sleep(30);
    checkpoints.now.set('contacts_v2', 8n).set('activity_v1', 8n);
    await waiting;
    expect(checkpoints.reads).toBeLessThan(50);
  });

  it('stops asking when nobody waits', async () => {
    const gate = gateOf({ waitMs: 10 });
    await expect(gate.wait(8n)).rejects.toThrow(ReadBehindError);
    const { reads } = checkpoints;
    await sleep(30);
    expect(checkpoints.reads).toBe(reads);
  });

  it('lets those who wait know that the store is away, and serves those who come after', async () => {
    const gate = gateOf();
    const waiting = [gate.wait(8n), gate.wait(9n)];
    await gate.position();
    checkpoints.failure = new ReadStoreUnavailableError();
    for (const outcome of await Promise.allSettled(waiting)) expect(outcome.status).toBe('rejected');
    checkpoints.failure = undefined;
    checkpoints.now.set('contacts_v2', 8n).set('activity_v1', 8n);
    expect(await gate.wait(8n)).toBe(8n);
  });
});

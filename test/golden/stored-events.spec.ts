import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GOLDEN_FILE, goldenCatalog, goldenCodec, type GoldenSample } from './golden-codec';
import { sampleEvents } from './sample-events';

const samples = JSON.parse(readFileSync(join(__dirname, GOLDEN_FILE), 'utf8')) as readonly GoldenSample[];

describe('events as they were stored', () => {
  it('has a sample of every version that was ever written', () => {
    expect(samples.map(({ stored }) => stored.type).sort()).toEqual([...goldenCatalog.types].sort());
    expect(sampleEvents.map(({ type }) => type).sort()).toEqual(
      goldenCatalog.types.filter((type) => goldenCatalog.entry(type).newestType === type).sort(),
    );
  });

  it.each(sampleEvents.map((event) => [event.type, event] as const))(
    'samples every field of %s',
    (type, event) => {
      expect(Object.keys(event.data).sort()).toEqual(Object.keys(goldenCatalog.entry(type).fields).sort());
    },
  );

  it.each(samples.map((sample) => [sample.stored.type, sample] as const))(
    'reads %s',
    async (_, { stored, read }) => {
      const [event] = await goldenCodec.decode([
        { ...stored, position: BigInt(stored.position), recordedAt: new Date(stored.recordedAt) },
      ]);
      expect({ type: event?.type, data: event?.data }).toEqual(read);
      expect(event?.meta).toMatchObject({
        eventId: stored.id,
        recordedAt: stored.recordedAt,
        commandId: '0d9c1ab0-7c2f-4c55-a3c3-6a1f5b1e9a01',
        correlationId: 'correlation-1',
        causationId: '1d9c1ab0-7c2f-4c55-a3c3-6a1f5b1e9a02',
        actor: { id: 'key-1', role: 'operator', method: 'api-key' },
        onBehalfOf: 'staff-7',
        purpose: 'support',
        mac: 'abcdefghijklmnopqrstuv',
        answer: { id: 'entry-1' },
      });
    },
  );
});

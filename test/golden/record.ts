import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GOLDEN_FILE, goldenCodec, type GoldenSample } from './golden-codec';
import { sampleEvents } from './sample-events';

/**
 * Stores a sample of every event type that has none, as today's codec writes it, and leaves all others as they are:
 * `node -r @swc-node/register test/golden/record.ts && npm run format`
 */
const record = async (): Promise<void> => {
  const file = join(__dirname, GOLDEN_FILE);
  const samples = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as GoldenSample[]) : [];
  const known = new Set(samples.map(({ stored }) => stored.type));
  const context = {
    commandId: '0d9c1ab0-7c2f-4c55-a3c3-6a1f5b1e9a01',
    repeatable: true,
    actor: { id: 'key-1', role: 'operator', method: 'api-key' },
    onBehalfOf: 'staff-7',
    purpose: 'support',
    correlationId: 'correlation-1',
    causationId: '1d9c1ab0-7c2f-4c55-a3c3-6a1f5b1e9a02',
    now: '2026-02-03T04:05:06.789Z',
    deadlineMs: 0,
  } as const;
  for (const event of sampleEvents.filter(({ type }) => !known.has(type))) {
    const answer = { mac: 'abcdefghijklmnopqrstuv', answer: { id: 'entry-1' } };
    for (const { id, type, data, metadata } of await goldenCodec.encode(
      'golden-1',
      [event],
      context,
      answer,
    )) {
      const place = { stream: 'golden-1', revision: samples.length, position: String(samples.length) };
      const stored = { id, ...place, type, recordedAt: context.now, data, metadata };
      samples.push({ stored, read: event });
    }
  }
  writeFileSync(file, `${JSON.stringify(samples, null, 2)}\n`);
};

void record();

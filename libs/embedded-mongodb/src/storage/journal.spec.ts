import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { Journal } from './journal';

describe('the journal', () => {
  it('keeps every record it acknowledged, in order, however often it goes on in a new file meanwhile', async () => {
    const steps = fc.array(fc.constantFrom('append', 'next', 'wait'), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(steps, async (chosen) => {
        const dataDir = mkdtempSync(join(tmpdir(), 'regulars-journal-'));
        try {
          const journal = new Journal(dataDir);
          const records: string[] = [];
          const underWay: Promise<unknown>[] = [];
          for (const step of chosen) {
            if (step === 'append') {
              records.push(`record ${records.length}`);
              underWay.push(journal.append(Buffer.from(records.at(-1)!)));
            } else if (step === 'next') underWay.push(journal.next());
            else await new Promise((turn) => setImmediate(turn));
          }
          await Promise.all(underWay);
          await journal.close();
          expect(Journal.read(dataDir).map(String)).toEqual(records);
        } finally {
          rmSync(dataDir, { recursive: true });
        }
      }),
      { numRuns: 50 },
    );
  });
});

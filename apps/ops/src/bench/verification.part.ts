import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportPrivacyLog } from '../privacy-log/export-privacy-log';
import { RemoteLog } from '../privacy-log/remote-log';
import { verifyPrivacyLog } from '../privacy-log/verify-privacy-log';
import { RegularsApi } from '../regulars-api';
import type { BenchRun } from './bench-run';

const PART = 'Privacy log, up to its newest checkpoint';
const PATIENCE_MS = 30_000;

const silent = () => ({ step: () => undefined, stop: () => undefined });

/** Exports the whole log and verifies it, first from the file alone, then as it is served. */
export const measureVerification = async (run: BenchRun): Promise<void> => {
  run.progress('Exporting and verifying the privacy log …');
  const api = new RegularsApi({ ...run.at, keyWord: 'api-key' }, { connections: 1, patienceMs: PATIENCE_MS });
  const directory = await mkdtemp(join(tmpdir(), 'regulars-bench-log-'));
  try {
    const log = new RemoteLog(api);
    const [file, key] = [join(directory, 'log.ndjson'), join(directory, 'log.key')];
    await writeFile(key, await api.read('/privacy-log/key'));
    const exported = await timed(() => exportPrivacyLog(log, file, silent));
    const count = exported.answer;
    const add = (what: string, seconds: number): void =>
      run.report.add({
        part: PART,
        what: `entries: ${what}`,
        value: count / seconds,
        unit: 'per s',
        details: { count, seconds },
      });
    add('export over HTTP', exported.seconds);
    for (const [what, from] of [
      ['verification of the export', { file }],
      ['verification as it is served, with every tile', { log }],
    ] as const) {
      const { seconds, answer } = await timed(() => verifyPrivacyLog({ ...from, key }, silent));
      if (!answer.whole) throw new Error(`The privacy log is not whole:\n${answer.text}`);
      add(what, seconds);
    }
  } finally {
    await api.close();
    await rm(directory, { recursive: true, force: true });
  }
};

const timed = async <T>(work: () => Promise<T>): Promise<Readonly<{ answer: T; seconds: number }>> => {
  const startedAt = performance.now();
  const answer = await work();
  return { answer, seconds: (performance.now() - startedAt) / 1_000 };
};

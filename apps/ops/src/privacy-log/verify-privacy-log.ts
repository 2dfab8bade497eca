import {
  entryVerdict,
  EXPORT_LINE_BYTES_MAX,
  type LogVerdict,
  parseKeyFile,
  readLines,
  readNotes,
  unverifiedCheckpoint,
  type VerifierKey,
  verifyLog,
  verifyServedLog,
} from '@app/transparency-log';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { type Progress, startProgress } from '../progress';
import { LineFile } from './line-file';
import type { RemoteLog } from './remote-log';
import { isWhole, verdictText } from './verdict-text';

export type WhatToVerify = Readonly<{
  /** An export. */
  file?: string;
  /** A running instance. */
  log?: RemoteLog;
  /** File of the verifier keys. */
  key: string;
  /** File of the checkpoints that a witness kept. */
  checkpoints?: string;
  /** File to write a verdict for each entry of the export into. */
  verdicts?: string;
}>;

export type Finding = Readonly<{ whole: boolean; text: string }>;

/** Verifies an export, a running instance, or both and that they are the same log. Throws where one cannot be read. */
export const verifyPrivacyLog = async (
  { file, log, key, checkpoints, verdicts }: WhatToVerify,
  progressOf: (what: string, total: number) => Progress = startProgress,
): Promise<Finding> => {
  const keys = parseKeyFile(await readFile(key, 'utf8'));
  const note = await log?.checkpoint();
  const servedSize = note === undefined ? null : unverifiedCheckpoint(note).size;

  const ofFile =
    file === undefined ? null : await verifyFile(file, { keys, checkpoints, rootAt: servedSize }, progressOf);
  if (file !== undefined && ofFile !== null && verdicts !== undefined)
    await writeVerdicts(file, keys, ofFile, verdicts);
  const ofServer =
    log && note
      ? await verifyServed(log, note, { keys, checkpoints, rootAt: ofFile?.entryCount }, progressOf)
      : null;

  const found = [
    ...(ofFile ? [verdictText(`Export ${file}`, ofFile)] : []),
    ...(ofServer ? [verdictText('Running instance', ofServer)] : []),
  ];
  const difference = ofFile && ofServer ? differenceOf(ofFile, ofServer) : null;
  if (ofFile && ofServer) found.push(difference ?? 'Export and running instance are the same log.');
  return {
    whole: [ofFile, ofServer].every((verdict) => verdict === null || isWhole(verdict)) && difference === null,
    text: found.join('\n'),
  };
};

type Against = Readonly<{
  keys: readonly VerifierKey[];
  checkpoints?: string | undefined;
  rootAt?: number | null | undefined;
}>;

const verifyFile = async (
  file: string,
  { keys, checkpoints, rootAt }: Against,
  progressOf: (what: string, total: number) => Progress,
): Promise<LogVerdict> => {
  const { size } = await stat(file);
  const progress = progressOf('Verified KiB', Math.ceil(size / 1_024));
  try {
    return await verifyLog({
      lines: readLines(measured(chunksOf(file), progress), EXPORT_LINE_BYTES_MAX),
      keys,
      ...(checkpoints !== undefined && { witnessed: readNotes(chunksOf(checkpoints)) }),
      ...(typeof rootAt === 'number' && { rootAt }),
    });
  } finally {
    progress.stop();
  }
};

const verifyServed = async (
  { bundles, tiles }: RemoteLog,
  note: string,
  { keys, checkpoints, rootAt }: Against,
  progressOf: (what: string, total: number) => Progress,
): Promise<LogVerdict> => {
  const progress = progressOf('Verified entries', unverifiedCheckpoint(note).size);
  try {
    return await verifyServedLog({
      note,
      bundles,
      tiles,
      keys,
      ...(checkpoints !== undefined && { witnessed: readNotes(chunksOf(checkpoints)) }),
      ...(typeof rootAt === 'number' && { rootAt }),
      onEntry: () => progress.step(),
    });
  } finally {
    progress.stop();
  }
};

/** Reads the export once more: only at its end is it known how far it is proven. */
const writeVerdicts = async (
  file: string,
  keys: readonly VerifierKey[],
  verdict: LogVerdict,
  verdicts: string,
): Promise<void> => {
  const written = new LineFile(verdicts);
  try {
    await verifyLog({
      lines: readLines(chunksOf(file), EXPORT_LINE_BYTES_MAX),
      keys,
      onEntry: (index, _, faults) =>
        written.add({
          index,
          verdict: entryVerdict(index, faults, verdict),
          ...(faults.length > 0 && { faults: faults.map(({ code }) => code) }),
        }),
    });
  } finally {
    written.close();
  }
};

/** Both begin with the same entries, and what is running has all that was exported; null if so. */
const differenceOf = (file: LogVerdict, server: LogVerdict): string | null => {
  const size = Math.min(file.entryCount, server.entryCount);
  const rootOf = (verdict: LogVerdict) => (verdict.entryCount === size ? verdict.root : verdict.rootAt);
  const roots = [rootOf(file), rootOf(server)];
  if (roots[0] === null || roots[1] === null || !roots[0]!.equals(roots[1]!)) {
    return `DIFFERENT - the first ${size} entries of export and running instance are not the same.`;
  }
  return server.entryCount < file.entryCount
    ? `DIFFERENT - the export has ${file.entryCount} entries, the running instance only ${server.entryCount}.`
    : null;
};

/** Opened only when it is read, so that an error comes to whoever reads. */
const chunksOf = async function* (file: string): AsyncGenerator<Buffer> {
  yield* createReadStream(file) as AsyncIterable<Buffer>;
};

const measured = async function* (chunks: AsyncIterable<Buffer>, progress: Progress): AsyncGenerator<Buffer> {
  let bytes = 0;
  let shown = 0;
  for await (const chunk of chunks) {
    yield chunk;
    bytes += chunk.length;
    progress.step(Math.floor(bytes / 1_024) - shown);
    shown = Math.floor(bytes / 1_024);
  }
  progress.step(Math.ceil(bytes / 1_024) - shown);
};

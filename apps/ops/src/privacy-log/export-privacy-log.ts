import { exportLog, LogFormatError, NoteError, unverifiedCheckpoint } from '@app/transparency-log';
import { createWriteStream, existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { OpsError } from '../ops.errors';
import { type Progress, startProgress } from '../progress';
import type { RemoteLog } from './remote-log';

/**
 * Writes what the newest checkpoint covers into a new file, and the checkpoint behind it; the file is there only once it is whole.
 * Answers how many entries it has. Throws OpsError if the file is there already or cannot be written, or the log is not in form.
 */
export const exportPrivacyLog = async (
  log: Pick<RemoteLog, 'checkpoint' | 'bundles'>,
  file: string,
  progressOf: (total: number) => Progress = (total) => startProgress('Entries', total),
): Promise<number> => {
  if (existsSync(file)) throw new OpsError(`${file} is there already.`);
  const partial = `${file}.partial`;
  try {
    const note = await log.checkpoint();
    const { size } = unverifiedCheckpoint(note);
    const progress = progressOf(size);
    const bundles: typeof log.bundles = async (index, width) => {
      const leaves = await log.bundles(index, width);
      progress.step(width);
      return leaves;
    };
    const text = async function* () {
      for await (const line of exportLog(note, bundles)) yield `${line}\n`;
    };
    await pipeline(Readable.from(text()), createWriteStream(partial, { mode: 0o600, flush: true })).finally(
      () => progress.stop(),
    );
    await rename(partial, file);
    return size;
  } catch (error) {
    // Where there is no folder there is no file either.
    await rm(partial, { force: true }).catch(() => undefined);
    const isOfFile = (error as NodeJS.ErrnoException).syscall !== undefined;
    if (isOfFile || error instanceof LogFormatError || error instanceof NoteError)
      throw new OpsError((error as Error).message);
    throw error;
  }
};

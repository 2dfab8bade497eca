import { readdirSync, readFileSync } from 'node:fs';
import { FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { readInt32 } from '../bson/raw-value';
import { syncFolder } from './durable-files';

const NAME = /^store\.journal\.(\d+)$/;
const HEAD_LENGTH = 8;

const fileOf = (dataDir: string, number: number): string => join(dataDir, `store.journal.${number}`);

const numbersIn = (dataDir: string): number[] =>
  readdirSync(dataDir)
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);

/**
 * What was written with `j: true` since the last checkpoint: each record on disk before its command is answered, many
 * to a flush. Read back only after the machine went down; a torn tail was never answered and is left out.
 */
export class Journal {
  private readonly waiting: { record: Buffer; resolve: () => void; reject: (error: unknown) => void }[] = [];
  /** What uses the file does so one after the other: a file is never closed under a write. */
  private turn: Promise<void> = Promise.resolve();
  private file: FileHandle | undefined;
  private number: number;

  constructor(private readonly dataDir: string) {
    this.number = (numbersIn(dataDir).at(-1) ?? 0) + 1;
  }

  /** All records there are, oldest first. */
  static read(dataDir: string): Buffer[] {
    return numbersIn(dataDir).flatMap((number) => recordsIn(readFileSync(fileOf(dataDir, number))));
  }

  /** Resolves when the record is on disk. */
  append(record: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ record, resolve, reject });
      if (this.waiting.length === 1) void this.inTurn(() => this.writeWaiting());
    });
  }

  private inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.turn.then(work);
    this.turn = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  /** One flush for all that came while the one before was under way. */
  private async writeWaiting(): Promise<void> {
    const batch = this.waiting.splice(0);
    try {
      this.file ??= await this.openFile();
      await this.file.writev(batch.flatMap(({ record }) => [headOf(record), record]));
      await this.file.datasync();
      for (const { resolve } of batch) resolve();
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  private async openFile(): Promise<FileHandle> {
    const file = await open(fileOf(this.dataDir, this.number), 'a');
    await syncFolder(this.dataDir);
    return file;
  }

  /** Goes on in a new file; the number returned is the first that a checkpoint from now on does not cover. */
  next(): Promise<number> {
    return this.inTurn(async () => {
      await this.closeFile();
      this.number += 1;
      return this.number;
    });
  }

  /** Removes the files that a checkpoint has made unnecessary. */
  async removeBefore(number: number): Promise<void> {
    for (const old of numbersIn(this.dataDir)) {
      if (old < number) await rm(fileOf(this.dataDir, old), { force: true });
    }
  }

  close(): Promise<void> {
    return this.inTurn(() => this.closeFile());
  }

  private async closeFile(): Promise<void> {
    const file = this.file;
    this.file = undefined;
    await file?.close();
  }
}

const headOf = (record: Buffer): Buffer => {
  const head = Buffer.alloc(HEAD_LENGTH);
  head.writeInt32LE(record.length, 0);
  head.writeUInt32LE(crc32(record), 4);
  return head;
};

const recordsIn = (bytes: Buffer): Buffer[] => {
  const records: Buffer[] = [];
  let at = 0;
  while (at + HEAD_LENGTH <= bytes.length) {
    const length = readInt32(bytes, at);
    const record = bytes.subarray(at + HEAD_LENGTH, at + HEAD_LENGTH + length);
    if (length <= 0 || record.length < length || crc32(record) !== bytes.readUInt32LE(at + 4)) break;
    records.push(record);
    at += HEAD_LENGTH + length;
  }
  return records;
};

import { closeSync, fdatasyncSync, openSync, readSync, writeSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { WRAPPED_SIZE } from './key-wrapping';

/** Whole cells lie in one sector each, so a write touches nothing beside it. */
const CELL_SIZE = 64;

type Write = Readonly<{ cell: number; bytes: Buffer; done: () => void; failed: (error: unknown) => void }>;

/**
 * A file of numbered cells, each of which holds one wrapped key or zeros, and is overwritten in place: what was in it
 * before is in no file any more. Several processes use it at once; they agree on who writes what elsewhere.
 */
export class CellFile {
  private waiting: Write[] = [];
  private writing: Promise<void> | undefined;

  private constructor(
    private readonly descriptor: number,
    private readonly handle: FileHandle,
  ) {}

  static async open(path: string): Promise<CellFile> {
    const handle = await open(path, 'a', 0o600);
    await handle.close();
    return new CellFile(openSync(path, 'r+'), await open(path, 'r+'));
  }

  /** Zeros where nothing was written yet. */
  read(cell: number): Buffer {
    const bytes = Buffer.alloc(WRAPPED_SIZE);
    readSync(this.descriptor, bytes, 0, WRAPPED_SIZE, cell * CELL_SIZE);
    return bytes;
  }

  /** On disk when it resolves; what comes while others are written goes to disk together. */
  write(cell: number, bytes: Buffer): Promise<void> {
    return new Promise((done, failed) => {
      this.waiting.push({ cell, bytes, done, failed });
      this.writing ??= this.writeAll().finally(() => (this.writing = undefined));
    });
  }

  /** Writes at once, within a transaction; to be followed by `sync`. */
  writeNow(cell: number, bytes: Buffer | null): void {
    writeSync(this.descriptor, bytes ?? Buffer.alloc(CELL_SIZE), 0, null, cell * CELL_SIZE);
  }

  sync(): void {
    fdatasyncSync(this.descriptor);
  }

  async close(): Promise<void> {
    await this.writing;
    await this.handle.close();
    closeSync(this.descriptor);
  }

  private async writeAll(): Promise<void> {
    while (this.waiting.length > 0) {
      const writes = this.waiting.splice(0);
      try {
        await Promise.all(
          writes.map(({ cell, bytes }) => this.handle.write(bytes, 0, bytes.length, cell * CELL_SIZE)),
        );
        await this.handle.datasync();
        for (const { done } of writes) done();
      } catch (error) {
        for (const { failed } of writes) failed(error);
      }
    }
  }
}

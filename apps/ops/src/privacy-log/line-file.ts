import { closeSync, openSync, writeSync } from 'node:fs';

const WRITE_AT = 64 * 1_024;

/** A new file of JSON lines, written where waiting is not possible. */
export class LineFile {
  private readonly file: number;
  private text = '';

  constructor(path: string) {
    this.file = openSync(path, 'w', 0o600);
  }

  add(line: object): void {
    this.text += `${JSON.stringify(line)}\n`;
    if (this.text.length >= WRITE_AT) this.flush();
  }

  close(): void {
    this.flush();
    closeSync(this.file);
  }

  private flush(): void {
    writeSync(this.file, this.text);
    this.text = '';
  }
}

import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { HttpProblem } from '../problem/problem';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CURSOR_CHARS_MAX = 4096;

/** A value that rows are sorted by; undefined cannot be told from null. */
export type CursorValue = string | number | boolean | null;

/** The cursor was not made by this API, or not for this filter and sort. 400. */
export class InvalidCursorError extends HttpProblem {
  constructor() {
    super(
      400,
      'invalid-cursor',
      'The cursor does not belong to this list with this filter and sort. Start again without one.',
    );
  }
}

/**
 * Cursors of keyset paging. They hold values of rows, so they are encrypted; they come back from clients, so they are
 * authenticated; and they are bound to the filter and the sort, under any other of which they would skip rows.
 */
export class CursorCodec {
  private readonly key: Buffer;

  constructor(secrets: Readonly<{ derive(label: string): Buffer }>) {
    this.key = secrets.derive('cursor');
  }

  /** `binding`: all that decides which rows the list has and in what order, as JSON values. */
  encode(values: readonly CursorValue[], binding: unknown): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(fingerprint(binding));
    const text = Buffer.concat([cipher.update(JSON.stringify(values), 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, text, cipher.getAuthTag()]).toString('base64url');
  }

  /** Throws InvalidCursorError unless `encode` made it with the same binding and secret. */
  decode(cursor: string, binding: unknown): readonly CursorValue[] {
    if (cursor.length > CURSOR_CHARS_MAX || !/^[A-Za-z0-9_-]+$/.test(cursor)) throw new InvalidCursorError();
    const bytes = Buffer.from(cursor, 'base64url');
    // Unused bits of the last character would let two texts stand for one cursor.
    if (bytes.length < NONCE_BYTES + TAG_BYTES || bytes.toString('base64url') !== cursor)
      throw new InvalidCursorError();
    const decipher = createDecipheriv(ALGORITHM, this.key, bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(fingerprint(binding));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      const text =
        decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
      return JSON.parse(text) as readonly CursorValue[];
    } catch {
      throw new InvalidCursorError();
    }
  }
}

const fingerprint = (binding: unknown): Buffer =>
  createHash('sha256')
    .update(JSON.stringify(binding ?? null))
    .digest();

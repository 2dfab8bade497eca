import { createHash } from 'node:crypto';

/** LMDB's keys are bounded; 0xff begins no UTF-8 text, so a hashed name is never taken for a short one. */
const NAME_KEY_BYTES_MAX = 512;
const HASHED = Buffer.of(0xff);

export const streamKey = (name: string): Buffer => {
  const bytes = Buffer.from(name);
  if (bytes.length <= NAME_KEY_BYTES_MAX) return bytes;
  return Buffer.concat([HASHED, createHash('sha256').update(bytes).digest()]);
};

/** Sorts by stream, then by revision. */
export const revisionKey = (stream: number, revision: number): Buffer => {
  const key = Buffer.allocUnsafe(12);
  key.writeUIntBE(stream, 0, 6);
  key.writeUIntBE(revision, 6, 6);
  return key;
};

export const eventIdKey = (stream: number, id: string): Buffer => {
  const key = Buffer.allocUnsafe(22);
  key.writeUIntBE(stream, 0, 6);
  key.write(id.replaceAll('-', ''), 6, 'hex');
  return key;
};

export const uint48 = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.allocUnsafe(values.length * 6);
  values.forEach((value, index) => bytes.writeUIntLE(value, index * 6, 6));
  return bytes;
};

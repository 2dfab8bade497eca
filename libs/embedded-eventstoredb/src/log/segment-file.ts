import { closeSync, fsyncSync, openSync, readdirSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/*
 * A segment is one file of the log, named by the log position of its first byte. It begins with a header:
 *  0 "RGLOG001"   8 u48 first position   14 16 bytes: identity of the log   30 u32 CRC-32 of 0…29   then zeros
 */
export const SEGMENT_HEADER_SIZE = 64;
const FORMAT = Buffer.from('RGLOG001');
const CHECKED_SIZE = 30;

export class LogCorruptError extends Error {}

export type SegmentFile = Readonly<{ base: number; path: string }>;

export const segmentPath = (folder: string, base: number): string =>
  join(folder, `${String(base).padStart(16, '0')}.log`);

/** The segments of a log in order. Other files in the folder are none of its business. */
export const listSegments = (folder: string): SegmentFile[] =>
  readdirSync(folder)
    .filter((name) => /^\d{16}\.log$/.test(name))
    .sort()
    .map((name) => ({ base: Number(name.slice(0, 16)), path: join(folder, name) }));

/** Makes the names in a folder durable; some systems cannot, and need not. */
export const syncFolder = (folder: string): void => {
  if (process.platform === 'win32') return;
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
};

/** Creates a segment with its header on disk and returns its descriptor. */
export const createSegment = (folder: string, base: number, logId: Buffer): number => {
  const header = Buffer.alloc(SEGMENT_HEADER_SIZE);
  FORMAT.copy(header);
  header.writeUIntLE(base, 8, 6);
  logId.copy(header, 14);
  header.writeUInt32LE(crc32(header.subarray(0, CHECKED_SIZE)), CHECKED_SIZE);
  const fd = openSync(segmentPath(folder, base), 'w+');
  writeSync(fd, header, 0, header.length, 0);
  fsyncSync(fd);
  syncFolder(folder);
  return fd;
};

/** The identity of the log that a segment belongs to; null where its header is missing or broken. */
export const readSegmentHeader = (fd: number, base: number): Buffer | null => {
  const header = Buffer.alloc(SEGMENT_HEADER_SIZE);
  if (readSync(fd, header, 0, header.length, 0) < header.length) return null;
  if (!header.subarray(0, FORMAT.length).equals(FORMAT) || header.readUIntLE(8, 6) !== base) return null;
  if (crc32(header.subarray(0, CHECKED_SIZE)) !== header.readUInt32LE(CHECKED_SIZE)) return null;
  return header.subarray(14, CHECKED_SIZE);
};

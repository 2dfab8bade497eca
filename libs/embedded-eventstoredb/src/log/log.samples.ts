import { randomUUID } from 'node:crypto';
import { LogCursor } from './log-cursor';
import { encodeRecord } from './record';
import type { SegmentedLog } from './segmented-log';

const EMPTY = Buffer.alloc(0);

/** Appends events with data of the given sizes as one append; resolves with their positions once they are durable. */
export const appendTo = (
  log: SegmentedLog,
  stream: string,
  firstRevision: number,
  sizes: readonly number[],
): Promise<number[]> =>
  new Promise<number[]>((resolve, reject) => {
    const positions: number[] = [];
    try {
      let position = log.startAppend();
      sizes.forEach((size, index) => {
        positions.push(position);
        const record = encodeRecord({
          position,
          durable: log.durable,
          stream: Buffer.from(stream),
          revision: firstRevision + index,
          endOfAppend: index === sizes.length - 1,
          createdMs: 1_700_000_000_000,
          id: randomUUID(),
          type: 'test.Happened.v1',
          isJson: false,
          customMetadata: EMPTY,
          data: Buffer.alloc(size, index),
        });
        position = log.write(record);
      });
    } catch (error) {
      return reject(error as Error);
    }
    log.whenDurable((error) => (error ? reject(error) : resolve(positions)));
  });

export const positionsForwards = (log: SegmentedLog, from = log.start): number[] => {
  const cursor = new LogCursor(log, from, 1024);
  const positions: number[] = [];
  for (let record = cursor.next(); record; record = cursor.next()) positions.push(record.position);
  return positions;
};

export const positionsBackwards = (log: SegmentedLog, from = log.durable): number[] => {
  const cursor = new LogCursor(log, from, 1024);
  const positions: number[] = [];
  for (let record = cursor.previous(); record; record = cursor.previous()) positions.push(record.position);
  return positions;
};

import fc from 'fast-check';
import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { appendTo, positionsBackwards, positionsForwards } from './log.samples';
import { LogCursor } from './log-cursor';
import { createSegment, LogCorruptError, SEGMENT_HEADER_SIZE } from './segment-file';
import { LogFailedError, type LogOptions, SegmentedLog, systemDisk } from './segmented-log';

describe('the segmented log', () => {
  let folder: string;
  let log: SegmentedLog;
  const open = (options: Partial<LogOptions> = {}): SegmentedLog => {
    log = SegmentedLog.open({ folder, segmentBytes: 4_000, ...options });
    log.cutTail();
    return log;
  };
  const close = async (): Promise<void> => {
    await log.stop();
    log.closeFiles();
  };
  const files = (): string[] => readdirSync(folder).sort();
  const lastFile = (): string => join(folder, files().at(-1) as string);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'segmented-log-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('reads back over any number of segments, both ways and from anywhere, before and after a restart', async () => {
    open();
    const written: number[] = [];
    for (let append = 0; append < 30; append += 1) {
      written.push(...(await appendTo(log, 's', written.length, [10, 900 * (append % 3), 5])));
    }
    expect(files().length).toBeGreaterThan(4);
    const check = () => {
      expect(positionsForwards(log)).toEqual(written);
      expect(positionsBackwards(log)).toEqual([...written].reverse());
      for (const index of [1, 17, 44, 88]) {
        expect(positionsForwards(log, written[index])).toEqual(written.slice(index));
        expect(positionsBackwards(log, written[index])).toEqual(written.slice(0, index).reverse());
      }
    };
    check();
    await close();
    open();
    check();
    written.push(...(await appendTo(log, 's', 90, [1])));
    check();
    await close();
  });

  it('finds events only where one begins', async () => {
    open();
    const [first = 0, second = 0] = await appendTo(log, 's', 0, [50, 50]);
    const cursor = new LogCursor(log, 0, 512);
    expect(cursor.at(first)?.position).toBe(first);
    expect(cursor.at(second)?.position).toBe(second);
    for (const position of [0, first - 1, first + 1, second - 4, log.durable, log.durable + 10]) {
      expect(cursor.at(position)).toBeNull();
    }
    await close();
  });

  it('writes what waits together, with one sync', async () => {
    let syncs = 0;
    const { write, sync } = systemDisk;
    open({ disk: { write, sync: async (fd: number) => ((syncs += 1), sync(fd)) } as typeof systemDisk });
    await Promise.all(Array.from({ length: 20 }, (_, n) => appendTo(log, `s${n}`, 0, [10])));
    expect(syncs).toBeLessThanOrEqual(2);
    await close();
  });

  it('acknowledges nothing from the first failed write on, and goes on reading', async () => {
    let full = false;
    const { write, sync } = systemDisk;
    const failing = async (...args: Parameters<typeof write>) => {
      if (full) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      return write(...args);
    };
    open({ disk: { write: failing, sync } as typeof systemDisk });
    const before = await appendTo(log, 's', 0, [10]);
    full = true;
    const during = [appendTo(log, 's', 1, [10]), appendTo(log, 't', 0, [10])];
    for (const append of during) await expect(append).rejects.toThrow(LogFailedError);
    full = false;
    await expect(appendTo(log, 's', 1, [10])).rejects.toThrow('ENOSPC');
    expect(positionsForwards(log)).toEqual(before);
    log.closeFiles();
    open();
    expect(positionsForwards(log)).toEqual(before);
    await close();
  });

  it('keeps every acknowledged append and no half one, wherever the tail is torn', async () => {
    open({ segmentBytes: 1_000_000 });
    const appends: number[][] = [];
    for (let n = 0; n < 12; n += 1) appends.push(await appendTo(log, 's', 3 * n, [20, 0, 300]));
    const acknowledged = appends.flat();
    const synced = log.durable;
    // Three appends that reach the file but, as far as anybody was told, not the disk.
    const torn = await Promise.all([1, 2, 3].map((n) => appendTo(log, `t${n}`, 0, [40, 80])));
    await close();
    const whole = readFileSync(lastFile());

    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: synced, max: whole.length }),
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom('cut', 'garbage', 'zeros'),
        async (at, garbage, damage) => {
          writeFileSync(lastFile(), whole);
          truncateSync(lastFile(), at);
          if (damage === 'garbage') appendFileSync(lastFile(), garbage);
          if (damage === 'zeros') truncateSync(lastFile(), whole.length + 4_096);
          const left = readFileSync(lastFile());
          const complete = torn.filter((_, index) => {
            const end = torn[index + 1]?.[0] ?? whole.length;
            return left.subarray(0, end).equals(whole.subarray(0, end));
          });
          open({ segmentBytes: 1_000_000 });
          expect(positionsForwards(log)).toEqual([...acknowledged, ...complete.flat()]);
          const added = await appendTo(log, 'after', 0, [7]);
          expect(positionsForwards(log)).toEqual([...acknowledged, ...complete.flat(), ...added]);
          await close();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('refuses to open when something acknowledged is damaged, and leaves the file as it is', async () => {
    open({ segmentBytes: 1_000_000 });
    const positions: number[] = [];
    for (let n = 0; n < 10; n += 1) positions.push(...(await appendTo(log, 's', n, [100])));
    await close();
    const whole = readFileSync(lastFile());
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: log.start, max: (positions[8] as number) - 1 }), async (at) => {
        const damaged = Buffer.from(whole);
        damaged.writeUInt8(damaged.readUInt8(at) ^ 0x10, at);
        writeFileSync(lastFile(), damaged);
        expect(() => SegmentedLog.open({ folder })).toThrow(LogCorruptError);
        expect(readFileSync(lastFile()).equals(damaged)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('refuses to open with a segment missing or short, and to read over damage in an old one', async () => {
    open();
    for (let n = 0; n < 20; n += 1) await appendTo(log, 's', n, [500]);
    await close();
    const [first, second] = files().map((name) => join(folder, name)) as [string, string];
    const content = readFileSync(second);
    rmSync(second);
    expect(() => SegmentedLog.open({ folder })).toThrow(LogCorruptError);
    writeFileSync(second, content.subarray(0, content.length - 1));
    expect(() => SegmentedLog.open({ folder })).toThrow(LogCorruptError);
    writeFileSync(second, content);
    const old = readFileSync(first);
    old.writeUInt8(old.readUInt8(300) ^ 1, 300);
    writeFileSync(first, old);
    open();
    expect(() => positionsForwards(log)).toThrow(LogCorruptError);
    await close();
  });

  it('drops a segment whose creation was cut short', async () => {
    open();
    const positions = await appendTo(log, 's', 0, [10]);
    await close();
    const next = join(folder, `${String(statSync(lastFile()).size).padStart(16, '0')}.log`);
    writeFileSync(next, Buffer.alloc(20));
    open();
    expect(positionsForwards(log)).toEqual(positions);
    expect(files()).toHaveLength(1);
    await close();
  });

  it('goes on in a segment that was created and not written to', async () => {
    open();
    const positions = await appendTo(log, 's', 0, [5_000]);
    const base = log.durable;
    const { logId } = log;
    await close();
    closeSync(createSegment(folder, base, logId));
    open();
    positions.push(...(await appendTo(log, 's', 1, [10])), ...(await appendTo(log, 's', 2, [10])));
    await close();
    open();
    expect(positionsForwards(log)).toEqual(positions);
    expect(positions[1]).toBe(base + SEGMENT_HEADER_SIZE);
    await close();
  });
});

import { signCheckpoint } from './checkpoint';
import {
  checkpointLine,
  entryLine,
  entryOfLeaf,
  headerLine,
  leafBytes,
  type LogEntry,
} from './export-format';
import { leafHash } from './hashing';
import { type NoteSigner, signerOf, VerifierKey } from './note-key';
import { entriesOf, growLog, naiveRoot, ORIGIN, signer, stream } from './sample-log.suite';
import type { Fault } from './verdict';
import { verifyLog } from './verify-log';

const SIZE = 200;
const CHECKPOINT_EVERY = 50;

type Entry = Readonly<Record<string, unknown>>;

const key = new VerifierKey(ORIGIN, signer.publicKey);
const entries = entriesOf(growLog(SIZE));
const hashOf = (entry: Entry): Buffer => leafHash(leafBytes(entry));
/** As one writes it who knows how entries are hashed. */
const sealed = (entry: Entry): LogEntry =>
  ({ ...entry, leafHash: hashOf(entry).toString('base64') }) as LogEntry;

/** An export of entries with a checkpoint of them behind every fiftieth. */
const exportOf = (all: readonly LogEntry[], by: NoteSigner = signer): string[] => {
  const hashes = all.map(hashOf);
  return [
    headerLine(ORIGIN),
    ...all.flatMap((entry, i) => {
      const size = i + 1;
      const due = size % CHECKPOINT_EVERY === 0 || size === all.length;
      const root = naiveRoot(hashes, 0, size);
      return due
        ? [entryLine(entry), checkpointLine(signCheckpoint({ origin: ORIGIN, size, root }, by))]
        : [entryLine(entry)];
    }),
  ];
};
const original = exportOf(entries);
const lineOf = (index: number): number => 1 + index + Math.floor(index / CHECKPOINT_EVERY);
const noteAt = (size: number): string =>
  (JSON.parse(original[lineOf(size - 1) + 1]!) as { checkpoint: string }).checkpoint;

/** The first fault that is found; null if there is none. What comes behind it is not read. */
const firstFault = async (
  lines: Iterable<string>,
  witnessed: readonly string[] = [],
): Promise<Fault | null> => {
  let first: Fault | null = null;
  const untilFault = async function* () {
    for (const line of lines) {
      if (first !== null) return;
      yield bytesOf(line);
    }
  };
  await verifyLog({
    lines: untilFault(),
    keys: [key],
    witnessed: stream(witnessed),
    onFault: (fault) => (first ??= fault),
  });
  return first;
};

/** Entries under new indices, with the checkpoints that were signed, where they stood. */
const renumbered = function* (all: readonly LogEntry[]): Generator<string> {
  yield headerLine(ORIGIN);
  for (const [i, entry] of all.entries()) {
    yield entryLine({ ...entry, index: i });
    if (SIZE >= i + 1 && (i + 1) % CHECKPOINT_EVERY === 0) yield checkpointLine(noteAt(i + 1));
  }
  if (all.length < SIZE) yield checkpointLine(noteAt(SIZE));
};

type Tampering = readonly [what: string, lines: Iterable<string>];

const expectAllCaught = async (tamperings: Iterable<Tampering>): Promise<number> => {
  let count = 0;
  const missed: string[] = [];
  for (const [what, lines] of tamperings) {
    count += 1;
    if ((await firstFault(lines)) === null) missed.push(what);
  }
  expect(missed).toEqual([]);
  return count;
};

/** Another value of the same kind, and the value cut short. */
const otherValues = (value: unknown): unknown[] => {
  if (typeof value === 'string') return [`${value}x`, value.slice(0, -1)];
  if (typeof value === 'number') return [value + 1];
  if (Array.isArray(value)) return [[...(value as unknown[]), 'x'], value.slice(0, -1)];
  return [];
};

const isRecord = (value: unknown): value is Entry =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every way to change, delete, add or cut one field, also inside of fields. */
const withOneFieldChanged = function* (entry: Entry): Generator<readonly [string, Entry]> {
  yield ['+added', { ...entry, added: 'x' }];
  for (const [name, value] of Object.entries(entry)) {
    const { [name]: _, ...others } = entry;
    yield [`-${name}`, others];
    for (const other of otherValues(value)) yield [`~${name}`, { ...entry, [name]: other }];
    if (!isRecord(value)) continue;
    for (const [inside, changed] of withOneFieldChanged(value)) {
      yield [`${name}.${inside}`, { ...entry, [name]: changed }];
    }
  }
};

const bytesOf = (line: string): Buffer => Buffer.from(line);
const rows = [...entries.keys()];

describe(`a log of ${SIZE} entries`, () => {
  it('is whole before anything is done to it', async () => {
    expect(await firstFault(original, [noteAt(50), noteAt(SIZE)])).toBeNull();
  });

  it('shows every field of every entry that is changed, deleted, added or cut', async () => {
    const changes = rows.map((row) => [...withOneFieldChanged(entries[row]!)]);
    let count = 0;
    const kinds = Math.max(...changes.map(({ length }) => length));
    // One change in each second entry at a time: the fault is found at the entry itself.
    for (let i = 0; i < 2 * kinds; i += 1) {
      const changeOf = (row: number) => (row % 2 === i % 2 ? changes[row]![Math.floor(i / 2)] : undefined);
      const changed = entries.map((entry, row) => (changeOf(row)?.[1] ?? entry) as LogEntry);
      const unseen: string[] = [];
      await verifyLog({
        lines: stream([headerLine(ORIGIN), ...changed.map(entryLine)].map(bytesOf)),
        keys: [key],
        onEntry: (row, _, faults) => {
          const change = changeOf(row);
          if (change === undefined) return;
          count += 1;
          if (faults.length === 0) unseen.push(`${row} ${change[0]}`);
        },
      });
      expect(unseen).toEqual([]);
    }
    expect(count).toBeGreaterThan(8_000);
  });

  it('gives another leaf hash to each of these, so that who writes the leaf hash anew changes the tree', () => {
    let count = 0;
    for (const row of rows) {
      const hashes = new Set([entries[row]!.leafHash]);
      const { index: _index, leafHash: _leafHash, ...content } = entries[row]!;
      const changes = [...withOneFieldChanged(content)];
      for (const [, changed] of changes) hashes.add(sealed(changed).leafHash);
      expect(hashes.size).toBe(1 + changes.length);
      count += changes.length;
    }
    expect(count).toBeGreaterThan(7_000);
  });

  it('shows in every row that the tree was changed, whichever field it was', async () => {
    const tamperings = function* (): Generator<Tampering> {
      for (const row of rows) {
        const { index, leafHash: _, ...content } = entries[row]!;
        const changes = [...withOneFieldChanged(content)];
        // From row to row through all fields.
        const [what, changed] = changes[row % changes.length]!;
        yield [`${row} ${what}`, original.with(lineOf(row), entryLine(sealed({ ...changed, index })))];
      }
    };
    expect(await expectAllCaught(tamperings())).toBe(SIZE);
  });

  it('shows every row that is cut, wherever', async () => {
    for (let part = 1; part < 20; part += 1) {
      const cut = entries.map(entryLine).map((text) => text.slice(0, (text.length * part) / 20));
      const faults: number[] = [];
      const { entryCount } = await verifyLog({
        lines: stream([headerLine(ORIGIN), ...cut].map(bytesOf)),
        keys: [key],
        onFault: ({ code }) => code === 'line' && faults.push(1),
      });
      expect([faults.length, entryCount]).toEqual([SIZE, 0]);
    }
  });

  it('shows every row that is deleted, doubled, put in or swapped, and every end that is cut off', async () => {
    const tamperings = function* (): Generator<Tampering> {
      yield [
        'put in at the end',
        [...original, entryLine(sealed({ ...entries[0]!, entryId: 'forged', index: SIZE }))],
      ];
      for (const row of rows) {
        const line = lineOf(row);
        const forged = sealed({ ...entries[row]!, entryId: `forged-${row}` });
        const swapped =
          row + 1 < SIZE ? entries.with(row, entries[row + 1]!).with(row + 1, entries[row]!) : null;
        yield [`${row} deleted`, original.toSpliced(line, 1)];
        yield [`${row} deleted, renumbered`, renumbered(entries.toSpliced(row, 1))];
        yield [`${row} doubled`, original.toSpliced(line, 0, original[line]!)];
        yield [`${row} put in`, renumbered(entries.toSpliced(row, 0, forged))];
        yield [`${row} blank`, original.with(line, '')];
        yield [`the last entries cut off down to ${row}`, [...original.slice(0, line), original.at(-1)!]];
        if (swapped) yield [`${row} swapped`, original.with(line, entryLine(swapped[row]!))];
        if (swapped) yield [`${row} swapped, renumbered`, renumbered(swapped)];
        if ((row + 1) % CHECKPOINT_EVERY !== 0)
          yield [`all behind ${row} cut off`, original.slice(0, line + 1)];
      }
    };
    expect(await expectAllCaught(tamperings())).toBeGreaterThan(1_700);
  });

  it('shows every character of a line that is changed, deleted or doubled', async () => {
    const line = lineOf(0);
    const text = original[line]!;
    const tamperings = function* (): Generator<Tampering> {
      for (let at = 0; at < text.length; at += 1) {
        const other = String.fromCharCode(text.charCodeAt(at) ^ 1);
        yield [`${at} changed`, original.with(line, text.slice(0, at) + other + text.slice(at + 1))];
        yield [`${at} deleted`, original.with(line, text.slice(0, at) + text.slice(at + 1))];
        yield [`${at} doubled`, original.with(line, text.slice(0, at + 1) + text.slice(at))];
        yield [`${at} a blank`, original.with(line, `${text.slice(0, at)} ${text.slice(at)}`)];
      }
      // The second of two equal names is what a parser takes, the first what a reader sees.
      yield ['a name twice', original.with(line, text.replace('"action":', '"action":"login","action":'))];
    };
    await expectAllCaught(tamperings());
  });

  it('shows a header that is changed or not there', async () => {
    const header = JSON.parse(original[0]!) as Entry;
    const tamperings = function* (): Generator<Tampering> {
      yield ['none', original.slice(1)];
      for (const [what, changed] of withOneFieldChanged(header)) {
        yield [what, original.with(0, JSON.stringify(changed))];
      }
    };
    await expectAllCaught(tamperings());
  });

  it('shows checkpoints that are changed in any line', async () => {
    const tamperings = function* (): Generator<Tampering> {
      for (let size = CHECKPOINT_EVERY; size <= SIZE; size += CHECKPOINT_EVERY) {
        const line = lineOf(size - 1) + 1;
        const note = noteAt(size);
        const put = (text: string): string[] => original.with(line, checkpointLine(text));
        for (const [i, part] of note.split('\n').entries()) {
          if (part === '') continue;
          yield [`${size} line ${i} deleted`, put(note.split('\n').toSpliced(i, 1).join('\n'))];
          yield [`${size} line ${i} changed`, put(note.split('\n').with(i, `${part}0`).join('\n'))];
          yield [`${size} line ${i} cut`, put(note.split('\n').with(i, part.slice(0, -1)).join('\n'))];
        }
        yield [`${size} another size`, put(note.replace(`\n${size}\n`, `\n${size - 1}\n`))];
        yield [`${size} a field more`, original.with(line, JSON.stringify({ checkpoint: note, more: 1 }))];
      }
    };
    await expectAllCaught(tamperings());
  });

  it('shows signatures of a wrong key, under the same name and under another', async () => {
    const wrong = signerOf(ORIGIN, Buffer.alloc(32, 8));
    expect(await firstFault(exportOf(entries, wrong))).toMatchObject({
      code: 'checkpoint',
      area: 'integrity',
    });
    const rewritten = entries.with(100, sealed({ ...entries[100]!, action: 'contact.export' }));
    expect(await firstFault(exportOf(rewritten, wrong))).toMatchObject({ code: 'checkpoint' });
    const renamed = exportOf(entries, wrong).map((line) => line.replaceAll(ORIGIN, 'other.test'));
    expect(await firstFault(renamed)).toMatchObject({ code: 'header' });
    const impostor = Object.assign(Object.create(wrong) as NoteSigner, { publicKey: signer.publicKey });
    expect(await firstFault(exportOf(entries, impostor))).toMatchObject({ code: 'checkpoint' });
  });
});

describe('what only a witness shows', () => {
  const witnessed = [noteAt(50), noteAt(150)];

  it('a log cut back to an earlier checkpoint, with all that came later', async () => {
    const cutBack = original.slice(0, lineOf(99) + 2);
    expect(await firstFault(cutBack)).toBeNull();
    expect(await firstFault(cutBack, witnessed)).toMatchObject({ area: 'completeness', code: 'missing' });
  });

  it('a history that the holder of the signing key wrote anew', async () => {
    const rewritten = entries.with(100, sealed({ ...entries[100]!, action: 'contact.export' }));
    expect(await firstFault(exportOf(rewritten))).toBeNull();
    expect(await firstFault(exportOf(rewritten), witnessed)).toMatchObject({
      area: 'integrity',
      code: 'root',
    });
  });

  it('an entry that the holder of the signing key took out', async () => {
    const without = entries.toSpliced(100, 1).map((entry, i) => entryOfLeaf(leafBytes(entry), i));
    expect(await firstFault(exportOf(without))).toBeNull();
    expect(await firstFault(exportOf(without), witnessed)).toMatchObject({ code: 'root' });
  });
});

describe('what even a witness does not show', () => {
  it('a change by the holder of the signing key behind its last checkpoint', async () => {
    const rewritten = entries.with(180, sealed({ ...entries[180]!, action: 'contact.export' }));
    expect(await firstFault(exportOf(rewritten), [noteAt(50), noteAt(150)])).toBeNull();
  });
});

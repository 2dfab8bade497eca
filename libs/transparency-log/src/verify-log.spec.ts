import { signCheckpoint } from './checkpoint';
import { checkpointLine, entryLine, entryOfLeaf, exportLog, headerLine, leafBytes } from './export-format';
import { append, emptyFrontier, rootOf } from './frontier';
import { leafHash } from './hashing';
import { signerOf, type NoteSigner, VerifierKey } from './note-key';
import { entriesOf, growLog, linesOf, naiveRoot, ORIGIN, signer, stream } from './sample-log.suite';
import { TILE_WIDTH } from './tiles';
import { entryVerdict } from './verdict';
import { verifyLog } from './verify-log';

const log = growLog(600);
const entries = entriesOf(log);
const key = new VerifierKey(ORIGIN, signer.publicKey);
const noteAt = (size: number, by: NoteSigner = signer): string =>
  signCheckpoint({ origin: ORIGIN, size, root: naiveRoot(log.hashes, 0, size) }, by);

/** An export of the first `size` entries with checkpoints at the sizes given. */
const exported = (size: number, checkpoints: readonly number[], by?: NoteSigner): string[] => [
  headerLine(ORIGIN),
  ...checkpoints.filter((at) => at === 0).map((at) => checkpointLine(noteAt(at, by))),
  ...entries
    .slice(0, size)
    .flatMap((entry, i) => [
      entryLine(entry),
      ...checkpoints.filter((at) => at === i + 1).map((at) => checkpointLine(noteAt(at, by))),
    ]),
];
const verify = (lines: readonly string[], witnessed?: readonly string[], keys = [key]) =>
  verifyLog({ lines: linesOf(lines), keys, ...(witnessed && { witnessed: stream(witnessed) }) });
const codes = async (lines: readonly string[], witnessed?: readonly string[], keys?: VerifierKey[]) =>
  (await verify(lines, witnessed, keys)).faults.map(({ code }) => code);

/** What a holder of the key can sign: any entries at all. */
const signedBy = async (leaves: readonly Buffer[], by: NoteSigner = signer): Promise<string[]> => {
  const root = naiveRoot(leaves.map(leafHash), 0, leaves.length);
  const note = signCheckpoint({ origin: ORIGIN, size: leaves.length, root }, by);
  const lines: string[] = [];
  for await (const line of exportLog(note, () => Promise.resolve(leaves))) lines.push(line);
  return lines;
};

describe('verifying a log', () => {
  it('finds an untouched export whole', async () => {
    expect(await verify(exported(600, [0, 1, 255, 256, 600]), [noteAt(1), noteAt(300), noteAt(599)])).toEqual(
      {
        integrity: 'ok',
        completeness: 'ok',
        entryCount: 600,
        root: naiveRoot(log.hashes, 0, 600),
        rootAt: null,
        provenSize: 600,
        changedBetween: null,
        signedSize: 600,
        witnessedSize: 599,
        checkpointCount: 8,
        faultCount: 0,
        faults: [],
      },
    );
  });

  it('takes an export as it is made from what is served', async () => {
    const lines: string[] = [];
    for await (const line of exportLog(noteAt(600), (index, width) =>
      Promise.resolve(log.leaves.slice(index * TILE_WIDTH, index * TILE_WIDTH + width)),
    )) {
      lines.push(line);
    }
    expect(lines).toEqual(exported(600, [600]));
  });

  it('takes an empty log with its checkpoint', async () => {
    expect(await verify(exported(0, [0]))).toMatchObject({
      integrity: 'ok',
      completeness: 'ok',
      entryCount: 0,
    });
  });

  it('takes checkpoints that stand before their entries', async () => {
    const [header, ...rest] = exported(20, []);
    const early = [header!, checkpointLine(noteAt(20)), checkpointLine(noteAt(10)), ...rest];
    expect(await verify(early)).toMatchObject({ faultCount: 0, provenSize: 20, checkpointCount: 2 });
  });

  it('proves nothing without a checkpoint, or without one of a key given', async () => {
    expect(await verify(exported(20, []))).toMatchObject({
      integrity: 'unproven',
      completeness: 'broken',
      provenSize: 0,
    });
    expect(await codes(exported(20, []))).toEqual(['no-checkpoint']);
    const stranger = new VerifierKey(ORIGIN, signerOf(ORIGIN, Buffer.alloc(32, 1)).publicKey);
    expect(await codes(exported(20, [20]), [], [stranger])).toEqual(['checkpoint', 'no-checkpoint']);
  });

  it('proves nothing of an empty log without a checkpoint', async () => {
    expect(await verify(exported(0, []))).toMatchObject({ integrity: 'unproven', completeness: 'broken' });
  });

  it('says that entries behind the last checkpoint are not covered, and proves the others', async () => {
    const verdict = await verify(exported(20, [15]));
    expect(verdict).toMatchObject({
      integrity: 'unproven',
      completeness: 'broken',
      provenSize: 15,
      signedSize: 15,
    });
    expect(verdict.faults).toMatchObject([{ code: 'not-covered', index: 15 }]);
    expect([14, 15].map((index) => entryVerdict(index, [], verdict))).toEqual(['proven', 'unproven']);
  });

  it('says between which checkpoints a change lies', async () => {
    const lines = exported(20, [5, 10, 15, 20]).with(9, entryLine({ ...entries[7]!, action: 'x' }));
    const verdict = await verify(lines);
    expect(verdict).toMatchObject({ changedBetween: { from: 5, to: 10 }, provenSize: 5 });
    expect(verdict.faults.map(({ code, index }) => [code, index])).toEqual([
      ['leaf-hash', 7],
      ['root', undefined],
    ]);
  });

  it('tells of each entry and of each fault as they come', async () => {
    const seen: [number, string, number][] = [];
    const faults: string[] = [];
    await verifyLog({
      lines: linesOf(exported(3, [3]).with(2, entryLine({ ...entries[1]!, action: 'x' }))),
      keys: [key],
      onEntry: (index, hash, found) => seen.push([index, hash.toString('base64'), found.length]),
      onFault: ({ code }) => faults.push(code),
    });
    expect(seen.map(([index, , found]) => [index, found])).toEqual([
      [0, 0],
      [1, 1],
      [2, 0],
    ]);
    expect(seen[2]![1]).toBe(entries[2]!.leafHash);
    expect(faults).toEqual(['leaf-hash', 'root']);
  });

  it('names the root at a size asked for', async () => {
    const rootAt = async (size: number) =>
      (await verifyLog({ lines: linesOf(exported(20, [20])), keys: [key], rootAt: size })).rootAt;
    expect(await rootAt(7)).toEqual(naiveRoot(log.hashes, 0, 7));
    expect(await rootAt(21)).toBeNull();
  });

  it('counts one gap as one fault', async () => {
    expect(await codes(exported(20, [20]).toSpliced(5, 1))).toEqual(['index', 'missing']);
  });

  it('does not call whole what is cut off before its checkpoint', async () => {
    expect(await verify(exported(20, [10]), [noteAt(30)])).toMatchObject({
      integrity: 'unproven',
      provenSize: 10,
    });
  });

  it('sees an entry, or its event, come twice within the window', async () => {
    // Made by the holder of the key: hashes, roots and indices all fit.
    const doubled = [...log.leaves.slice(0, 5), log.leaves[1]!];
    const { integrity, completeness, faults } = await verify(await signedBy(doubled));
    expect([integrity, completeness]).toEqual(['ok', 'broken']);
    expect(faults.map(({ code, index }) => [code, index])).toEqual([
      ['repeated', 5],
      ['repeated', 5],
    ]);
  });

  it('takes no byte for the character that stands for bytes that are none', async () => {
    const lines = await signedBy([Buffer.from('{"at":"\ufffd","entryId":"a"}')]);
    expect(await codes(lines)).toEqual([]);
    const [header, entry, checkpoint] = lines.map((line) => Buffer.from(line));
    const at = entry!.indexOf('\ufffd');
    const spoilt = Buffer.concat([entry!.subarray(0, at), Buffer.of(0xff), entry!.subarray(at + 3)]);
    const verdict = await verifyLog({ lines: stream([header!, spoilt, checkpoint!]), keys: [key] });
    expect(verdict.faults.map(({ code }) => code)).toEqual(['line', 'missing']);
  });

  it('keeps at most 100 faults and counts all', async () => {
    const verdict = await verify([...exported(2, [2]), ...Array<string>(500).fill('{}')]);
    expect([verdict.faults.length, verdict.faultCount]).toEqual([100, 500]);
  });
});

describe('keys of a log', () => {
  const older = signerOf(ORIGIN, Buffer.alloc(32, 3));
  const olderKey = (until: unknown) => new VerifierKey(ORIGIN, older.publicKey, String(until));
  const lines = [
    ...exported(20, [10, 20], older),
    ...entries.slice(20, 40).map(entryLine),
    checkpointLine(noteAt(40)),
  ];

  it('may follow one another', async () => {
    expect(await codes(lines, undefined, [olderKey(entries[19]!['at']), key])).toEqual([]);
  });

  it('sign nothing that was made after their end', async () => {
    expect(await codes(lines, undefined, [olderKey(entries[18]!['at']), key])).toEqual(['key-validity']);
  });

  it('vouch for no entry whose time cannot be read', async () => {
    const single = await signedBy([Buffer.from('{"at":"yesterday","entryId":"a"}')], older);
    expect(await codes(single, undefined, [olderKey('2030-01-01T00:00:00Z')])).toEqual(['key-validity']);
  });

  it('of other logs do not count', async () => {
    const foreign = signerOf('other.test', Buffer.alloc(32, 7));
    const foreignKey = new VerifierKey(foreign.name, foreign.publicKey);
    expect(await codes(exported(5, [5]), undefined, [foreignKey])).toEqual([
      'header',
      'checkpoint',
      'no-checkpoint',
    ]);
  });
});

describe('what a witness kept', () => {
  it('covers entries as well as a checkpoint of the export', async () => {
    expect(await verify(exported(20, []), [noteAt(5), noteAt(20)])).toMatchObject({
      faultCount: 0,
      provenSize: 20,
      witnessedSize: 20,
    });
  });

  it('may come again behind newer ones', async () => {
    expect(
      await codes(exported(20, [20]), [noteAt(5), noteAt(10), noteAt(5), noteAt(10), noteAt(20)]),
    ).toEqual([]);
    const fork = signCheckpoint({ origin: ORIGIN, size: 5, root: log.hashes[0]! }, signer);
    expect(await codes(exported(20, [20]), [noteAt(5), noteAt(10), fork, noteAt(20)])).toEqual(['root']);
  });

  it('is not trusted in any order', async () => {
    expect(await codes(exported(20, [20]), [noteAt(10), noteAt(5)])).toEqual(['checkpoint-order']);
  });

  it('is remembered for 1,024 checkpoints, whether their entries are there or to come', async () => {
    const ahead = Array<string>(1_025).fill(checkpointLine(noteAt(20)));
    const [header, ...rest] = exported(20, []);
    expect(await codes([header!, ...ahead, ...rest])).toEqual(['checkpoint-order']);

    const contents = Array.from({ length: 1_030 }, (_, i) => ({ entryId: String(i) }));
    const lines = [headerLine(ORIGIN)];
    const kept: string[] = [];
    let frontier = emptyFrontier;
    for (const [i, content] of contents.entries()) {
      const entry = entryOfLeaf(leafBytes(content), i);
      frontier = append(frontier, leafHash(leafBytes(content)));
      lines.push(entryLine(entry));
      kept.push(signCheckpoint({ origin: ORIGIN, size: i + 1, root: rootOf(frontier, i + 1) }, signer));
    }
    expect(await codes(lines, [...kept, kept[1_000]!])).toEqual([]);
    expect(await codes(lines, [...kept, kept[0]!])).toEqual(['checkpoint-order']);
  });

  it('must be signed by the log', async () => {
    expect(await codes(exported(20, [20]), ['not a note\n'])).toEqual(['checkpoint']);
  });

  it('may be larger than what is there, but then that is not whole', async () => {
    const verdict = await verify(exported(20, [20]), [noteAt(10), noteAt(30), noteAt(40)]);
    expect(verdict).toMatchObject({
      integrity: 'ok',
      completeness: 'broken',
      provenSize: 20,
      witnessedSize: 40,
    });
    expect(verdict.faults).toMatchObject([{ code: 'missing' }]);
  });
});

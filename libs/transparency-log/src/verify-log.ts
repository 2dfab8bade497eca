import { CheckpointCheck } from './checkpoint-check';
import { EXPORT_FORMAT, parseExportLine } from './export-format';
import { leafHash } from './hashing';
import type { VerifierKey } from './note-key';
import { LEAF_BYTES_MAX } from './tiles';
import { RecentIds } from './recent-ids';
import { type Fault, FaultList, type LogVerdict } from './verdict';

export type LogToVerify = Readonly<{
  /** Lines of an export (readLines). */
  lines: AsyncIterable<Uint8Array>;
  keys: readonly VerifierKey[];
  /** Checkpoints that a witness kept, in the order of its file (readNotes). */
  witnessed?: AsyncIterable<string>;
  /** Hears of each entry, with what is wrong with it by itself. */
  onEntry?: (index: number, leafHash: Buffer, faults: readonly Fault[]) => void;
  onFault?: (fault: Fault) => void;
  /** A size at which the verdict is to name the root, to hold it against another copy of the log. */
  rootAt?: number;
}>;

/**
 * Verifies an export against the keys of the log and, where given, the checkpoints of a witness, in one pass and in memory that
 * does not grow with the log. Never throws for what is in the export; what the sources throw goes up.
 *
 * `integrity` is ok if every entry is the one that was signed: each leaf hash is that of the entry's bytes, and the tree of the
 * first n entries has the root of every checkpoint of n entries, the last of which covers them all. `completeness` is ok if indices run from 0 without a gap up to
 * the largest checkpoint, nothing comes behind it and nothing comes twice.
 *
 * Without a witness this cannot see two things: a log cut back to an earlier checkpoint together with all that came later, and a
 * history that the holder of the signing key wrote anew. With a witness, what it has kept is safe from both; what came after its
 * last checkpoint is not. Nobody can see from a log that something was never entered in it.
 */
export const verifyLog = (log: LogToVerify): Promise<LogVerdict> =>
  verifyLines(log, new FaultList(log.onFault));

/** verifyLog, with faults that were found elsewhere added to the verdict. */
export const verifyLines = async (log: LogToVerify, faults: FaultList): Promise<LogVerdict> => {
  const check = new CheckpointCheck(log.keys, faults);
  const lines = new ExportLines(log, check, faults);
  const notes = log.witnessed?.[Symbol.asyncIterator]();
  let more = notes !== undefined;
  const witness = async (): Promise<void> => {
    const next = await notes!.next();
    if (next.done) more = false;
    else check.checkpoint(next.value, 'witness');
  };
  while (more && check.isUpToDate) await witness();
  for await (const line of log.lines) {
    lines.take(line);
    while (more && check.isUpToDate) await witness();
  }
  while (more) await witness();
  lines.finish();
  check.finish();
  const isProven = check.checkpointCount > 0 && check.provenSize === check.size;
  return {
    integrity: faults.has('integrity') ? 'broken' : isProven ? 'ok' : 'unproven',
    completeness: faults.has('completeness') ? 'broken' : 'ok',
    entryCount: check.size,
    root: check.root(),
    rootAt: lines.rootAt,
    provenSize: check.provenSize,
    changedBetween: check.changedBetween,
    signedSize: check.signedSize,
    witnessedSize: check.witnessedSize,
    checkpointCount: check.checkpointCount,
    faultCount: faults.count,
    faults: faults.kept,
  };
};

/** Reads lines of an export and tells the tree of them. */
class ExportLines {
  rootAt: Buffer | null = null;
  private count = 0;
  private nextIndex = 0;
  private readonly entryIds = new RecentIds();
  private readonly eventIds = new RecentIds();
  private readonly origins: ReadonlySet<string>;

  constructor(
    private readonly log: LogToVerify,
    private readonly check: CheckpointCheck,
    private readonly faults: FaultList,
  ) {
    this.origins = new Set(log.keys.map(({ name }) => name));
  }

  take(bytes: Uint8Array): void {
    this.count += 1;
    const line = parseExportLine(bytes);
    if (this.count === 1) {
      if (line?.kind === 'header' && this.origins.has(line.origin)) return;
      this.faults.add(
        'header',
        `The first line does not say that this is a ${EXPORT_FORMAT} of the key's log.`,
      );
    }
    if (line?.kind === 'entry') this.entry(line.entry, line.leaf);
    else if (line?.kind === 'checkpoint') this.check.checkpoint(line.note, 'log');
    else if (line === null || this.count > 1) {
      this.faults.add('line', `Line ${this.count} is neither entry nor checkpoint in canonical form.`);
    }
  }

  finish(): void {
    if (this.count === 0) this.faults.add('header', 'There is nothing in the export.');
  }

  private entry(entry: Readonly<Record<string, unknown>>, bytes: Buffer): void {
    const position = this.check.size;
    const found: Fault[] = [];
    const hash = leafHash(bytes);
    const { index, leafHash: claimed, at, entryId, eventId } = entry;
    if (claimed !== hash.toString('base64')) {
      found.push(this.faults.add('leaf-hash', 'The leaf hash is not that of the entry.', position));
    }
    if (bytes.length > LEAF_BYTES_MAX) {
      found.push(this.faults.add('line', `The entry has more than ${LEAF_BYTES_MAX} bytes.`, position));
    }
    if (index !== this.nextIndex) {
      const detail = `Index ${this.nextIndex} was to come, not ${typeof index === 'number' ? index : 'this'}.`;
      found.push(this.faults.add('index', detail, position));
    }
    // One gap is one fault, not one for every entry behind it.
    this.nextIndex = (typeof index === 'number' ? index : this.nextIndex) + 1;
    if (this.entryIds.seen(entryId)) {
      found.push(this.faults.add('repeated', 'An entry of this entryId was there before.', position));
    }
    if (eventId !== undefined && this.eventIds.seen(eventId)) {
      found.push(this.faults.add('repeated', 'An entry of this eventId was there before.', position));
    }
    this.log.onEntry?.(position, hash, found);
    this.check.append(hash, typeof at === 'string' ? at : '');
    if (this.check.size === this.log.rootAt) this.rootAt = this.check.root();
  }
}

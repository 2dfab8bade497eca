import { openCheckpoint, type Checkpoint } from './checkpoint';
import { append, emptyFrontier, rootOf, type Frontier } from './frontier';
import { LogFormatError } from './log-format.error';
import type { VerifierKey } from './note-key';
import { NoteError } from './signed-note';
import type { FaultList } from './verdict';

/** Checkpoints that are kept until their entries come, and roots that are kept for checkpoints that come again. */
const KEPT_MAX = 1_024;

type Opened = Checkpoint & Readonly<{ key: VerifierKey }>;

/** Grows a tree entry by entry and holds it against signed checkpoints. Its memory does not grow with the log. */
export class CheckpointCheck {
  size = 0;
  provenSize = 0;
  signedSize = 0;
  witnessedSize: number | null = null;
  checkpointCount = 0;
  changedBetween: { from: number; to: number } | null = null;

  private frontier: Frontier = emptyFrontier;
  private lastAt: string | null = null;
  private waiting: Opened[] = [];
  private isAstray = false;
  private readonly recentRoots = new Map<number, Buffer>();

  constructor(
    private readonly keys: readonly VerifierKey[],
    private readonly faults: FaultList,
  ) {}

  /** Whether every checkpoint so far has been held against the tree. */
  get isUpToDate(): boolean {
    return this.waiting.length === 0;
  }

  root(): Buffer {
    return rootOf(this.frontier, this.size);
  }

  /** The next entry. `at` is when it was made: no earlier can a checkpoint that covers it have been signed. */
  append(leafHash: Buffer, at: string): void {
    this.frontier = append(this.frontier, leafHash);
    this.size += 1;
    this.lastAt = at;
    if (this.waiting.length === 0) return;
    const due = this.waiting.filter(({ size }) => size === this.size);
    if (due.length === 0) return;
    this.waiting = this.waiting.filter(({ size }) => size > this.size);
    for (const checkpoint of due) this.compare(checkpoint, this.root());
  }

  /** A checkpoint, as early as one likes but not behind entries that it does not cover. */
  checkpoint(note: string, source: 'log' | 'witness'): void {
    const opened = this.open(note, source);
    if (opened === null) return;
    this.checkpointCount += 1;
    this.signedSize = Math.max(this.signedSize, opened.size);
    if (source === 'witness') this.witnessedSize = Math.max(this.witnessedSize ?? 0, opened.size);
    if (opened.size === this.size) return this.compare(opened, this.root());
    if (opened.size > this.size) return this.keep(opened);
    // A witness may be handed a checkpoint again, behind newer ones.
    const root = this.recentRoots.get(opened.size);
    if (root) return this.compare(opened, root);
    this.faults.add(
      'checkpoint-order',
      `A checkpoint of ${opened.size} entries comes behind ${this.size} entries.`,
    );
  }

  /** Nothing more comes. */
  finish(): void {
    if (this.checkpointCount === 0) {
      this.faults.add('no-checkpoint', 'There is no checkpoint signed by a key given, so nothing is proven.');
    } else if (this.signedSize > this.size) {
      this.faults.add('missing', `A checkpoint covers ${this.signedSize} entries; there are ${this.size}.`);
    } else if (this.signedSize < this.size) {
      this.faults.add(
        'not-covered',
        `The last checkpoint covers ${this.signedSize} entries; there are ${this.size}.`,
        this.signedSize,
      );
    }
  }

  private open(note: string, source: 'log' | 'witness'): Opened | null {
    try {
      return openCheckpoint(note, this.keys);
    } catch (error) {
      if (!(error instanceof NoteError || error instanceof LogFormatError)) throw error;
      const whose = source === 'witness' ? "A checkpoint of the witness's" : 'A checkpoint of the log';
      this.faults.add('checkpoint', `${whose}, near entry ${this.size}: ${error.message}`);
      return null;
    }
  }

  private keep(checkpoint: Opened): void {
    if (this.waiting.length < KEPT_MAX) return void this.waiting.push(checkpoint);
    this.faults.add('checkpoint-order', `More than ${KEPT_MAX} checkpoints stand before their entries.`);
  }

  private compare({ size, root: signedRoot, key }: Opened, root: Buffer): void {
    this.recentRoots.set(size, root);
    if (this.recentRoots.size > KEPT_MAX) {
      this.recentRoots.delete(this.recentRoots.keys().next().value!);
    }
    if (!root.equals(signedRoot)) {
      this.changedBetween ??= { from: this.provenSize, to: size };
      // No checkpoint behind it will fit, which needs no saying again.
      if (!this.isAstray)
        this.faults.add('root', `The first ${size} entries are not those that were signed.`);
      this.isAstray = true;
      return;
    }
    this.isAstray = false;
    this.provenSize = Math.max(this.provenSize, size);
    const { validUntil } = key;
    // Not `>`: an instant that cannot be read must not pass.
    if (
      validUntil !== undefined &&
      this.lastAt !== null &&
      !(Date.parse(this.lastAt) <= Date.parse(validUntil))
    ) {
      this.faults.add(
        'key-validity',
        `The checkpoint of ${size} entries was signed after its key's end, ${validUntil}.`,
      );
    }
  }
}

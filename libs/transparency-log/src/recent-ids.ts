/** Repetitions are seen within this many entries: an exact answer would need memory for the whole log. */
export const REPETITION_WINDOW = 65_536;

/** Remembers the last ids, at least `window` and at most twice as many. */
export class RecentIds {
  private newer = new Set<unknown>();
  private older: ReadonlySet<unknown> = new Set();

  constructor(private readonly window = REPETITION_WINDOW) {}

  /** Whether the id was given before; remembers it. */
  seen(id: unknown): boolean {
    if (this.newer.has(id) || this.older.has(id)) return true;
    if (this.newer.size === this.window) [this.older, this.newer] = [this.newer, new Set()];
    this.newer.add(id);
    return false;
  }
}

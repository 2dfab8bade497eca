/** How long a command may hold the thread before others get a turn. */
const SLICE_MS = 4;

export const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Keeps a long command from holding up the short ones. */
export class Pace {
  private since = performance.now();

  get isDue(): boolean {
    return performance.now() - this.since > SLICE_MS;
  }

  async pause(): Promise<void> {
    await breathe();
    this.since = performance.now();
  }
}

import type { Readable } from 'node:stream';

/**
 * Takes objects from a stream in paused mode: the stream fills its own buffer (its high-water mark) and no further, and
 * what has arrived is taken at once, without a promise an object.
 */
export class ObjectReader<T> {
  private ended = false;
  private failure: { error: unknown } | undefined;
  private wake: (() => void) | undefined;

  constructor(private readonly source: Readable) {
    source.on('readable', () => this.wake?.());
    source.on('error', (error) => {
      this.failure ??= { error };
      this.wake?.();
    });
    for (const event of ['end', 'close']) {
      source.on(event, () => {
        this.ended = true;
        this.wake?.();
      });
    }
  }

  /**
   * Moves what has arrived through `map` into `target`, up to `max` objects there; what maps to undefined is dropped.
   * True where something was moved.
   */
  take<U>(target: U[], max: number, map: (object: T) => U | undefined): boolean {
    const before = target.length;
    while (target.length < max) {
      const object = this.source.read() as T | null;
      if (object === null) break;
      const mapped = map(object);
      if (mapped !== undefined) target.push(mapped);
    }
    return target.length > before;
  }

  /**
   * Resolves when something may have arrived, or after `timeoutMs`, or when the signal aborts. False: the source has
   * ended. Throws what the source failed with.
   */
  async wait(timeoutMs?: number, signal?: AbortSignal): Promise<boolean> {
    // Without it a source that ended with the last object taken would not say so.
    if (this.source.readableLength === 0) this.source.read(0);
    if (this.source.readableLength === 0 && this.isOpen() && !signal?.aborted) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        signal?.addEventListener('abort', this.wake, { once: true });
        if (timeoutMs !== undefined) timer = setTimeout(resolve, timeoutMs);
      });
      clearTimeout(timer);
      if (this.wake !== undefined) signal?.removeEventListener('abort', this.wake);
      this.wake = undefined;
    }
    if (this.source.readableLength > 0) return true;
    if (this.failure !== undefined) throw this.failure.error;
    return !this.ended;
  }

  /** More may come. */
  isOpen(): boolean {
    return !this.ended && this.failure === undefined;
  }
}

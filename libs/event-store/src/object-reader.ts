import type { Readable } from 'node:stream';

/**
 * Takes objects from a stream: what has arrived is taken at once, without a promise an object. The stream is paused while
 * `bufferMax` objects wait, so that about as many are held (a stream may have some more of them in its own buffer).
 */
export class ObjectReader<T> {
  private arrived: T[] = [];
  private taken = 0;
  private ended = false;
  private failure: { error: unknown } | undefined;
  private wake: (() => void) | undefined;

  constructor(
    private readonly source: Readable,
    private readonly bufferMax: number,
  ) {
    source.on('data', (object: T) => {
      this.arrived.push(object);
      if (this.waiting >= this.bufferMax) source.pause();
      this.wake?.();
    });
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
    while (target.length < max && this.waiting > 0) {
      const mapped = map(this.arrived[this.taken] as T);
      this.taken += 1;
      if (mapped !== undefined) target.push(mapped);
    }
    if (this.waiting === 0) {
      this.arrived = [];
      this.taken = 0;
    }
    if (this.source.isPaused() && this.waiting < this.bufferMax) this.source.resume();
    return target.length > before;
  }

  /**
   * Resolves when something may have arrived, or after `timeoutMs`, or when the signal aborts. False: the source has
   * ended. Throws what the source failed with.
   */
  async wait(timeoutMs?: number, signal?: AbortSignal): Promise<boolean> {
    if (this.waiting === 0 && this.isOpen() && !signal?.aborted) {
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
    if (this.waiting > 0) return true;
    if (this.failure !== undefined) throw this.failure.error;
    return !this.ended;
  }

  /** More may come. */
  isOpen(): boolean {
    return !this.ended && this.failure === undefined;
  }

  private get waiting(): number {
    return this.arrived.length - this.taken;
  }
}

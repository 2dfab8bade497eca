import type { ServerWritableStream } from '@grpc/grpc-js';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FrameBatch } from './frame-batch';
import type { RpcError } from './rpc-errors';

/** Batches that may be on their way to a client that does not take them. */
const UNSENT_BATCHES_MAX = 4;

/** The answering side of a Read: batches frames, waits for a slow client, and knows when nobody listens any more. */
export class ReadCall {
  private readonly batch = new FrameBatch();
  private unsent = 0;
  private open = true;
  private signalled = false;
  private wakeSleeper: (() => void) | null = null;

  constructor(private readonly call: ServerWritableStream<Buffer, Buffer>) {
    call.on('cancelled', () => this.stop());
    call.on('close', () => this.stop());
  }

  get isOpen(): boolean {
    return this.open;
  }

  /** Copies a frame; true when the batch is full and should be flushed. */
  add(frame: Buffer): boolean {
    this.batch.add(frame);
    return this.batch.isFull;
  }

  /** Hands the batch over and waits while the client lags behind; returns at once when it is gone. */
  async flush(): Promise<void> {
    if (!this.batch.isEmpty && this.open) {
      this.unsent += 1;
      this.call.write(this.batch.take(), () => {
        this.unsent -= 1;
        this.wake();
      });
    }
    while (this.unsent >= UNSENT_BATCHES_MAX && this.open) await this.sleep();
  }

  /** Lets other work of the process go on. */
  async yield(): Promise<void> {
    await nextTurn();
  }

  /** Ends the current `sleep`, or the next one before it begins. */
  wake(): void {
    this.signalled = true;
    this.wakeSleeper?.();
  }

  /** Resolves at a `wake` since the last sleep, and when the call ends. */
  async sleep(): Promise<void> {
    if (!this.signalled && this.open) await new Promise<void>((resolve) => (this.wakeSleeper = resolve));
    this.wakeSleeper = null;
    this.signalled = false;
  }

  async end(): Promise<void> {
    await this.flush();
    if (this.open) this.call.end();
  }

  /** Ends the call with a status, behind everything that was added before. */
  async fail(error: RpcError): Promise<void> {
    await this.flush();
    while (this.unsent > 0 && this.open) await this.sleep();
    if (this.open) this.call.emit('error', error);
    this.stop();
  }

  private stop(): void {
    this.open = false;
    this.wake();
  }
}

/** Messages are handed to the transport in batches of about this size. */
const BATCH_BYTES = 64 * 1024;
const FIRST_BYTES = 4 * 1024;
const NONE = Buffer.alloc(0);

/** Collects gRPC frames for one write. */
export class FrameBatch {
  /** Made with the first frame: after its last batch a call needs none. */
  private buffer = NONE;
  private length = 0;

  get isEmpty(): boolean {
    return this.length === 0;
  }

  get isFull(): boolean {
    return this.length >= BATCH_BYTES;
  }

  /** Copies a frame in. */
  add(frame: Buffer): void {
    if (this.length + frame.length > this.buffer.length) {
      const grown = Buffer.allocUnsafe(
        Math.max(this.length + frame.length, Math.min(4 * this.buffer.length, 2 * BATCH_BYTES), FIRST_BYTES),
      );
      this.buffer.copy(grown, 0, 0, this.length);
      this.buffer = grown;
    }
    frame.copy(this.buffer, this.length);
    this.length += frame.length;
  }

  /** Gives the collected bytes away and starts anew. */
  take(): Buffer {
    const taken = this.buffer.subarray(0, this.length);
    this.buffer = NONE;
    this.length = 0;
    return taken;
  }
}

/**
 * Lets grpc-js send several messages with one write. It frames what a serialiser returns by asking it for its length
 * and letting it copy itself behind a header of five bytes; this one brings all frames, headers included.
 */
export const framesAsOneMessage = (frames: Buffer): Buffer =>
  ({
    byteLength: frames.length - 5,
    copy: (target: Buffer) => frames.copy(target, 0),
  }) as unknown as Buffer;

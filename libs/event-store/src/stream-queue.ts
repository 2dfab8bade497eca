import { StreamBusyError } from './decision.errors';

/** Runs what concerns one stream one after the other, in the order it came; streams do not wait for each other. */
export class StreamQueue {
  private readonly lanes = new Map<string, { tail: Promise<unknown>; length: number }>();

  /** At most `lengthMax` tasks a stream, the running one included. */
  constructor(private readonly lengthMax: number) {}

  /** Throws StreamBusyError where the queue is full, or where the task's turn has not come by `deadlineMs`. */
  async run<T>(stream: string, deadlineMs: number, task: () => Promise<T>): Promise<T> {
    let lane = this.lanes.get(stream);
    if (lane === undefined) {
      lane = { tail: Promise.resolve(), length: 0 };
      this.lanes.set(stream, lane);
    }
    if (lane.length >= this.lengthMax) throw new StreamBusyError();
    lane.length += 1;
    const turn = lane.tail.then(async () => {
      if (Date.now() >= deadlineMs) throw new StreamBusyError();
      return task();
    });
    lane.tail = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      lane.length -= 1;
      if (lane.length === 0) this.lanes.delete(stream);
    }
  }
}

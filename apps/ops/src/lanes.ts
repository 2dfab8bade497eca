type Task = () => Promise<void>;

/**
 * Runs tasks of different keys at once and those of one key one after another, in the order they came. At most
 * `inFlightMax` run and `waitingMax` wait; whoever brings more is held back, so memory does not grow with the input.
 */
export class Lanes {
  private readonly lanes = new Map<string, Task[]>();
  private readonly ready: string[] = [];
  private readonly wakeups: (() => void)[] = [];
  private inFlight = 0;
  private waiting = 0;
  private failure: Error | undefined;

  constructor(
    private readonly inFlightMax: number,
    private readonly waitingMax: number,
  ) {}

  /** Resolves once the task is taken in, not once it has run. Throws the first failure of any task before it. */
  async add(key: string, task: Task): Promise<void> {
    while (this.waiting >= this.waitingMax && !this.failure) await this.change();
    this.throwFailure();
    const lane = this.lanes.get(key);
    if (lane) lane.push(task);
    else {
      this.lanes.set(key, [task]);
      this.ready.push(key);
    }
    this.waiting += 1;
    this.start();
  }

  /** Resolves when nothing runs any more and nothing that could run is left; throws the first failure of any task. */
  async drain(): Promise<void> {
    while (this.inFlight > 0 || (this.waiting > 0 && !this.failure)) await this.change();
    this.throwFailure();
  }

  private start(): void {
    while (this.inFlight < this.inFlightMax && !this.failure) {
      const key = this.ready.shift();
      if (key === undefined) return;
      const lane = this.lanes.get(key) ?? [];
      const task = lane.shift();
      if (!task) continue;
      this.inFlight += 1;
      this.waiting -= 1;
      void task()
        .catch((error: unknown) => {
          this.failure ??= error instanceof Error ? error : new Error(String(error));
        })
        .finally(() => {
          this.inFlight -= 1;
          if (lane.length > 0) this.ready.push(key);
          else this.lanes.delete(key);
          this.start();
          for (const wake of this.wakeups.splice(0)) wake();
        });
    }
  }

  private change(): Promise<void> {
    return new Promise((resolve) => this.wakeups.push(resolve));
  }

  private throwFailure(): void {
    if (this.failure) throw this.failure;
  }
}

import { KeyRingUnavailableError } from './key-ring.errors';

/** How long a caller waits for a replay under way; an ordinary one takes a moment. */
const PATIENCE_MS = 5_000;

/** Shut until the key ring has heard what the log tells of destroyed keys. */
export class ReplayGate {
  private reason: Error | undefined;
  private waiting: (() => void)[] = [];

  constructor(awaitsReplay: boolean) {
    if (awaitsReplay) this.reason = new Error('What the log tells of destroyed keys was not replayed yet.');
  }

  get isOpen(): boolean {
    return this.reason === undefined;
  }

  open(): void {
    this.reason = undefined;
    for (const go of this.waiting.splice(0)) go();
  }

  shut(reason: Error): void {
    this.reason = reason;
  }

  /** Resolves when the gate is open; throws KeyRingUnavailableError where that takes more than a few seconds. */
  async passed(): Promise<void> {
    if (this.reason === undefined) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, PATIENCE_MS);
      this.waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    if (this.reason !== undefined) throw new KeyRingUnavailableError(this.reason);
  }
}

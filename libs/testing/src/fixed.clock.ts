import { Clock } from '@app/kernel';

/** Stands still until it is moved. */
export class FixedClock extends Clock {
  private instantMs: number;

  constructor(instant = '2026-01-01T00:00:00.000Z') {
    super();
    this.instantMs = Date.parse(instant);
  }

  now(): Date {
    return new Date(this.instantMs);
  }

  advance(ms: number): void {
    this.instantMs += ms;
  }
}

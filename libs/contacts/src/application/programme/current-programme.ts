import { Injectable } from '@nestjs/common';
import { DecisionRunner } from '@app/event-store';
import { programmeDecider, type Programme } from '../../domain/programme.decider';
import { PROGRAMME_STREAM } from '../../domain/programme.events';

const AGE_MAX_MS = 1_000;

/** The programme that purchases and check-ins earn by. */
@Injectable()
export class CurrentProgramme {
  private known: Readonly<{ programme: Promise<Programme>; readAtMs: number }> | undefined;

  constructor(private readonly decisions: DecisionRunner) {}

  /** As of at most a second ago; what this process changed, at once. */
  get(): Promise<Programme> {
    const { known } = this;
    if (known && performance.now() - known.readAtMs < AGE_MAX_MS) return known.programme;
    const reading = { programme: this.latest(), readAtMs: performance.now() };
    this.known = reading;
    reading.programme.catch(() => {
      if (this.known === reading) this.known = undefined;
    });
    return reading.programme;
  }

  async latest(): Promise<Programme> {
    const { state } = await this.decisions.read(programmeDecider, PROGRAMME_STREAM);
    return state;
  }

  /** To be called when it has changed. */
  forget(): void {
    this.known = undefined;
  }
}

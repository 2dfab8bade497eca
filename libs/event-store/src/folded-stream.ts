import type { Decider, DomainEvent, RecordedEvent } from '@app/kernel';
import { CommandRecords } from './command-records';
import { estimateBytes } from './estimate-bytes';

/** Guessed for each event until the next weighing. */
const EVENT_BYTES = 256;
const WEIGHED_AT_LEAST_EVERY = 16;

/** What of a decider makes a state. */
export type Fold<State, Event extends DomainEvent> = Pick<
  Decider<State, never, Event, never>,
  'name' | 'initialState' | 'evolve' | 'naturalKey'
>;

/** A stream folded up to a revision: a decider's state, and the commands that may come again. */
export class FoldedStream<State, Event extends DomainEvent> {
  readonly commands = new CommandRecords();
  state: State;
  /** Of the last event folded; -1: none. */
  revision = -1;
  /** Of the last event folded; 0: none. */
  position = 0n;
  private weight = 0;
  private weighedAt = -Infinity;

  constructor(private readonly decider: Fold<State, Event>) {
    this.state = decider.initialState();
  }

  fold(event: RecordedEvent<Event>): void {
    this.commands.fold(event, this.decider.naturalKey?.ofEvent(event));
    this.state = this.decider.evolve(this.state, event);
    this.revision = event.meta.revision;
    this.position = event.meta.position;
  }

  /** Estimated; weighed anew when the stream has grown by an eighth, so that the cost of weighing stays in proportion. */
  get bytes(): number {
    const grown = this.revision - this.weighedAt;
    if (grown < Math.max(WEIGHED_AT_LEAST_EVERY, this.weighedAt / 8))
      return this.weight + grown * EVENT_BYTES;
    this.weight = estimateBytes([this.state, ...this.commands.parts]);
    this.weighedAt = this.revision;
    return this.weight;
  }
}

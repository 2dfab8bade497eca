import type { DomainEvent, RecordedEvent } from './domain-event';

/** What a command makes true, and what its caller is told. No events: nothing had to be recorded. */
export type Decision<Event extends DomainEvent, Answer extends object> = Readonly<{
  events: readonly Event[];
  /** Part of the HTTP answer; kept in the event's metadata for retries, so no personal value in it. */
  answer: Answer;
}>;

/** The pure middle of the write side: a fold of a stream, and a decision on it. */
export type Decider<State, Command, Event extends DomainEvent, Answer extends object = object> = Readonly<{
  /** Names the fold: states of different names are cached apart. */
  name: string;
  /** A fresh state each time, since `evolve` may write into it. */
  initialState: () => State;
  /** Throws a DomainError where a rule says no. Never changes the state. */
  decide: (command: Command, state: State) => Decision<Event, Answer>;
  /**
   * Total: never throws, whatever the history. It may update the state it is given in place and return it:
   * whoever passes a state gives it up (a copy of every map for every event would cost the square of the history).
   */
  evolve: (state: State, event: RecordedEvent<Event>) => State;
  /** A key of another system (an invoice number) that makes a command the same as an earlier one, whenever that was. */
  naturalKey?: Readonly<{
    ofCommand: (command: Command) => string | undefined;
    ofEvent: (event: RecordedEvent<Event>) => string | undefined;
  }>;
  /**
   * The stream answers nothing any more as it did before: a command that comes again, and one that has seen another revision,
   * is left to `decide` like every other. Default: never.
   */
  isClosed?: (state: State) => boolean;
  /** Such a command gets its first answer by its Idempotency-Key where the stream is closed, too. Default: none does. */
  outlivesClosing?: (command: Command) => boolean;
}>;

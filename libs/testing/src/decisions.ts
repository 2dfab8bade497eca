import { DomainError, type Decider, type Decision, type DomainEvent, type RecordedEvent } from '@app/kernel';
import { recordedHistory } from './recorded';

/** Folds a history, given as recorded events or as plain ones. */
export const folded = <S, C, E extends DomainEvent, A extends object>(
  decider: Decider<S, C, E, A>,
  history: readonly (E | RecordedEvent<E>)[],
): S =>
  recordedHistory<E>(history).reduce((state, event) => decider.evolve(state, event), decider.initialState());

/** Given a history, when a command comes, then these events and this answer, or this refusal. */
export const decisionsOf = <S, C, E extends DomainEvent, A extends object>(decider: Decider<S, C, E, A>) => ({
  given: (...history: readonly (E | RecordedEvent<E>)[]) => ({
    when: (command: C) => {
      const decide = (): Decision<E, A> => {
        const state = folded(decider, history);
        try {
          return decider.decide(command, state);
        } finally {
          // States are cached between commands: a decision that writes into one would spoil the next.
          expect(state).toEqual(folded(decider, history));
        }
      };
      return {
        then: (...expected: readonly E[]) => expect(decide().events).toEqual(expected),
        thenNothing: () => expect(decide().events).toEqual([]),
        thenAnswer: (expected: object) => expect(decide().answer).toMatchObject(expected),
        /** By the error's class or code, and by the figures it names. */
        thenRefused: (refusal: string | (abstract new (...args: never[]) => Error), details?: object) => {
          let thrown: unknown;
          try {
            decide();
          } catch (error) {
            thrown = error;
          }
          expect(thrown).toBeInstanceOf(typeof refusal === 'string' ? DomainError : refusal);
          if (typeof refusal === 'string') expect((thrown as DomainError).code).toBe(refusal);
          if (details) expect((thrown as DomainError).details).toMatchObject(details);
        },
      };
    },
  }),
});

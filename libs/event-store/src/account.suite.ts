import { DomainError, type Decider, type DomainErrorKind } from '@app/kernel';
import { noted, type Noted } from './event-store.suite';

export class OverdraftError extends DomainError {
  readonly code = 'test.overdraft';
  readonly kind: DomainErrorKind = 'conflict';
}

export class ClosedError extends DomainError {
  readonly code = 'test.closed';
  readonly kind: DomainErrorKind = 'gone';
}

export type Account = { balance: number; tags: Set<string> };
/** The tag that closes an account for good. */
export const CLOSED = 'closed';
export type Command =
  | Readonly<{ type: 'Move'; n: number; key?: string; now?: string; events?: number }>
  | Readonly<{ type: 'Tag'; tag: string }>;
export type Answer = { balance: number };

/** An account that must not be overdrawn; `Tag` has nothing to record the second time, and `closed` ends it. */
export const account: Decider<Account, Command, Noted, Answer> = {
  name: 'account',
  initialState: () => ({ balance: 0, tags: new Set() }),
  decide: (command, { balance, tags }) => {
    if (tags.has(CLOSED)) throw new ClosedError('It is closed.');
    if (command.type === 'Tag') {
      const known = tags.has(command.tag);
      return { events: known ? [] : [noted(0, { key: `tag:${command.tag}` })], answer: { balance } };
    }
    if (balance + command.n < 0) throw new OverdraftError('Not that much is there.');
    const key = command.key === undefined ? {} : { key: command.key };
    const steps = Array.from({ length: (command.events ?? 1) - 1 }, () => noted(0));
    return { events: [noted(command.n, key), ...steps], answer: { balance: balance + command.n } };
  },
  evolve: (state, { data }) => {
    state.balance += data.n;
    if (data.key?.startsWith('tag:') === true) state.tags.add(data.key.slice(4));
    return state;
  },
  isClosed: ({ tags }) => tags.has(CLOSED),
  naturalKey: {
    ofCommand: (command) => (command.type === 'Move' ? command.key : undefined),
    ofEvent: ({ data }) => (data.key?.startsWith('tag:') === true ? undefined : data.key),
  },
};

import { DomainError, type Decider, type DomainErrorKind } from '@app/kernel';
import { noted, type Noted } from './event-store.suite';

export class OverdraftError extends DomainError {
  readonly code = 'test.overdraft';
  readonly kind: DomainErrorKind = 'conflict';
}

export type Account = { balance: number; tags: Set<string> };
export type Command =
  | Readonly<{ type: 'Move'; n: number; key?: string; now?: string; events?: number }>
  | Readonly<{ type: 'Tag'; tag: string }>;
export type Answer = { balance: number };

/** An account that must not be overdrawn; `Tag` has nothing to record the second time. */
export const account: Decider<Account, Command, Noted, Answer> = {
  name: 'account',
  initialState: () => ({ balance: 0, tags: new Set() }),
  decide: (command, { balance, tags }) => {
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
  naturalKey: {
    ofCommand: (command) => (command.type === 'Move' ? command.key : undefined),
    ofEvent: ({ data }) => (data.key?.startsWith('tag:') === true ? undefined : data.key),
  },
};

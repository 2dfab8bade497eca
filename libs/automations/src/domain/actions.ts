import type { Action, CreditPointsAction, SendMessageAction } from './automation.events';
import { InvalidActionError, UnsupportedActionError } from './automation.errors';

export const ACTION_TYPES = ['sendMessage', 'creditPoints', 'callWebhook'] as const;

/** An action as a client names it, its fields checked one by one and not against its type. */
export type GivenAction = Readonly<{
  type: (typeof ACTION_TYPES)[number];
  channel?: string | undefined;
  purpose?: string | undefined;
  subject?: string | undefined;
  body?: string | undefined;
  points?: number | undefined;
  reason?: string | undefined;
  pool?: string | undefined;
}>;

const FIELDS = {
  sendMessage: { needed: ['channel', 'purpose', 'body'], optional: ['subject'] },
  creditPoints: { needed: ['points', 'reason'], optional: ['pool'] },
} as const;

/** Throws InvalidActionError and UnsupportedActionError, each with the pointer to what is wrong. */
export const actionOf = (given: GivenAction, index: number): Action => {
  const at = `/then/${index}`;
  if (given.type === 'callWebhook') {
    throw new UnsupportedActionError(`${at}/type`, 'Webhooks cannot be called yet.');
  }
  const { needed, optional } = FIELDS[given.type];
  for (const field of needed) {
    if (given[field as keyof GivenAction] === undefined) {
      throw new InvalidActionError(`${at}/${field}`, `An action of type ${given.type} needs it.`);
    }
  }
  const known: readonly string[] = ['type', ...needed, ...optional];
  const present = Object.entries(given).filter(([, value]) => value !== undefined);
  for (const [field] of present) {
    if (!known.includes(field)) {
      throw new InvalidActionError(`${at}/${field}`, `An action of type ${given.type} has no such field.`);
    }
  }
  if (given.type === 'sendMessage' && given.channel !== 'inbox') {
    throw new UnsupportedActionError(
      `${at}/channel`,
      'Nothing is set up to deliver messages on this channel. Messages to the inbox are delivered.',
    );
  }
  return Object.fromEntries(present) as unknown as SendMessageAction | CreditPointsAction;
};

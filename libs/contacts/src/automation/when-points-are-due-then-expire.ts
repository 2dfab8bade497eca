import { randomUUID } from 'node:crypto';
import type { CommandContext } from '@app/kernel';
import type { ContactDecisions } from '../application/contact-decisions';
import type { DuePoints } from './mongo.due-points';

const CONTACTS_A_ROUND_MAX = 5_000;
const COMMAND_TIME_MS = 10_000;

/**
 * Expires points that are due. Run it from time to time; rounds that overlap, in one process or in several, do no harm, since
 * what has expired is due no more. Answers how many points expired.
 */
export const expireDuePoints = async (
  due: DuePoints,
  decisions: ContactDecisions,
  context: CommandContext,
): Promise<number> => {
  let points = 0;
  for (const contactId of await due.contactIds(context.now, CONTACTS_A_ROUND_MAX)) {
    const { answer } = await decisions.run<{ expired: number }>(
      { type: 'ExpirePoints', contactId, now: context.now },
      // A command of its own for each contact, with its own time.
      { ...context, commandId: randomUUID(), deadlineMs: Date.now() + COMMAND_TIME_MS },
      {},
    );
    points += answer.expired;
  }
  return points;
};

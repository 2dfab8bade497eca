import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { INestApplicationContext } from '@nestjs/common';
import type { Logger } from '@app/config';
import {
  ContactDecisions,
  DueErasures,
  DuePoints,
  EmailClaimer,
  ErasureProcess,
  expireDuePoints,
  proceedWithDueErasures,
  settleOverdueClaims,
} from '@app/contacts';
import { Clock, type CommandContext } from '@app/kernel';
import { RewardReads, RewardStock, settleOpenStock } from '@app/rewards';

const INTERVAL_MS = 10_000;
const COMMAND_TIME_MS = 10_000;

/** Does a bounded round of work that has become due; answers how much it was. */
export type Automation = Readonly<{ name: string; round: (context: CommandContext) => Promise<number> }>;

export const automationsOf = (app: INestApplicationContext): readonly Automation[] => [
  {
    name: 'when-points-are-due-then-expire',
    round: (context) => expireDuePoints(app.get(DuePoints), app.get(ContactDecisions), context),
  },
  {
    name: 'when-claim-is-overdue-then-settle',
    round: (context) => settleOverdueClaims(app.get(EmailClaimer), context),
  },
  {
    name: 'when-erasure-is-due-then-proceed',
    round: (context) => proceedWithDueErasures(app.get(DueErasures), app.get(ErasureProcess), context),
  },
  {
    name: 'when-stock-is-open-then-settle',
    round: (context) => settleOpenStock(app.get(RewardReads), app.get(RewardStock), context),
  },
];

/**
 * Runs rounds of all automations until the signal aborts; the round at hand is finished first. What one of them cannot do
 * now is logged and left to its next round: none of them stands in the way of the others or of the read models.
 */
export const runAutomations = async (
  automations: readonly Automation[],
  clock: Clock,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> => {
  while (!signal.aborted) {
    for (const { name, round } of automations) {
      if (signal.aborted) return;
      try {
        const count = await round(contextOf(name, clock.now()));
        if (count > 0) logger.info({ automation: name, count }, 'Done what was due.');
      } catch (err) {
        logger.warn({ automation: name, err }, 'Not done; it will be tried again.');
      }
    }
    await sleep(INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  }
};

const contextOf = (name: string, now: Date): CommandContext => ({
  commandId: randomUUID(),
  repeatable: false,
  actor: { id: name, role: 'system', method: 'internal' },
  command: { name, action: 'contact.command' },
  correlationId: randomUUID(),
  now: now.toISOString(),
  deadlineMs: now.getTime() + COMMAND_TIME_MS,
});

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { INestApplicationContext } from '@nestjs/common';
import { AutomationReads, MembershipAutomations } from '@app/automations';
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
import { DecisionRunner, EventStore } from '@app/event-store';
import { Clock, type CommandContext } from '@app/kernel';
import { Lease, READ_DB, ReadGate } from '@app/read-store';
import { RewardReads, RewardStock, settleOpenStock } from '@app/rewards';
import { Announcer, refreshDueRankings, SegmentRankings, SegmentReads } from '@app/segments';

const COMMAND_TIME_MS = 10_000;
/** For what is due by the clock, or left open by a crash. */
const INTERVAL_MS = 10_000;
/** For what somebody waits for. */
const SHORT_INTERVAL_MS = 200;

const LEASE = 'automations';
/** Another process takes over so long after this one was last heard of. */
const LEASE_TIME_MS = 3_000;
const LEASE_KEPT_EVERY_MS = 1_000;

/** After a round that failed. */
const FAILURE_PAUSE_MS = 1_000;

/** Does a bounded round of work that has become due; answers how much it was. */
export type Automation = Readonly<{
  name: string;
  /** From the end of a round to the next. */
  intervalMs: number;
  round: (context: CommandContext) => Promise<number>;
}>;

export const automationsOf = (app: INestApplicationContext, logger: Logger): readonly Automation[] => [
  {
    name: 'when-points-are-due-then-expire',
    intervalMs: INTERVAL_MS,
    round: (context) => expireDuePoints(app.get(DuePoints), app.get(ContactDecisions), context),
  },
  {
    name: 'when-claim-is-overdue-then-settle',
    intervalMs: INTERVAL_MS,
    round: (context) => settleOverdueClaims(app.get(EmailClaimer), context),
  },
  {
    name: 'when-erasure-is-due-then-proceed',
    intervalMs: INTERVAL_MS,
    round: (context) => proceedWithDueErasures(app.get(DueErasures), app.get(ErasureProcess), context),
  },
  {
    name: 'when-stock-is-open-then-settle',
    intervalMs: INTERVAL_MS,
    round: (context) => settleOpenStock(app.get(RewardReads), app.get(RewardStock), context),
  },
  {
    name: 'when-ranking-is-due-then-refresh',
    intervalMs: SHORT_INTERVAL_MS,
    round: (context) => refreshDueRankings(app.get(SegmentReads), app.get(SegmentRankings), context),
  },
  {
    name: 'when-somebody-enters-or-leaves-then-announce',
    intervalMs: SHORT_INTERVAL_MS,
    round: () => app.get(Announcer).round(),
  },
  membershipAutomationsOf(app, logger),
];

const membershipAutomationsOf = (app: INestApplicationContext, logger: Logger): Automation => {
  const automations = new MembershipAutomations({
    events: app.get(EventStore),
    decisions: app.get(DecisionRunner),
    contacts: app.get(ContactDecisions),
    automations: app.get(AutomationReads),
    gate: app.get(ReadGate),
    clock: app.get(Clock),
    onRefusal: (refusal) => logger.info(refusal, 'An automation was refused.'),
  });
  return {
    name: 'when-membership-changes-then-act',
    intervalMs: SHORT_INTERVAL_MS,
    round: () => automations.round(),
  };
};

/** Of several projectors one runs the automations; they do no harm where two do so for a moment. */
export const automationsLease = (app: INestApplicationContext): Lease =>
  new Lease(app.get(READ_DB), LEASE, LEASE_TIME_MS);

/** Runs all automations whenever this process holds the lease, until the signal aborts; the rounds at hand are finished first. */
export const runAutomations = async (
  automations: readonly Automation[],
  lease: Pick<Lease, 'take' | 'release'>,
  clock: Clock,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> => {
  const isHeld = (): Promise<boolean> =>
    lease.take(clock.now().getTime()).then(
      (token) => token !== null,
      (err: unknown) => {
        logger.warn({ err }, 'Nobody can say who runs the automations.');
        return false;
      },
    );
  while (!signal.aborted) {
    if (await isHeld()) {
      const lost = new AbortController();
      const ends = AbortSignal.any([signal, lost.signal]);
      const running = automations.map((automation) => runRounds(automation, clock, logger, ends));
      do await pause(LEASE_KEPT_EVERY_MS, signal);
      while (!signal.aborted && (await isHeld()));
      lost.abort();
      await Promise.all(running);
    }
    await pause(LEASE_KEPT_EVERY_MS, signal);
  }
  await lease.release().catch((err: unknown) => logger.warn({ err }, 'The lease runs out by itself.'));
};

/** What cannot be done now is logged and left to the next round: no automation stands in the way of others or of the read models. */
const runRounds = async (
  { name, intervalMs, round }: Automation,
  clock: Clock,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> => {
  while (!signal.aborted) {
    let pauseMs = intervalMs;
    try {
      const count = await round(contextOf(name, clock.now()));
      if (count > 0) logger.debug({ automation: name, count }, 'Done what was due.');
    } catch (err) {
      logger.warn({ automation: name, err }, 'Not done; it will be tried again.');
      pauseMs = Math.max(intervalMs, FAILURE_PAUSE_MS);
    }
    await pause(pauseMs, signal);
  }
};

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined);

const contextOf = (name: string, now: Date): CommandContext => ({
  commandId: randomUUID(),
  repeatable: false,
  actor: { id: name, role: 'system', method: 'internal' },
  command: { name, action: 'contact.command' },
  correlationId: randomUUID(),
  now: now.toISOString(),
  deadlineMs: now.getTime() + COMMAND_TIME_MS,
});

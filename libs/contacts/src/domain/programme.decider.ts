import { DomainError, isDuration, type Decider, type Decision } from '@app/kernel';
import type { CheckInEarning, ProgrammeChanged, PurchaseEarning } from './programme.events';

export type Programme = Readonly<{ purchases: readonly PurchaseEarning[]; checkIn: CheckInEarning | null }>;
export type ChangeProgramme = Readonly<{ type: 'ChangeProgramme'; programme: Programme; now: string }>;

export const EARNING_POINTS_MAX = 1_000_000;
export const PURCHASE_RULES_MAX = 50;

export class InvalidProgrammeError extends DomainError {
  readonly code = 'contacts.invalid-programme';
  readonly kind = 'invalid';
  constructor(
    message: string,
    override readonly pointer: string,
  ) {
    super(message);
  }
}

const checkPoints = (points: number, pointer: string): void => {
  if (!Number.isInteger(points) || points < 1 || points > EARNING_POINTS_MAX) {
    throw new InvalidProgrammeError(`Points are a whole number from 1 to ${EARNING_POINTS_MAX}.`, pointer);
  }
};

const checkDuration = (duration: string | undefined, pointer: string): void => {
  if (duration !== undefined && !isDuration(duration)) {
    throw new InvalidProgrammeError(
      'Write a duration as ISO 8601 does, in whole numbers: P1Y, P30D, PT12H.',
      pointer,
    );
  }
};

const check = ({ purchases, checkIn }: Programme): void => {
  if (purchases.length > PURCHASE_RULES_MAX) {
    throw new InvalidProgrammeError(`At most ${PURCHASE_RULES_MAX} rules.`, '/purchases');
  }
  purchases.forEach(({ currency, points, perMinor, expiresAfter }, index) => {
    const at = `/purchases/${index}`;
    if (purchases.findIndex((other) => other.currency === currency) !== index) {
      throw new InvalidProgrammeError('There is one rule a currency.', `${at}/currency`);
    }
    checkPoints(points, `${at}/points`);
    if (!Number.isSafeInteger(perMinor) || perMinor < 1) {
      throw new InvalidProgrammeError('A whole number of minor units, at least 1.', `${at}/perMinor`);
    }
    checkDuration(expiresAfter, `${at}/expiresAfter`);
  });
  if (!checkIn) return;
  checkPoints(checkIn.points, '/checkIn/points');
  checkDuration(checkIn.cooldown, '/checkIn/cooldown');
  checkDuration(checkIn.expiresAfter, '/checkIn/expiresAfter');
};

/** How purchases and check-ins earn points. What one earned is in its own event, so a change acts on what comes after it. */
export const programmeDecider: Decider<Programme, ChangeProgramme, ProgrammeChanged> = {
  name: 'programme',
  initialState: () => ({ purchases: [], checkIn: null }),
  decide: ({ programme, now }, before): Decision<ProgrammeChanged, Programme> => {
    check(programme);
    const { purchases, checkIn } = programme;
    const same = JSON.stringify([purchases, checkIn]) === JSON.stringify([before.purchases, before.checkIn]);
    return {
      events: same
        ? []
        : [{ type: 'contacts.ProgrammeChanged.v1', data: { purchases, checkIn, occurredAt: now } }],
      answer: { purchases, checkIn },
    };
  },
  evolve: (_before, { data: { purchases, checkIn } }) => ({ purchases, checkIn }),
};

import { addDuration, type Decision } from '@app/kernel';
import { CheckInIdTakenError } from './contact.errors';
import type { ContactEvent } from './contact.events';
import type { ActiveContact, Contact } from './contact.state';
import { momentOf, registered, type Dated } from './decision-basics';
import { optionalFields } from './optional-fields';
import { MAIN_POOL } from './points';
import { add, expireOnArrival, standingPool } from './points-movement';
import type { CheckInEarning } from './programme.events';

export type CheckIn = Dated &
  Readonly<{
    type: 'CheckIn';
    /** The client's, or issued. */
    checkInId: string;
    locationId?: string | undefined;
    /** The programme as it stands; null: check-ins earn nothing. */
    earning: CheckInEarning | null;
  }>;

/** Every check-in counts; it earns points unless another one at the same location earned some within the cool-down. */
export const decideCheckIn = (
  command: CheckIn,
  contact: Contact,
): Decision<ContactEvent, { checkInId: string; pointsEarned: number; pool: string; balance: number }> => {
  const active = registered(contact);
  const { contactId, checkInId, locationId, earning } = command;
  const occurredAt = momentOf(command);
  const points =
    earning && !isCoolingDown(active, locationId, occurredAt, earning.cooldown) ? earning.points : 0;
  // Points are kept by entry: a client's id must not fall together with that of a credit.
  if (points > 0 && active.ledger.lots.has(checkInId)) throw new CheckInIdTakenError();
  const pool = standingPool(command, active.ledger, earning?.pool ?? MAIN_POOL);
  const balance = add(pool, points);
  const expiresAt =
    points > 0 && earning?.expiresAfter ? addDuration(occurredAt, earning.expiresAfter) : undefined;
  const movement = { pool: pool.name, points, balance, ...optionalFields({ expiresAt }) };
  const gone = expireOnArrival(command, { entryId: checkInId, ...movement });
  return {
    events: [
      ...pool.expiries,
      {
        type: 'contacts.CheckedIn.v1',
        data: { contactId, occurredAt, checkInId, ...movement, ...optionalFields({ locationId }) },
      },
      ...gone,
    ],
    answer: {
      checkInId,
      pointsEarned: points,
      pool: pool.name,
      balance: gone.length > 0 ? pool.balance : balance,
    },
  };
};

/** Either way in time, so that history loaded out of order earns what it would have earned in order, at most. */
const isCoolingDown = (
  { earningCheckIns }: ActiveContact,
  locationId: string | undefined,
  occurredAt: string,
  cooldown: string,
): boolean => {
  const after = addDuration(occurredAt, cooldown, -1);
  const before = addDuration(occurredAt, cooldown);
  const near = earningCheckIns.get(locationId ?? '')?.findLast((time) => time < before);
  return near !== undefined && near > after;
};

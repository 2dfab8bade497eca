import { defineEvent, open, type DomainEvent, type EventDefinition } from '@app/kernel';

/** Points for money spent: `points` for every full `perMinor` of `currency`. */
export type PurchaseEarning = Readonly<{
  currency: string;
  points: number;
  perMinor: number;
  pool?: string;
  /** ISO 8601 duration from the purchase to the expiry of what it earned. */
  expiresAfter?: string;
}>;
/** Points for a check-in, once a location within `cooldown` (ISO 8601 duration). */
export type CheckInEarning = Readonly<{
  points: number;
  cooldown: string;
  pool?: string;
  expiresAfter?: string;
}>;

export type ProgrammeChanged = DomainEvent<
  'contacts.ProgrammeChanged.v1',
  { purchases: readonly PurchaseEarning[]; checkIn: CheckInEarning | null; occurredAt: string }
>;

export const programmeEventDefinitions: readonly EventDefinition[] = [
  defineEvent<ProgrammeChanged>({
    type: 'contacts.ProgrammeChanged.v1',
    fields: { purchases: open, checkIn: open, occurredAt: open },
  }),
];

export const PROGRAMME_STREAM = 'programme-main';

import type { RecordedEvent } from '@app/kernel';
import type { AttributeValue, FactFields, Known } from './facts';
import { EVENTS, type EventName, type RuleChannel } from './rule';

/**
 * All facts of one contact in full, JSON-safe: the plain way to keep what rules need, which every other way is held against.
 * It grows with the contact's history.
 */
export type ContactHistory = Readonly<{
  contactId: string;
  /** ISO 8601 UTC, as all times here. */
  registeredAt: string;
  /** By the names that rules use; what is not given is not there. */
  attributes: Readonly<Record<string, Known<AttributeValue>>>;
  consents: readonly SaidConsent[];
  devices: readonly Readonly<{ deviceId: string; pushable: boolean }>[];
  lots: readonly Readonly<{ entryId: string; pool: string; points: number; expiresAt: string }>[];
  /** In the order of the log. */
  facts: readonly HistoryFact[];
}>;

/** The latest word on a purpose, for one channel or (null) for all. */
export type SaidConsent = Readonly<{
  purpose: string;
  channel: RuleChannel | null;
  granted: boolean;
  eventId: string;
}>;

export type HistoryFact = Readonly<{
  /** The event's name without context and version. */
  name: string;
  eventId: string;
  /** 64 bits, so a text. */
  position: string;
  occurredAt: string;
  recordedAt: string;
  fields: FactFields;
}>;

type Data = Readonly<Record<string, unknown>>;
type FactEvent = RecordedEvent<Readonly<{ type: string; data: object }>>;

/** Names of a contact's events without context and version; of others undefined. */
export const factName = (type: string): string | undefined => /^contacts\.(\w+)\.v\d+$/.exec(type)?.[1];

/** What was done by or for the contact; expiries, messages and what the system does by itself are not. */
export const ACTIVITIES: ReadonlySet<string> = new Set([
  'ContactRegistered',
  'ContactDetailsChanged',
  'ConsentGranted',
  'ConsentWithdrawn',
  'DeviceRegistered',
  'DeviceRemoved',
  'PointsCredited',
  'PointsDebited',
  'PointsReversed',
  'CheckedIn',
  'PurchaseRecorded',
  'PurchaseReturned',
  'RewardRedeemed',
  'RedemptionCancelled',
]);

/** How an event moves a balance: `signed` says so itself. */
export const POINT_MOVES: Readonly<Record<string, 1 | -1 | 'signed'>> = {
  PointsCredited: 1,
  PointsDebited: -1,
  PointsExpired: -1,
  PointsForfeited: -1,
  PointsReversed: 'signed',
  CheckedIn: 1,
  PurchaseRecorded: 1,
  PurchaseReturned: -1,
  RewardRedeemed: -1,
  RedemptionCancelled: 1,
};
export const EARNINGS: ReadonlySet<string> = new Set(['PointsCredited', 'CheckedIn', 'PurchaseRecorded']);
export const SPENDINGS: ReadonlySet<string> = new Set(['PointsDebited', 'RewardRedeemed']);

/**
 * Folds one event of a contact's stream, in the order of the log; total, and pure. For an instant in the past, on the axis of
 * what happened, fold the events that happened until then.
 */
export const foldHistory = (history: ContactHistory | null, event: FactEvent): ContactHistory | null => {
  const name = factName(event.type);
  if (name === undefined) return history;
  const data = event.data as Data;
  if (name === 'ContactRegistered') return registered(data, event);
  if (history === null) return null;
  const next = { ...history, facts: [...history.facts, factOf(name, event)] };
  switch (name) {
    case 'ContactDetailsChanged':
      return { ...next, attributes: patched(history.attributes, data['profile'], event.meta.eventId) };
    case 'ConsentGranted':
    case 'ConsentWithdrawn':
      return { ...next, consents: withConsent(history.consents, name === 'ConsentGranted', event) };
    case 'DeviceRegistered':
    case 'DeviceRemoved':
      return { ...next, devices: withDevice(history.devices, name === 'DeviceRegistered', data) };
    case 'PointsForfeited':
      return { ...next, lots: history.lots.filter(({ pool }) => pool !== data['pool']) };
    default:
      return name in POINT_MOVES ? { ...next, lots: withLots(history.lots, name, data) } : next;
  }
};

const registered = (data: Data, event: FactEvent): ContactHistory => {
  const { eventId } = event.meta;
  const registeredAt = String(data['occurredAt']);
  const open = ['source', 'invitedBy'].flatMap((name) =>
    typeof data[name] === 'string' ? [[name, { value: data[name], eventId }] as const] : [],
  );
  return {
    contactId: String(data['contactId']),
    registeredAt,
    attributes: patched(
      { ...Object.fromEntries(open), registeredAt: { value: registeredAt, eventId } },
      data['profile'],
      eventId,
    ),
    consents: [],
    devices: [],
    lots: [],
    facts: [factOf('ContactRegistered', event)],
  };
};

type Attributes = ContactHistory['attributes'];

/** A profile, or an RFC 7396 patch of one: null removes, objects merge, all else replaces. */
const patched = (attributes: Attributes, profile: unknown, eventId: string): Attributes => {
  const next = new Map(Object.entries(attributes));
  const set = (name: string, value: unknown): void => {
    if (value === null) next.delete(name);
    else next.set(name, { value: value as AttributeValue, eventId });
  };
  for (const [field, value] of Object.entries(isObject(profile) ? profile : {})) {
    if (field === 'tags') set('tags', value);
    else if (field !== 'address' && field !== 'customFields') set(`profile.${field}`, value);
    else if (isObject(value)) {
      for (const [inner, part] of Object.entries(value)) set(`profile.${field}.${inner}`, part);
    } else {
      for (const name of [...next.keys()]) if (name.startsWith(`profile.${field}.`)) next.delete(name);
    }
  }
  return Object.fromEntries(next);
};

const isObject = (value: unknown): value is Data =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const withConsent = (
  consents: ContactHistory['consents'],
  granted: boolean,
  { data, meta }: FactEvent,
): ContactHistory['consents'] => {
  const { purpose, channel = null } = data as { purpose: string; channel?: RuleChannel };
  // A word on all channels replaces what was said of single ones before.
  const others = consents.filter(
    (known) => known.purpose !== purpose || (channel !== null && known.channel !== channel),
  );
  return [...others, { purpose, channel, granted, eventId: meta.eventId }];
};

const withDevice = (
  devices: ContactHistory['devices'],
  there: boolean,
  data: Data,
): ContactHistory['devices'] => {
  const { deviceId, pushable } = data as { deviceId: string; pushable?: boolean };
  const others = devices.filter((device) => device.deviceId !== deviceId);
  return there ? [...others, { deviceId, pushable: pushable === true }] : others;
};

type Share = Readonly<{ entryId: string; points: number }>;

const withLots = (lots: ContactHistory['lots'], name: string, data: Data): ContactHistory['lots'] => {
  const { pool, points, expiresAt } = data as { pool: string; points: number; expiresAt?: string };
  if (EARNINGS.has(name)) {
    const entryId = data['entryId'] ?? data['checkInId'] ?? data['purchaseId'];
    return points > 0 && expiresAt !== undefined
      ? [...lots, { entryId: String(entryId), pool, points, expiresAt }]
      : lots;
  }
  const gives = name === 'RedemptionCancelled' || (name === 'PointsReversed' && points > 0);
  const moved = new Map((data['lots'] as readonly Share[]).map((share) => [share.entryId, share.points]));
  return lots.map((lot) => ({
    ...lot,
    points: lot.points + (moved.get(lot.entryId) ?? 0) * (gives ? 1 : -1),
  }));
};

/** An event of a contact as a fact of this name. */
export const factOf = (name: string, { data, meta }: FactEvent): HistoryFact => ({
  name,
  eventId: meta.eventId,
  position: meta.position.toString(),
  occurredAt: String((data as Data)['occurredAt']),
  recordedAt: meta.recordedAt,
  fields: fieldsOf(name, data as Data),
});

/** Fields that figures are made of, for events that rules cannot name. */
const FIGURES = { pool: 'text', points: 'number', 'amount.minor': 'number', 'amount.currency': 'text' };

const fieldsOf = (name: string, data: Data): FactFields => {
  const paths = Object.keys(name in EVENTS ? EVENTS[name as EventName] : FIGURES);
  const fields = paths.flatMap((path) => {
    const value = valueAt(data, path.split('.'));
    return value === undefined || value === null ? [] : [[path, value] as const];
  });
  return Object.fromEntries(fields) as FactFields;
};

/** Of a list, the values of all its members. */
const valueAt = (value: unknown, path: readonly string[]): unknown => {
  const [field, ...rest] = path;
  if (field === undefined) return value;
  if (Array.isArray(value)) return value.map((member: unknown) => valueAt(member, path));
  return isObject(value) && Object.hasOwn(value, field) ? valueAt(value[field], rest) : undefined;
};

import { open, sealed, type Actor, type RecordedEvent } from '@app/kernel';
import { defineJournal } from '@app/read-store';
import { contactEventDefinitions, type ContactEvent } from '../../domain/contact.events';

/** The lists of one contact that an entry stands in. */
export const ACTIVITY_LISTS = [
  'activity',
  'points',
  'check-ins',
  'purchases',
  'redemptions',
  'messages',
] as const;
export type ActivityList = (typeof ACTIVITY_LISTS)[number];

/** One event of a contact, as feeds and lists show it. */
export type ActivityEntry = Readonly<{
  eventId: string;
  /** Without context and version: `PointsCredited`. */
  type: string;
  contactId: string;
  occurredAt: string;
  recordedAt: string;
  actor: Readonly<{ id: string; role: Actor['role'] }>;
  lists: readonly ActivityList[];
  /** The event's open fields, beside those above. */
  data: Readonly<Record<string, unknown>>;
  /** Personal fields, still sealed, by field name: opened only for whoever looks at the contact itself. */
  sealed?: Readonly<Record<string, string>>;
}>;

/** The personal fields that a contact's own lists show; the profile and the devices stand in the contact itself. */
const SEALED_FIELDS = ['note', 'invoiceNumber', 'content'] as const;

/** Fields that stand elsewhere in the entry, or that only the write side has a use for. */
const LEFT_OUT = new Set(['contactId', 'occurredAt', 'claimId', 'suppressionToken', 'held']);

/** What may be shown of an event is what its definition marks as open, so that a new field is never shown by accident. */
const OPEN_FIELDS: ReadonlyMap<string, readonly string[]> = new Map(
  contactEventDefinitions.map(({ type, fields }) => [
    type,
    Object.entries(fields).flatMap(([name, { kind }]) =>
      kind === 'open' && !LEFT_OUT.has(name) ? [name] : [],
    ),
  ]),
);

/**
 * What other contexts say of a contact, and which of their fields are shown. By name, since their libraries know this one; the
 * specs of the system hold them against the definitions.
 */
export const ACTIVITY_OF_OTHERS: Readonly<Record<string, readonly string[]>> = {
  'segments.SegmentEntered.v1': ['segmentId', 'version', 'cause'],
  'segments.SegmentLeft.v1': ['segmentId', 'version', 'cause'],
};

const SHOWN_FIELDS: ReadonlyMap<string, readonly string[]> = new Map([
  ...OPEN_FIELDS,
  ...Object.entries(ACTIVITY_OF_OTHERS),
]);

export const activityJournal = defineJournal<ActivityEntry>({
  name: 'activity',
  version: 1,
  entry: (event) => {
    const openFields = SHOWN_FIELDS.get(event.type);
    return openFields === undefined ? null : entryOf(event as RecordedEvent<ContactEvent>, openFields);
  },
  fields: {
    eventId: open,
    type: open,
    contactId: open,
    occurredAt: open,
    recordedAt: open,
    actor: open,
    lists: open,
    data: open,
    sealed: sealed('freetext', ['note', 'invoiceNumber', 'content.subject', 'content.body']),
  },
  indexes: [
    { key: { contactId: 1, lists: 1, _id: -1 } },
    { key: { type: 1, _id: -1 } },
    { key: { 'data.locationId': 1, _id: -1 } },
    { key: { 'data.segmentId': 1, _id: -1 } },
  ],
});

const entryOf = (event: RecordedEvent<ContactEvent>, openFields: readonly string[]): ActivityEntry => {
  const { meta, type } = event;
  const data = event.data as ContactEvent['data'] & Readonly<Record<string, unknown>>;
  return {
    eventId: meta.eventId,
    type: shortType(type),
    contactId: data.contactId,
    occurredAt: data.occurredAt,
    recordedAt: meta.recordedAt,
    actor: { id: meta.actor.id, role: meta.actor.role },
    lists: listsOf(event),
    data: Object.fromEntries(
      openFields.flatMap((name) => (data[name] === undefined ? [] : [[name, data[name]]])),
    ),
    ...sealedPart(meta.sealed),
  };
};

const sealedPart = (values: Readonly<Record<string, string>> = {}): Pick<ActivityEntry, 'sealed'> => {
  const kept = SEALED_FIELDS.flatMap((name) => {
    const value = values[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return kept.length === 0 ? {} : { sealed: Object.fromEntries(kept) };
};

/** `contacts.PointsCredited.v1` is `PointsCredited` to readers. */
const shortType = (type: string): string => type.split('.')[1] ?? type;

export const ACTIVITY_TYPES: readonly string[] = [...SHOWN_FIELDS.keys()].map(shortType);

const LIST_OF_TYPE: Readonly<Partial<Record<ContactEvent['type'], ActivityList>>> = {
  'contacts.CheckedIn.v1': 'check-ins',
  'contacts.PurchaseRecorded.v1': 'purchases',
  'contacts.PurchaseReturned.v1': 'purchases',
  'contacts.RewardRedeemed.v1': 'redemptions',
  'contacts.RedemptionCancelled.v1': 'redemptions',
  'contacts.MessageSent.v1': 'messages',
};

const listsOf = ({ type, data }: ContactEvent): readonly ActivityList[] => {
  const own = LIST_OF_TYPE[type];
  return [
    'activity',
    ...('points' in data && data.points !== 0 ? (['points'] as const) : []),
    ...(own === undefined ? [] : [own]),
  ];
};

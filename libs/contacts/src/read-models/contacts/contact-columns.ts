import type { IndexSpec } from '@app/read-store';
import {
  attributeType,
  type AttributeName,
  type ConsentLeaf,
  type EventName,
  type Leaf,
  type RecencyName,
  type RuleChannel,
  type RuleFields,
  type StoreFilter,
  type Verdicts,
} from '@app/rules';
import type { ContactDocument } from './contact.document';
import { customFieldVerdicts } from './custom-field-filter';

/** A column that lists can be sorted by. */
export type ContactColumn = Readonly<{
  path: string;
  kind: 'text' | 'number';
  /** Its index is made with the first document that has it: while there is no index, nobody has it. */
  dynamic: boolean;
}>;

const text = (path: string): ContactColumn => ({ path, kind: 'text', dynamic: false });
const number = (path: string): ContactColumn => ({ path, kind: 'number', dynamic: false });

const COLUMNS: ReadonlyMap<string, ContactColumn> = new Map([
  ['lastName', text('sort.lastName')],
  ['firstName', text('sort.firstName')],
  ['email', text('sort.email')],
  ['city', text('sort.city')],
  ['country', text('profile.address.country')],
  ['language', text('profile.language')],
  ['birthday', text('profile.birthday')],
  ['registeredAt', text('registeredAt')],
  ['lastActivityAt', text('lastActivityAt')],
  ['lastCheckInAt', text('lastCheckInAt')],
  ['counts.purchases', number('counts.purchases')],
  ['counts.checkIns', number('counts.checkIns')],
  ['counts.redemptions', number('counts.redemptions')],
  ['counts.messages', number('counts.messages')],
]);
const POOL_COLUMN = /^points\.[a-z0-9][a-z0-9_-]{0,63}$/;
const SPEND_COLUMN = /^spend\.[A-Z]{3}$/;

/** The names of the columns, those with a variable part as a pattern. */
export const CONTACT_COLUMN_NAMES: readonly string[] = [
  ...COLUMNS.keys(),
  'points.<pool>',
  'spend.<currency>',
];

/** Undefined where there is no such column. */
export const contactColumn = (name: string): ContactColumn | undefined => {
  const column = COLUMNS.get(name);
  if (column !== undefined) return column;
  return POOL_COLUMN.test(name) || SPEND_COLUMN.test(name)
    ? { path: name, kind: 'number', dynamic: true }
    : undefined;
};

/**
 * Each sort has its index, with the id behind it for ties, walked backwards for the other direction. Equality filters on
 * these columns use them, too; the rest are what other filters most often name, and the due times of expiries and of segments.
 */
export const CONTACT_INDEXES: readonly IndexSpec[] = [
  ...[...COLUMNS.values()].map(({ path }): IndexSpec => ({ key: { [path]: 1, _id: 1 } })),
  { key: { search: 1 } },
  { key: { 'profile.tags': 1 } },
  { key: { 'profile.gender': 1 } },
  { key: { nextExpiryAt: 1 } },
  { key: { segments: 1, _id: 1 } },
  { key: { segmentsDueAt: 1 } },
];

/** The columns a document has that not every document has. */
export const dynamicSortPathsOf = ({ points, spend }: ContactDocument): string[] => [
  ...Object.keys(points).map((pool) => `points.${pool}`),
  ...Object.keys(spend).map((currency) => `spend.${currency}`),
];

const FOLDED_PATHS: Readonly<Partial<Record<AttributeName, string>>> = {
  'profile.firstName': 'sort.firstName',
  'profile.lastName': 'sort.lastName',
  'profile.email': 'sort.email',
  'profile.address.city': 'sort.city',
};

const RECENCY_PATHS: Readonly<Partial<Record<RecencyName, string>>> = {
  lastActivity: 'lastActivityAt',
  lastCheckIn: 'lastCheckInAt',
  registration: 'registeredAt',
};

const COUNT_PATHS: Readonly<Partial<Record<EventName, string>>> = {
  PurchaseRecorded: 'counts.purchases',
  CheckedIn: 'counts.checkIns',
  RewardRedeemed: 'counts.redemptions',
  MessageSent: 'counts.messages',
};

/** What contact documents answer in a way of their own. */
const leafVerdicts = (leaf: Leaf): Verdicts | undefined => {
  if ('attr' in leaf) {
    return attributeType(leaf.attr) === 'custom' ? customFieldVerdicts(leaf, leaf.attr) : undefined;
  }
  if ('consent' in leaf) return consentVerdicts(leaf);
  if ('reachable' in leaf) return REACHABLE[leaf.reachable];
  if ('segment' in leaf)
    return inSegment(leaf, { segments: leaf.segment }, { segments: { $ne: leaf.segment } });
  return undefined;
};

/** Of a leaf on a segment, by filters for those who are in and those who are not. */
export const inSegment = (
  leaf: Leaf,
  inside: StoreFilter,
  outside: StoreFilter = { $nor: [inside] },
): Verdicts | undefined => {
  if (!('segment' in leaf) || (leaf.op !== 'in' && leaf.op !== 'notIn')) return undefined;
  return leaf.op === 'in' ? exactly(inside, outside) : exactly(outside, inside);
};

const exactly = (yes: StoreFilter, no: StoreFilter): Verdicts => ({ yes, no, exact: true });
const NOBODY: StoreFilter = { _id: { $in: [] } };

/** Apart from consent. */
const REACHABLE: Readonly<Record<RuleChannel, Verdicts>> = {
  email: exactly({ 'profile.email': { $ne: null } }, { 'profile.email': null }),
  sms: exactly({ 'profile.phone': { $ne: null } }, { 'profile.phone': null }),
  push: exactly({ 'devices.pushable': true }, { 'devices.pushable': { $ne: true } }),
  inbox: exactly({}, NOBODY),
};

/** What was said for the channel itself goes before what was said for all of them. */
const consentVerdicts = ({ consent, op }: ConsentLeaf): Verdicts => {
  const dot = consent.lastIndexOf('.');
  const [purpose, own] = [consent.slice(0, dot), consent.slice(dot + 1)];
  const said = (channel: string | null, granted?: boolean): StoreFilter => ({
    consents: { $elemMatch: { purpose, channel, ...(granted !== undefined && { granted }) } },
  });
  const unsaid = (...channels: (string | null)[]): StoreFilter => ({
    consents: { $not: { $elemMatch: { purpose, channel: { $in: channels } } } },
  });
  const word = (granted: boolean): StoreFilter => ({
    $or: [said(own, granted), { $and: [unsaid(own), said(null, granted)] }],
  });
  const isSet = exactly({ $or: [said(own), said(null)] }, unsaid(own, null));
  switch (op) {
    case 'granted':
      return exactly(word(true), word(false));
    case 'withdrawn':
      return exactly(word(false), word(true));
    case 'isSet':
      return isSet;
    case 'isUnset':
      return exactly(isSet.no, isSet.yes);
  }
};

/** Where contact documents keep what filters ask for. */
export const contactRuleFields: RuleFields = {
  attribute: (name) => {
    switch (name) {
      case 'tags':
        return 'profile.tags';
      case 'age':
        return 'profile.birthday';
      case 'tenure':
        return 'registeredAt';
      case 'invitedBy':
        return undefined;
      default:
        return FOLDED_PATHS[name] ?? name;
    }
  },
  metric: ({ metric, pool, currency }) => {
    switch (metric) {
      case 'points.balance':
        return `points.${pool}`;
      case 'purchases.spend':
        return `spend.${currency}`;
      case 'purchases.count':
        return 'counts.purchases';
      case 'checkIns.count':
        return 'counts.checkIns';
      case 'redemptions.count':
        return 'counts.redemptions';
      case 'messages.count':
        return 'counts.messages';
      default:
        return undefined;
    }
  },
  count: (event) => COUNT_PATHS[event],
  since: (name) => RECENCY_PATHS[name],
  leaf: leafVerdicts,
};

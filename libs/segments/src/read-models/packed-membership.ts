import type { Cause, Interval } from '../membership/membership';
import type { StoredMembership } from './segmented-contact';

/** Stays that began together, by one cause and under one version. */
type OpenStays = Readonly<{
  causeIn: Cause;
  version: number;
  /** In order, a space between them. */
  segmentIds: string;
}>;

/**
 * A membership as a contact's document holds it. Most stays of a contact begin together, at its registration for instance, and
 * every event rewrites the document: told apart by what brought them about they take an eighth of the room.
 */
export type PackedMembership = Omit<StoredMembership, 'open'> & Readonly<{ open: readonly OpenStays[] }>;

/** The same membership is always packed the same. */
export const packMembership = ({ open, ...membership }: StoredMembership): PackedMembership => {
  const groups = new Map<string, Interval[]>();
  for (const stay of Object.values(open)) {
    const { kind, eventId, at, position } = stay.causeIn;
    const key = [position, at, kind, eventId, stay.version].join(' ');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [stay]);
    else group.push(stay);
  }
  return { ...membership, open: [...groups].sort(byKey).map(([, group]) => together(group)) };
};

const byKey = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number =>
  one < other ? -1 : 1;

const together = (group: readonly Interval[]): OpenStays => {
  const { causeIn, version } = group[0] as Interval;
  const ids = group.map(({ segmentId }) => segmentId);
  return { causeIn, version, segmentIds: ids.sort().join(' ') };
};

export const unpackMembership = ({ open, ...membership }: PackedMembership): StoredMembership => {
  const stays: Record<string, Interval> = {};
  for (const { causeIn, version, segmentIds } of open) {
    for (const segmentId of segmentIds.split(' ')) {
      stays[segmentId] = { segmentId, version, from: causeIn.at, to: null, causeIn, causeOut: null };
    }
  }
  return { ...membership, open: stays };
};

/** When the stay in a segment that goes on began, ISO 8601 UTC; null: there is none. */
export const memberSince = ({ open }: Pick<PackedMembership, 'open'>, segmentId: string): string | null =>
  open.find(({ segmentIds }) => segmentIds.split(' ').includes(segmentId))?.causeIn.at ?? null;

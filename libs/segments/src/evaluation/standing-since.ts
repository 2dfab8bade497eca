import { dependenciesOf, isRanked, leavesOf, POINT_MOVES, type Rule } from '@app/rules';
import { monthOf, type FactsDocument } from '../facts/facts.document';
import type { PastInstant } from './instant';

/** Nothing that happens to a contact later changes these. */
const LASTING: ReadonlySet<string> = new Set(['attr:registeredAt', 'attr:source', 'attr:invitedBy']);

/**
 * Whether a contact's present document of facts answers for a past instant, too: what the rule asks of it that is not dated
 * (profile, consents, devices, open lots) has not been changed since the month of that instant began. Never true wrongly.
 */
export const answersFor = (
  { months, lateMonths }: Pick<FactsDocument, 'months' | 'lateMonths'>,
  rule: Rule,
  { at, axis }: PastInstant,
): boolean => {
  const month = monthOf(at.toISOString());
  const isLater = (one: string): boolean => one >= month;
  if (axis === 'recorded')
    return !Object.keys(months).some(isLater) && !Object.keys(lateMonths).some(isLater);
  // Recorded by then, and to happen later: only the log tells those apart.
  if (dependenciesOf(rule).series.some(({ window }) => window.axis === 'recorded')) return false;
  const changing = changingEvents(rule);
  return !Object.entries(months).some(
    ([one, names]) => isLater(one) && names.some((name) => changing.has(name)),
  );
};

/** Which events change what a rule asks that is not dated. */
const changingEvents = (rule: Rule): ReadonlySet<string> => {
  const names = new Set<string>();
  for (const key of dependenciesOf(rule).keys) {
    if (key.startsWith('attr:') && !LASTING.has(key)) names.add('ContactDetailsChanged');
    if (key.startsWith('consent:')) names.add('ConsentGranted').add('ConsentWithdrawn');
    if (key === 'devices') names.add('DeviceRegistered').add('DeviceRemoved');
  }
  const asksForLots =
    !isRanked(rule.root) &&
    leavesOf(rule.root).some((leaf) => 'metric' in leaf && leaf.metric === 'points.expiringWithin');
  const ranksByLots = isRanked(rule.root) && rule.root.ranked.by === 'points.expiringWithin';
  if (asksForLots || ranksByLots) for (const name of Object.keys(POINT_MOVES)) names.add(name);
  return names;
};

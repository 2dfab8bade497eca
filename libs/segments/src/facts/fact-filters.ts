import { contactRuleFields } from '@app/contacts';
import {
  canHoldOfNothing,
  dependsOnClock,
  OPEN,
  seriesOf,
  type Calendar,
  type Leaf,
  type RuleFields,
  type StoreFilter,
  type Verdicts,
} from '@app/rules';
import { monthsAsked, namesIn } from './buckets-needed';

/**
 * Where contact documents keep what rules ask for, their directory of facts included: who has nothing of what a window
 * counts in any of its months need not be looked at.
 */
export const factRuleFields: RuleFields = {
  ...contactRuleFields,
  leaf: (leaf, now, calendar) =>
    withinMonths(leaf, now, calendar) ?? contactRuleFields.leaf?.(leaf, now, calendar),
};

/** The same for any time from `now` on, as long as nothing happens. */
export const lastingRuleFields: RuleFields = {
  ...factRuleFields,
  leaf: (leaf, now, calendar) =>
    withinMonths(leaf, now, calendar) ??
    (dependsOnClock(leaf) ? OPEN : contactRuleFields.leaf?.(leaf, now, calendar)),
};

/** Undefined where it is no test of what is within a window, or says nothing of who has to be looked at. */
const withinMonths = (leaf: Leaf, now: Date, calendar: Calendar): Verdicts | undefined => {
  if (!('event' in leaf || 'metric' in leaf) || leaf.window === undefined || canHoldOfNothing(leaf))
    return undefined;
  const series = 'event' in leaf ? { event: leaf.event } : seriesOf(leaf);
  const months = monthsAsked(series, leaf.window, calendar, now.getTime());
  if (months === null) return undefined;
  const directories = leaf.window.axis === 'recorded' ? ['months', 'lateMonths'] : ['months'];
  const anyOf = { $in: namesIn(series) };
  const parts = directories.flatMap((directory) =>
    months.map((month): StoreFilter => ({ [`facts.${directory}.${month}`]: anyOf })),
  );
  const [only] = parts;
  if (only === undefined) return undefined;
  return { ...OPEN, yes: parts.length === 1 ? only : { $or: parts } };
};

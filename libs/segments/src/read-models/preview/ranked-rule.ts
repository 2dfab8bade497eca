import { isRanked, parseRule, QUOTIENTS, type Rule } from '@app/rules';

/** Nobody. */
const NOBODY = { not: { everyone: true } };

/**
 * A ranked rule with its cut-off as a rule on the figure alone, which a store can answer; null where that cannot be said: an
 * average or a share need not be a whole number.
 */
export const asRuleOnFigure = (rule: Rule, cutOff: number | null): Rule | null => {
  if (!isRanked(rule.root)) return null;
  const { tz, weekStart, root } = rule;
  const { by: metric, pool, currency, locationId, window } = root.ranked;
  if (QUOTIENTS.has(metric)) return null;
  const figure = {
    metric,
    ...(pool !== undefined && { pool }),
    ...(currency !== undefined && { currency }),
    ...(locationId !== undefined && { locationId }),
    ...(window !== undefined && { window }),
    op: 'gte',
    value: cutOff,
  };
  return parseRule({ dsl: 1, tz, weekStart, root: cutOff === null ? NOBODY : figure });
};

/** The figure of the last who is in, of all that there are; null: there is nobody to rank. */
export const cutOffOf = ({ root }: Rule, figures: number[], total: number): number | null => {
  if (!isRanked(root) || figures.length === 0) return null;
  const { ranked } = root;
  const rank = 'top' in ranked ? ranked.top : Math.ceil((total * ranked.topPercent) / 100);
  figures.sort((one, other) => other - one);
  return figures[Math.min(Math.max(rank, 1), figures.length) - 1] ?? null;
};

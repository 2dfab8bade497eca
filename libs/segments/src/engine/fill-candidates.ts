import { compileFilter, dependenciesOf, isRanked, type StoreFilter } from '@app/rules';
import { lastingRuleFields } from '../facts/fact-filters';
import type { DefinitionChange } from './definition-changes';

const EVERYBODY: StoreFilter = {};

/**
 * A filter on contacts that lets everybody through who may enter or leave by one of these changes, or of whom something has
 * to be kept for later. What the clock moves is left open, but for windows in which there is nothing; of rules on other
 * segments and of rankings all are looked at.
 */
export const fillCandidates = (changes: readonly DefinitionChange[]): StoreFilter => {
  const parts: StoreFilter[] = [];
  for (const change of changes) {
    const { segmentId, isActive, definition } = change;
    parts.push(
      { segments: segmentId },
      { [`membership.overlays.${segmentId}`]: { $exists: true } },
      { [`membership.due.${segmentId}`]: { $exists: true } },
    );
    if (!isActive || definition.rule === null) continue;
    const { segments } = dependenciesOf(definition.rule);
    if (segments.length > 0 || isRanked(definition.rule.root)) return EVERYBODY;
    const { filter } = compileFilter(definition.rule, lastingRuleFields, new Date(change.at));
    // Documents count what is dated ahead, which has not happened yet.
    parts.push(filter, { lastActivityAt: { $gt: change.at } });
  }
  return { $or: parts };
};

import { contactRuleFields } from '@app/contacts';
import { compileFilter, dependenciesOf, isRanked, type StoreFilter } from '@app/rules';
import type { DefinitionChange } from './definition-changes';

const EVERYBODY: StoreFilter = {};

/**
 * A filter on contacts that lets everybody through who may enter or leave by one of these changes, or of whom something has
 * to be kept for later. Where only what stands matters and not the time, the store finds them; else all are looked at.
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
    const { clock, segments } = dependenciesOf(definition.rule);
    if (clock || segments.length > 0 || isRanked(definition.rule.root)) return EVERYBODY;
    const { filter } = compileFilter(definition.rule, contactRuleFields, new Date(change.at));
    // Documents count what is dated ahead, which has not happened yet.
    parts.push(filter, { lastActivityAt: { $gt: change.at } });
  }
  return { $or: parts };
};

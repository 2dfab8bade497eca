import {
  compileFilter,
  isRanked,
  parseRule,
  prefixEnd,
  type CompiledRule,
  type Rule,
  type RuleFields,
  type StoreFilter,
} from '@app/rules';
import { contactRuleFields, inSegment } from '../contacts/contact-columns';
import type { Reader } from '../../visibility';
import { visibleTo } from '../contacts/contact-visibility';
import { searchPrefixesOf } from '../contacts/search-terms';
import { InvalidContactListError } from './list-contacts.errors';

const SEARCH_LENGTH_MAX = 200;
const SEARCH_WORDS_MAX = 8;

/** What a caller says of the contacts it wants; all of it has to hold. */
export type SelectionInput = Readonly<{
  /** A rule, as JSON values. */
  filter?: unknown;
  /** Beginnings of name words, e-mail or phone number. */
  q?: string | undefined;
  tag?: string | undefined;
  segment?: string | undefined;
}>;

/** The same, checked and in canonical form. */
export type ContactSelection = Readonly<{
  rule: Rule | null;
  prefixes: readonly string[];
  tag: string | null;
  segment: string | null;
}>;

/** Throws InvalidRuleError or InvalidContactListError. */
export const contactSelection = ({ filter, q, tag, segment }: SelectionInput): ContactSelection => ({
  rule: filter === undefined ? null : parseRule(filter, '/filter'),
  prefixes: q === undefined ? [] : prefixesOf(q),
  tag: tag ?? null,
  segment: segment ?? null,
});

const prefixesOf = (text: string): string[] => {
  const prefixes = text.length > SEARCH_LENGTH_MAX ? [] : searchPrefixesOf(text);
  if (prefixes.length === 0 || prefixes.length > SEARCH_WORDS_MAX) {
    throw new InvalidContactListError(
      'contacts.search-text',
      '/q',
      `A search has 1 to ${SEARCH_WORDS_MAX} words and at most ${SEARCH_LENGTH_MAX} characters.`,
    );
  }
  return prefixes;
};

/**
 * As a filter on the contact documents that somebody may see, at an instant (on which ages depend), and what is left to be
 * asked of each of them; null: nothing.
 */
export const selectionFilter = (
  { rule, prefixes, tag, segment }: ContactSelection,
  now: Date,
  reader: Reader,
  /** Members, by segment, of those of which the documents do not say it. */
  members: ReadonlyMap<string, StoreFilter>,
): Readonly<{ filter: StoreFilter; rest: Rule | null }> => {
  const parts: StoreFilter[] = prefixes.map((prefix) => ({ search: { $elemMatch: startingWith(prefix) } }));
  if (tag !== null) parts.push({ 'profile.tags': tag });
  if (segment !== null) parts.push(members.get(segment) ?? { segments: segment });
  const compiled = rule === null ? null : compiledRule(rule, now, members);
  if (compiled !== null) parts.push(compiled.filter);
  return {
    filter: parts.length === 0 ? visibleTo(reader) : { $and: [...parts, visibleTo(reader)] },
    rest: compiled?.rest ?? null,
  };
};

/** Throws InvalidContactListError for a ranking: it is no property of a contact. */
const compiledRule = (rule: Rule, now: Date, members: ReadonlyMap<string, StoreFilter>): CompiledRule => {
  if (isRanked(rule.root)) {
    throw new InvalidContactListError(
      'contacts.filter-ranked',
      '/filter',
      'A ranking depends on all contacts; define a segment by it and filter by that.',
    );
  }
  const leaf: NonNullable<RuleFields['leaf']> = (asked, at, calendar) => {
    const known = 'segment' in asked ? members.get(asked.segment) : undefined;
    return known === undefined ? contactRuleFields.leaf?.(asked, at, calendar) : inSegment(asked, known);
  };
  return compileFilter(rule, { ...contactRuleFields, leaf }, now);
};

/** Both bounds have to hold for one and the same term, hence the element match around them. */
const startingWith = (prefix: string): StoreFilter => {
  const end = prefixEnd(prefix);
  return end === null ? { $gte: prefix } : { $gte: prefix, $lt: end };
};

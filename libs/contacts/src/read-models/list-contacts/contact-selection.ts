import { compileFilter, parseRule, prefixEnd, type Rule, type StoreFilter } from '@app/rules';
import { contactRuleFields } from '../contacts/contact-columns';
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
}>;

/** Throws InvalidRuleError or InvalidContactListError. */
export const contactSelection = ({ filter, q, tag, segment }: SelectionInput): ContactSelection => {
  if (segment !== undefined) {
    throw new InvalidContactListError(
      'contacts.unknown-segment',
      '/segment',
      'There is no segment of this id.',
    );
  }
  return {
    rule: filter === undefined ? null : parseRule(filter, '/filter'),
    prefixes: q === undefined ? [] : prefixesOf(q),
    tag: tag ?? null,
  };
};

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

/** As a filter on the contact documents that somebody may see, at an instant (on which ages depend). */
export const selectionFilter = (
  { rule, prefixes, tag }: ContactSelection,
  now: Date,
  reader: Reader,
): StoreFilter => {
  const parts: StoreFilter[] = prefixes.map((prefix) => ({ search: { $elemMatch: startingWith(prefix) } }));
  if (tag !== null) parts.push({ 'profile.tags': tag });
  if (rule !== null) parts.push(ruleFilter(rule, now));
  return parts.length === 0 ? visibleTo(reader) : { $and: [...parts, visibleTo(reader)] };
};

/** What a contact's own document does not answer is asked for by a segment. */
const ruleFilter = (rule: Rule, now: Date): StoreFilter => {
  const { filter, rest } = compileFilter(rule, contactRuleFields, now);
  if (rest === null) return filter;
  throw new InvalidContactListError(
    'contacts.filter-needs-history',
    '/filter',
    'A list is filtered by what the contacts themselves show; define a segment for the rest.',
  );
};

/** Both bounds have to hold for one and the same term, hence the element match around them. */
const startingWith = (prefix: string): StoreFilter => {
  const end = prefixEnd(prefix);
  return end === null ? { $gte: prefix } : { $gte: prefix, $lt: end };
};

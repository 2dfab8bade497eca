import { createHash } from 'node:crypto';
import type { Rule, RuleNode } from './rule';

/** Fields whose lists are sets: the order and the number of times something is named mean nothing. */
const SETS: ReadonlySet<string> = new Set(['all', 'any', 'where', 'has']);
const SET_OPERATORS: ReadonlySet<string> = new Set(['in', 'notIn', 'hasAny', 'hasAll', 'hasNone']);

/**
 * One text for all rules that say the same in the same words, whatever their spaces, the order of their keys, of their
 * clauses and of the values in a set.
 */
export const canonicalText = (rule: Rule): string => textOf(rule);

/** SHA-256 of the canonical text, in hex: the same hash is the same version of a segment. */
export const ruleHash = (rule: Rule): string =>
  createHash('sha256').update(canonicalText(rule), 'utf8').digest('hex');

/** Of a part of a rule. */
export const canonicalNodeText = (node: RuleNode): string => textOf(node);

const textOf = (value: unknown): string => {
  if (Array.isArray(value)) return listText(value.map(textOf));
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = value as Readonly<Record<string, unknown>>;
  const parts = Object.keys(fields)
    .sort()
    .map(
      (name) =>
        `${JSON.stringify(name)}:${isSet(name, fields) ? setText(fields[name]) : textOf(fields[name])}`,
    );
  return `{${parts.join(',')}}`;
};

const isSet = (name: string, fields: Readonly<Record<string, unknown>>): boolean =>
  Array.isArray(fields[name]) &&
  (SETS.has(name) || (name === 'value' && SET_OPERATORS.has(fields['op'] as string)));

const setText = (list: unknown): string =>
  listText([...new Set((list as readonly unknown[]).map(textOf))].sort());
const listText = (texts: readonly string[]): string => `[${texts.join(',')}]`;

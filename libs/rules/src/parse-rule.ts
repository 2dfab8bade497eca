import { LEAF_KINDS, parseLeaf, parseRanked, type CustomFieldLookup } from './parse-leaf';
import { allow, fieldsOf, invalid, parseName, type Fields } from './parse-values';
import { WEEK_DAYS, type Rule, type RuleNode } from './rule';

export const RULE_DEPTH_MAX = 8;
export const RULE_LEAVES_MAX = 64;
export { RULE_TEXT_LENGTH_MAX, RULE_VALUES_MAX } from './parse-values';

export type ParseOptions = Readonly<{
  /** Types of the custom fields there are; without it any is taken, by the type of the value it is compared with. */
  customField?: CustomFieldLookup;
}>;

type Parsing = ParseOptions & { leaves: number };

/**
 * Reads a rule from JSON values: either a node, or the whole form `{ "dsl": 1, "tz": …, "weekStart": …, "root": … }`.
 * Throws InvalidRuleError, with a JSON Pointer that starts with `pointer`, for whatever is unknown, empty, of the wrong
 * type or too large. Values are only ever values: nothing in them is taken for an operator.
 */
export const parseRule = (input: unknown, pointer = '', options: ParseOptions = {}): Rule => {
  const parsing: Parsing = { ...options, leaves: 0 };
  const fields = fieldsOf(input, pointer);
  if (!Object.hasOwn(fields, 'dsl')) {
    return { dsl: 1, tz: 'UTC', weekStart: 'MO', root: parseRoot(fields, pointer, parsing) };
  }
  allow(fields, ['dsl', 'tz', 'weekStart', 'root', 'refresh'], pointer);
  if (fields['dsl'] !== 1)
    throw invalid('version', `${pointer}/dsl`, 'The version of the rule language is 1.');
  const tz = parseTimeZone(fields['tz'], `${pointer}/tz`);
  const weekStart = parseName(WEEK_DAYS, fields['weekStart'] ?? 'MO', 'week-start', `${pointer}/weekStart`);
  const root = parseRoot(
    fieldsOf(fields['root'], `${pointer}/root`),
    `${pointer}/root`,
    parsing,
    fields['refresh'],
  );
  if (fields['refresh'] !== undefined && !('ranked' in root)) {
    throw invalid('unknown-field', `${pointer}/refresh`, 'Only a ranked rule is refreshed at stated times.');
  }
  return { dsl: 1, tz, weekStart, root };
};

/** The canonical name of a time zone; links (`Asia/Calcutta`) and other cases lead to one. */
const parseTimeZone = (value: unknown, pointer: string): string => {
  if (value === undefined) return 'UTC';
  try {
    if (typeof value === 'string') {
      return new Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions().timeZone;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw invalid('time-zone', pointer, 'The name of a time zone of the IANA database is expected.');
};

const parseRoot = (fields: Fields, pointer: string, parsing: Parsing, refresh?: unknown): Rule['root'] =>
  Object.hasOwn(fields, 'ranked')
    ? parseRanked(fields, pointer, refresh)
    : parseNode(fields, pointer, 1, parsing);

const parseNode = (input: unknown, pointer: string, depth: number, parsing: Parsing): RuleNode => {
  if (depth > RULE_DEPTH_MAX) throw invalid('too-deep', pointer, `A rule is at most ${RULE_DEPTH_MAX} deep.`);
  const fields = fieldsOf(input, pointer);
  if (Object.hasOwn(fields, 'all')) {
    allow(fields, ['all'], pointer);
    return { all: parseNodes(fields['all'], `${pointer}/all`, depth, parsing) };
  }
  if (Object.hasOwn(fields, 'any')) {
    allow(fields, ['any'], pointer);
    return { any: parseNodes(fields['any'], `${pointer}/any`, depth, parsing) };
  }
  if (Object.hasOwn(fields, 'not')) {
    allow(fields, ['not'], pointer);
    return { not: parseNode(fields['not'], `${pointer}/not`, depth + 1, parsing) };
  }
  parsing.leaves += 1;
  if (parsing.leaves > RULE_LEAVES_MAX) {
    throw invalid('too-many-leaves', pointer, `A rule has at most ${RULE_LEAVES_MAX} leaves.`);
  }
  if (Object.hasOwn(fields, 'ranked')) {
    throw invalid('ranked-not-at-root', pointer, 'A ranking is a whole rule; refer to its segment instead.');
  }
  const leaf = parseLeaf(fields, pointer, parsing.customField);
  if (leaf !== undefined) return leaf;
  throw invalid('unknown-node', pointer, `A node is one of: all, any, not, ${LEAF_KINDS.join(', ')}.`);
};

const parseNodes = (input: unknown, pointer: string, depth: number, parsing: Parsing): RuleNode[] => {
  if (!Array.isArray(input)) throw invalid('list-expected', pointer, 'A list of nodes is expected.');
  if (input.length === 0) throw invalid('empty', pointer, 'At least one node is needed.');
  return input.map((node, index) => parseNode(node, `${pointer}/${index}`, depth + 1, parsing));
};

import { bornBy, dateIn } from './calendar';
import { foldText, prefixEnd } from './fold-text';
import {
  ATTRIBUTES,
  type AttributeLeaf,
  type AttributeName,
  type Leaf,
  type MetricLeaf,
  type NumberTest,
  type PresenceTest,
  type Rule,
  type RuleNode,
  type SetTest,
  type TextTest,
  type TimeTest,
} from './rule';

/** A filter in MongoDB's query language. */
export type StoreFilter = Readonly<Record<string, unknown>>;

/** Where a read model keeps what rules ask for. */
export type RuleFields = Readonly<{
  /**
   * Path of an attribute: of type `folded` the folded text, of type `age` the birthday. Missing or null where it is not
   * given; a set is never missing.
   */
  attribute: (name: AttributeName) => string;
  /** Path of a metric; missing or null counts as 0. */
  metric: (leaf: Pick<MetricLeaf, 'metric' | 'pool' | 'currency'>) => string;
}>;

/** The documents on which a node is true, and those on which it is false; on all others it is unknown. */
type Verdicts = Readonly<{ yes: StoreFilter; no: StoreFilter }>;

/**
 * The filter for the documents on which the rule is true at `now`. Truth has three values: a comparison with a value that
 * is not there is unknown, `not` leaves it unknown, and unknown is not a match; so `neq` needs a value, too.
 */
export const compileFilter = (rule: Rule, fields: RuleFields, now: Date): StoreFilter =>
  verdictsOf(rule.root, fields, dateIn(now, rule.tz)).yes;

const verdictsOf = (node: RuleNode, fields: RuleFields, today: string): Verdicts => {
  if ('all' in node) {
    const parts = node.all.map((part) => verdictsOf(part, fields, today));
    return { yes: every(parts.map(({ yes }) => yes)), no: some(parts.map(({ no }) => no)) };
  }
  if ('any' in node) {
    const parts = node.any.map((part) => verdictsOf(part, fields, today));
    return { yes: some(parts.map(({ yes }) => yes)), no: every(parts.map(({ no }) => no)) };
  }
  if ('not' in node) {
    return negate(verdictsOf(node.not, fields, today));
  }
  return leafVerdicts(node, fields, today);
};

const leafVerdicts = (leaf: Leaf, fields: RuleFields, today: string): Verdicts =>
  'metric' in leaf ? metricVerdicts(leaf, fields.metric(leaf)) : attributeVerdicts(leaf, fields, today);

const attributeVerdicts = (leaf: AttributeLeaf, fields: RuleFields, today: string): Verdicts => {
  const path = fields.attribute(leaf.attr);
  if (leaf.op === 'isSet' || leaf.op === 'isUnset') return presenceVerdicts(leaf, path);
  // The parser lets only tests of the attribute's own type through.
  switch (ATTRIBUTES[leaf.attr]) {
    case 'text':
      return textVerdicts(leaf as TextTest, path, (text) => text);
    case 'folded':
      return textVerdicts(leaf as TextTest, path, foldText);
    case 'date':
    case 'instant':
      return timeVerdicts(leaf as TimeTest, path);
    case 'age':
      return ageVerdicts(leaf as NumberTest, path, today);
    case 'set':
      return setVerdicts(leaf as SetTest, path);
  }
};

/** Every text is at or above the empty one, so this bound asks for a text to be there. */
const PRESENT = { $gte: '' };

const presenceVerdicts = ({ op }: PresenceTest, path: string): Verdicts => {
  const isSet: Verdicts = { yes: { [path]: PRESENT }, no: { [path]: null } };
  return op === 'isSet' ? isSet : negate(isSet);
};

const textVerdicts = (test: TextTest, path: string, form: (text: string) => string): Verdicts => {
  switch (test.op) {
    case 'eq':
    case 'neq': {
      const value = form(test.value);
      const equal: Verdicts = { yes: { [path]: value }, no: { [path]: { $ne: value, ...PRESENT } } };
      return test.op === 'eq' ? equal : negate(equal);
    }
    case 'in':
    case 'notIn': {
      const values = [...new Set(test.value.map(form))];
      const within: Verdicts = {
        yes: { [path]: { $in: values } },
        no: { [path]: { $nin: values, ...PRESENT } },
      };
      return test.op === 'in' ? within : negate(within);
    }
    case 'startsWith': {
      const from = form(test.value);
      const end = prefixEnd(from);
      if (end === null) return { yes: { [path]: { $gte: from } }, no: { [path]: { $lt: from } } };
      return {
        yes: { [path]: { $gte: from, $lt: end } },
        no: some([{ [path]: { $lt: from } }, { [path]: { $gte: end } }]),
      };
    }
  }
};

/** Dates and instants are texts that sort as they follow each other; a range of texts never holds a missing value. */
const timeVerdicts = (test: TimeTest, path: string): Verdicts => {
  switch (test.op) {
    case 'before':
      return { yes: { [path]: { $lt: test.value } }, no: { [path]: { $gte: test.value } } };
    case 'after':
      return { yes: { [path]: { $gt: test.value } }, no: { [path]: { $lte: test.value } } };
    case 'between': {
      const [from, to] = test.value;
      return {
        yes: { [path]: { $gte: from, $lte: to } },
        no: some([{ [path]: { $lt: from } }, { [path]: { $gt: to } }]),
      };
    }
  }
};

/** Asks for the birthday instead of the age, so that an index serves it. */
const ageVerdicts = (test: NumberTest, path: string, today: string): Verdicts => {
  const atLeast = (age: number): Verdicts => ({
    yes: { [path]: { $gte: '', $lte: bornBy(age, today) } },
    no: { [path]: { $gt: bornBy(age, today) } },
  });
  const between = (from: number, to: number): Verdicts => ({
    yes: { [path]: { $gt: bornBy(to + 1, today), $lte: bornBy(from, today) } },
    no: some([
      { [path]: { $gte: '', $lte: bornBy(to + 1, today) } },
      { [path]: { $gt: bornBy(from, today) } },
    ]),
  });
  switch (test.op) {
    case 'eq':
      return between(test.value, test.value);
    case 'neq':
      return negate(between(test.value, test.value));
    case 'gte':
      return atLeast(test.value);
    case 'gt':
      return atLeast(test.value + 1);
    case 'lt':
      return negate(atLeast(test.value));
    case 'lte':
      return negate(atLeast(test.value + 1));
    case 'between':
      return between(...test.value);
    case 'notBetween':
      return negate(between(...test.value));
  }
};

/** Never unknown: what is missing is 0. */
const metricVerdicts = (test: NumberTest, path: string): Verdicts => {
  const range = (bounds: object, holdsZero: boolean): StoreFilter =>
    holdsZero ? some([{ [path]: bounds }, { [path]: null }]) : { [path]: bounds };
  const below = (value: number): StoreFilter => range({ $lt: value }, 0 < value);
  const above = (value: number): StoreFilter => range({ $gt: value }, 0 > value);
  const atMost = (value: number): StoreFilter => range({ $lte: value }, 0 <= value);
  const atLeast = (value: number): StoreFilter => range({ $gte: value }, 0 >= value);
  switch (test.op) {
    case 'eq':
    case 'neq': {
      const values = test.value === 0 ? [0, null] : [test.value];
      const equal: Verdicts = { yes: { [path]: { $in: values } }, no: { [path]: { $nin: values } } };
      return test.op === 'eq' ? equal : negate(equal);
    }
    case 'lt':
      return { yes: below(test.value), no: atLeast(test.value) };
    case 'lte':
      return { yes: atMost(test.value), no: above(test.value) };
    case 'gt':
      return { yes: above(test.value), no: atMost(test.value) };
    case 'gte':
      return { yes: atLeast(test.value), no: below(test.value) };
    case 'between':
    case 'notBetween': {
      const [from, to] = test.value;
      const within: Verdicts = {
        yes: range({ $gte: from, $lte: to }, from <= 0 && 0 <= to),
        no: some([below(from), above(to)]),
      };
      return test.op === 'between' ? within : negate(within);
    }
  }
};

/** Never unknown: no tags is the empty set. */
const setVerdicts = (test: SetTest, path: string): Verdicts => {
  const values = [...new Set(test.value)];
  const hasAny: Verdicts = { yes: { [path]: { $in: values } }, no: { [path]: { $nin: values } } };
  switch (test.op) {
    case 'hasAny':
      return hasAny;
    case 'hasNone':
      return negate(hasAny);
    case 'hasAll':
      return {
        yes: every(values.map((value) => ({ [path]: value }))),
        no: some(values.map((value) => ({ [path]: { $ne: value } }))),
      };
  }
};

const negate = ({ yes, no }: Verdicts): Verdicts => ({ yes: no, no: yes });
const every = (filters: readonly StoreFilter[]): StoreFilter => joined('$and', filters);
const some = (filters: readonly StoreFilter[]): StoreFilter => joined('$or', filters);
const joined = (operator: '$and' | '$or', filters: readonly StoreFilter[]): StoreFilter => {
  const [only, ...others] = filters;
  return only !== undefined && others.length === 0 ? only : { [operator]: filters };
};

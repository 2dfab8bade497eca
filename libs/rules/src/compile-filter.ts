import {
  bornBy,
  dateAt,
  periodAt,
  periodOfDate,
  rollingEdge,
  shiftDate,
  slackOf,
  type Calendar,
} from './calendar';
import { durationParts, type Duration } from './duration';
import { foldText, prefixEnd } from './fold-text';
import {
  attributeType,
  isRanked,
  type AttributeLeaf,
  type AttributeName,
  type CountTest,
  type DurationTest,
  type EventName,
  type Leaf,
  type MetricRef,
  type NumberTest,
  type PresenceTest,
  type RecencyName,
  type Rule,
  type RuleNode,
  type SetTest,
  type SinceLeaf,
  type Test,
  type TextTest,
  type TimeTest,
} from './rule';

/** A filter in MongoDB's query language. */
export type StoreFilter = Readonly<Record<string, unknown>>;

/** Where a read model keeps what rules ask for; undefined where it does not. */
export type RuleFields = Readonly<{
  /**
   * Path of an attribute: of type `folded` the folded text, of `age` the birthday, of `tenure` the registration. Missing or
   * null where it is not given; a set is never missing.
   */
  attribute: (name: AttributeName) => string | undefined;
  /** Path of a figure; missing or null counts as 0. */
  metric: (figure: MetricRef) => string | undefined;
  /** Path of how often an event was recorded in all; missing or null counts as 0. */
  count?: (event: EventName) => string | undefined;
  /** Path of when something happened last, an instant; missing or null where it never did. */
  since?: (name: RecencyName) => string | undefined;
  /** For leaves that the read model answers in a way of its own; asked first. */
  leaf?: (leaf: Leaf, now: Date, calendar: Calendar) => Verdicts | undefined;
}>;

/**
 * Filters that hold at least the documents on which a node is true, and at least those on which it is false; `exact` where
 * they hold no others. On all others it is unknown.
 */
export type Verdicts = Readonly<{ yes: StoreFilter; no: StoreFilter; exact: boolean }>;

export type CompiledRule = Readonly<{
  /** Holds at least the documents that the rule matches. */
  filter: StoreFilter;
  /** What has to be true as well of a document that the filter holds; null where nothing is left to ask. */
  rest: Rule | null;
}>;

/**
 * The filter for the documents on which the rule is true at `now`, as far as one can be made, and the rest of the rule.
 * Truth has three values: a comparison with a value that is not there is unknown, `not` leaves it unknown, and unknown is
 * not a match; so `neq` needs a value, too. What a document counts is counted, also what is dated after `now`.
 */
export const compileFilter = (rule: Rule, fields: RuleFields, now: Date): CompiledRule => {
  if (isRanked(rule.root)) return { filter: EVERYTHING, rest: rule };
  const compiler: Compiler = { fields, now: now.getTime(), rule };
  const { yes, exact } = verdictsOf(rule.root, compiler);
  if (exact) return { filter: yes, rest: null };
  if (!('all' in rule.root)) return { filter: yes, rest: rule };
  const open = rule.root.all.filter((part) => !verdictsOf(part, compiler).exact);
  const [only] = open;
  return {
    filter: yes,
    rest: { ...rule, root: only !== undefined && open.length === 1 ? only : { all: open } },
  };
};

type Compiler = Readonly<{ fields: RuleFields; now: number; rule: Rule }>;

const EVERYTHING: StoreFilter = {};
const NOTHING: StoreFilter = { _id: { $in: [] } };
/** Nothing is known beforehand: every document has to be asked. */
export const OPEN: Verdicts = { yes: EVERYTHING, no: EVERYTHING, exact: false };

const exactly = (yes: StoreFilter, no: StoreFilter): Verdicts => ({ yes, no, exact: true });

const verdictsOf = (node: RuleNode, compiler: Compiler): Verdicts => {
  if ('not' in node) return negate(verdictsOf(node.not, compiler));
  if (!('all' in node) && !('any' in node)) return leafVerdicts(node, compiler);
  const parts = ('all' in node ? node.all : node.any).map((part) => verdictsOf(part, compiler));
  const yes = parts.map((part) => part.yes);
  const no = parts.map((part) => part.no);
  const exact = parts.every((part) => part.exact);
  return 'all' in node ? { yes: every(yes), no: some(no), exact } : { yes: some(yes), no: every(no), exact };
};

const leafVerdicts = (leaf: Leaf, compiler: Compiler): Verdicts => {
  const { fields } = compiler;
  const own = fields.leaf?.(leaf, new Date(compiler.now), compiler.rule);
  if (own !== undefined) return own;
  if ('attr' in leaf) return attributeVerdicts(leaf, compiler);
  if ('metric' in leaf) {
    if (leaf.op === 'isSet' || leaf.op === 'isUnset') return OPEN;
    const path = leaf.window === undefined ? fields.metric(leaf) : undefined;
    return path === undefined ? OPEN : figureVerdicts(leaf as NumberTest, path);
  }
  if ('event' in leaf) {
    const whole = 'ever' in leaf.window && leaf.where === undefined && leaf.requireTenure !== true;
    const path = whole ? fields.count?.(leaf.event) : undefined;
    return path === undefined ? OPEN : countVerdicts(leaf.count, path);
  }
  if ('since' in leaf) {
    const path = fields.since?.(leaf.since);
    return path === undefined ? OPEN : sinceVerdicts(leaf, path, compiler);
  }
  return 'everyone' in leaf ? exactly(EVERYTHING, NOTHING) : OPEN;
};

const attributeVerdicts = (leaf: AttributeLeaf, compiler: Compiler): Verdicts => {
  const path = compiler.fields.attribute(leaf.attr);
  if (path === undefined) return OPEN;
  if (leaf.op === 'isSet' || leaf.op === 'isUnset') {
    return attributeType(leaf.attr) === 'custom' ? customPresence(leaf, path) : presenceVerdicts(leaf, path);
  }
  // The parser lets only tests of the attribute's own type through.
  switch (attributeType(leaf.attr)) {
    case 'text':
      return textVerdicts(leaf as TextTest, path, (text) => text);
    case 'folded':
      return textVerdicts(leaf as TextTest, path, foldText);
    case 'date':
      return dateVerdicts(leaf as TimeTest, path, compiler);
    case 'instant':
      return instantVerdicts(leaf as TimeTest, path, compiler);
    case 'age':
      return ageVerdicts(leaf as NumberTest, path, dateAt(compiler.now, compiler.rule.tz));
    case 'tenure':
      return elapsedVerdicts(leaf as DurationTest, path, compiler);
    case 'set':
      return setVerdicts(leaf as SetTest, path);
    case 'custom':
      return customVerdicts(leaf, path);
  }
};

/** Every text is at or above the empty one, so this bound asks for a text to be there. */
const PRESENT = { $gte: '' };

const presenceVerdicts = ({ op }: PresenceTest, path: string): Verdicts => {
  const isSet = exactly({ [path]: PRESENT }, { [path]: null });
  return op === 'isSet' ? isSet : negate(isSet);
};

const customPresence = ({ op }: PresenceTest, path: string): Verdicts => {
  const isSet = exactly({ [path]: { $ne: null } }, { [path]: null });
  return op === 'isSet' ? isSet : negate(isSet);
};

/** A custom field may hold values of several types; a filter on it only narrows down. */
const customVerdicts = (test: Test, path: string): Verdicts => {
  const given: StoreFilter = { [path]: { $ne: null } };
  switch (test.op) {
    case 'eq':
      return { yes: { [path]: test.value }, no: given, exact: false };
    case 'in':
    case 'hasAny':
      return { yes: { [path]: { $in: [...new Set(test.value)] } }, no: given, exact: false };
    case 'hasAll':
    case 'hasNone':
    case 'sizeGte':
      return OPEN;
    default:
      return { yes: given, no: given, exact: false };
  }
};

const textVerdicts = (test: TextTest, path: string, form: (text: string) => string): Verdicts => {
  switch (test.op) {
    case 'eq':
    case 'neq': {
      const value = form(test.value);
      const equal = exactly({ [path]: value }, { [path]: { $ne: value, ...PRESENT } });
      return test.op === 'eq' ? equal : negate(equal);
    }
    case 'in':
    case 'notIn': {
      const values = [...new Set(test.value.map(form))];
      const within = exactly({ [path]: { $in: values } }, { [path]: { $nin: values, ...PRESENT } });
      return test.op === 'in' ? within : negate(within);
    }
    case 'startsWith': {
      const from = form(test.value);
      const end = prefixEnd(from);
      if (end === null) return exactly({ [path]: { $gte: from } }, { [path]: { $lt: from } });
      return exactly(
        { [path]: { $gte: from, $lt: end } },
        some([{ [path]: { $lt: from } }, { [path]: { $gte: end } }]),
      );
    }
    case 'endsWith':
    case 'contains':
    case 'notContains':
      return { yes: { [path]: PRESENT }, no: { [path]: PRESENT }, exact: false };
  }
};

/** Dates and instants are texts that sort as they follow each other; a range of texts never holds a missing value. */
const timeVerdicts = (
  test: Extract<TimeTest, { op: 'before' | 'after' | 'between' }>,
  path: string,
): Verdicts => {
  switch (test.op) {
    case 'before':
      return exactly({ [path]: { $lt: test.value } }, { [path]: { $gte: test.value } });
    case 'after':
      return exactly({ [path]: { $gt: test.value } }, { [path]: { $lte: test.value } });
    case 'between': {
      const [from, to] = test.value;
      return exactly(
        { [path]: { $gte: from, $lte: to } },
        some([{ [path]: { $lt: from } }, { [path]: { $gt: to } }]),
      );
    }
  }
};

const fromUntil = (path: string, from: string, to: string): Verdicts =>
  exactly({ [path]: { $gte: from, $lt: to } }, some([{ [path]: { $lt: from } }, { [path]: { $gte: to } }]));

const dateVerdicts = (test: TimeTest, path: string, { now, rule }: Compiler): Verdicts => {
  const today = dateAt(now, rule.tz);
  switch (test.op) {
    case 'olderThan':
    case 'newerThan': {
      const parts = durationParts(test.value);
      // Several dates lead to the last day of a short month: no range of dates says which.
      if (parts.months !== 0) return { yes: { [path]: PRESENT }, no: { [path]: PRESENT }, exact: false };
      const edge = shiftDate(today, parts, -1);
      return test.op === 'olderThan'
        ? exactly({ [path]: { $lt: edge } }, { [path]: { $gte: edge } })
        : exactly({ [path]: { $gt: edge } }, { [path]: { $lte: edge } });
    }
    case 'inPeriod': {
      const { from, to } = periodOfDate(today, test.value, rule.weekStart);
      return fromUntil(path, from, to);
    }
    default:
      return timeVerdicts(test, path);
  }
};

const instantVerdicts = (test: TimeTest, path: string, compiler: Compiler): Verdicts => {
  switch (test.op) {
    case 'olderThan':
      return elapsedVerdicts({ op: 'gt', value: test.value }, path, compiler);
    case 'newerThan':
      return elapsedVerdicts({ op: 'lt', value: test.value }, path, compiler);
    case 'inPeriod': {
      const { from, to } = periodAt(compiler.now, test.value, compiler.rule);
      return fromUntil(path, iso(from), iso(to));
    }
    default:
      return timeVerdicts(test, path);
  }
};

/** How long ago an instant is: asks for the instant instead, so that an index serves it. */
const elapsedVerdicts = (test: DurationTest, path: string, { now, rule }: Compiler): Verdicts => {
  const edgeOf = (duration: Duration): { gone: string; safe: string; exact: boolean } => {
    const parts = durationParts(duration);
    const { gone, safe } = rollingEdge(now, parts, rule.tz);
    return { gone: iso(gone), safe: iso(safe), exact: slackOf(parts, rule.tz) === 0 };
  };
  const atLeast = (duration: Duration): Verdicts => {
    const { gone, safe, exact } = edgeOf(duration);
    return { yes: { [path]: { $lte: safe } }, no: { [path]: { $gt: gone } }, exact };
  };
  const moreThan = (duration: Duration): Verdicts => {
    const { gone, safe, exact } = edgeOf(duration);
    return { yes: { [path]: { $lt: safe } }, no: { [path]: { $gte: gone } }, exact };
  };
  switch (test.op) {
    case 'gte':
      return atLeast(test.value);
    case 'gt':
      return moreThan(test.value);
    case 'lt':
      return negate(atLeast(test.value));
    case 'lte':
      return negate(moreThan(test.value));
    case 'between':
    case 'notBetween': {
      const from = atLeast(test.value[0]);
      const beyond = moreThan(test.value[1]);
      const within = {
        yes: every([from.yes, beyond.no]),
        no: some([from.no, beyond.yes]),
        exact: from.exact && beyond.exact,
      };
      return test.op === 'between' ? within : negate(within);
    }
  }
};

const sinceVerdicts = (leaf: SinceLeaf, path: string, compiler: Compiler): Verdicts => {
  const ago = elapsedVerdicts(leaf, path, compiler);
  return leaf.never === 'match' ? { ...ago, yes: some([ago.yes, { [path]: null }]) } : ago;
};

/** Asks for the birthday instead of the age, so that an index serves it. */
const ageVerdicts = (test: NumberTest, path: string, today: string): Verdicts => {
  const atLeast = (age: number): Verdicts =>
    exactly({ [path]: { $gte: '', $lte: bornBy(age, today) } }, { [path]: { $gt: bornBy(age, today) } });
  const between = (from: number, to: number): Verdicts =>
    exactly(
      { [path]: { $gt: bornBy(to + 1, today), $lte: bornBy(from, today) } },
      some([{ [path]: { $gte: '', $lte: bornBy(to + 1, today) } }, { [path]: { $gt: bornBy(from, today) } }]),
    );
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

const countVerdicts = (test: CountTest, path: string): Verdicts => figureVerdicts(test, path);

/** Never unknown: what is missing is 0. */
const figureVerdicts = (test: NumberTest, path: string): Verdicts => {
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
      const equal = exactly({ [path]: { $in: values } }, { [path]: { $nin: values } });
      return test.op === 'eq' ? equal : negate(equal);
    }
    case 'lt':
      return exactly(below(test.value), atLeast(test.value));
    case 'lte':
      return exactly(atMost(test.value), above(test.value));
    case 'gt':
      return exactly(above(test.value), atMost(test.value));
    case 'gte':
      return exactly(atLeast(test.value), below(test.value));
    case 'between':
    case 'notBetween': {
      const [from, to] = test.value;
      const within = exactly(
        range({ $gte: from, $lte: to }, from <= 0 && 0 <= to),
        some([below(from), above(to)]),
      );
      return test.op === 'between' ? within : negate(within);
    }
  }
};

/** Never unknown: no tags is the empty set. */
const setVerdicts = (test: SetTest, path: string): Verdicts => {
  if (test.op === 'sizeGte') return test.value === 0 ? exactly(EVERYTHING, NOTHING) : OPEN;
  const values = [...new Set(test.value)];
  const hasAny = exactly({ [path]: { $in: values } }, { [path]: { $nin: values } });
  switch (test.op) {
    case 'hasAny':
      return hasAny;
    case 'hasNone':
      return negate(hasAny);
    case 'hasAll':
      return exactly(
        every(values.map((value) => ({ [path]: value }))),
        some(values.map((value) => ({ [path]: { $ne: value } }))),
      );
  }
};

const iso = (instant: number): string => new Date(instant).toISOString();

const negate = ({ yes, no, exact }: Verdicts): Verdicts => ({ yes: no, no: yes, exact });

const isEverything = (filter: StoreFilter): boolean => Object.keys(filter).length === 0;

const every = (filters: readonly StoreFilter[]): StoreFilter =>
  joined(
    '$and',
    filters.filter((filter) => !isEverything(filter)),
  );
const some = (filters: readonly StoreFilter[]): StoreFilter =>
  filters.some(isEverything) ? EVERYTHING : joined('$or', filters);
const joined = (operator: '$and' | '$or', filters: readonly StoreFilter[]): StoreFilter => {
  const [only, ...others] = filters;
  if (only === undefined) return EVERYTHING;
  return others.length === 0 ? only : { [operator]: filters };
};

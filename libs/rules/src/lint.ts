import {
  ALL_NUMBERS,
  ALL_VALUES,
  complement,
  intersection,
  isEmpty,
  numbers,
  only,
  union,
  type Domain,
} from './domains';
import { canonicalNodeText } from './canonical';
import { durationParts, roughDays, type Duration } from './duration';
import { foldText } from './fold-text';
import {
  attributeType,
  isRanked,
  QUOTIENTS,
  type AttributeLeaf,
  type CountTest,
  type DurationTest,
  type Leaf,
  type MetricLeaf,
  type NumberTest,
  type Rule,
  type RuleNode,
  type SetTest,
  type TextTest,
  type TimeTest,
} from './rule';

export type LintFinding = Readonly<{
  level: 'error' | 'warning';
  /** Into the rule: `/root/any`. */
  pointer: string;
  code: `rules.${string}`;
  detail: string;
}>;

/**
 * What is surely not meant: errors for clauses that nobody or everybody meets and for exclusions that cancel each other out,
 * warnings for what is costly. What is found is right; not everything is found.
 */
export const lintRule = (rule: Rule): readonly LintFinding[] => {
  if (isRanked(rule.root)) return [];
  const findings = [...lintNode(rule.root, '/root')];
  const meansAll = 'everyone' in rule.root;
  if (!meansAll && !narrows(rule.root)) {
    findings.push(
      finding(
        'warning',
        '/root',
        'full-scan',
        'No clause narrows the contacts down; all have to be looked at.',
      ),
    );
  }
  return findings;
};

const finding = (
  level: LintFinding['level'],
  pointer: string,
  code: string,
  detail: string,
): LintFinding => ({
  level,
  pointer,
  code: `rules.${code}`,
  detail,
});

const CONTRADICTORY = 'Nobody can meet this.';
const ALWAYS_TRUE = 'Everybody meets this.';

const lintNode = (node: RuleNode, pointer: string): readonly LintFinding[] => {
  if ('all' in node || 'any' in node) {
    const [kind, children] = 'all' in node ? (['all', node.all] as const) : (['any', node.any] as const);
    const inside = children.flatMap((child, index) => lintNode(child, `${pointer}/${kind}/${index}`));
    // One reason is enough: what is wrong inside would be reported again here.
    if (inside.some(({ level }) => level === 'error')) return inside;
    return [
      ...inside,
      ...(kind === 'all' ? lintAll(flat(node, kind), pointer) : lintAny(flat(node, kind), pointer)),
    ];
  }
  if ('not' in node) {
    const inside = 'everyone' in node.not ? [] : lintNode(node.not, `${pointer}/not`);
    if (inside.some(({ level }) => level === 'error')) return inside;
    return [...inside, ...constantFinding(node, pointer)];
  }
  return [
    ...constantFinding(node, pointer),
    ...windowFindings(node, pointer),
    ...currencyFindings(node, pointer),
  ];
};

/** The parts of a node with those of nodes of its kind right inside it. */
const flat = (node: RuleNode, kind: 'all' | 'any'): readonly RuleNode[] => {
  if (kind === 'all' && 'all' in node) return node.all.flatMap((child) => flat(child, kind));
  if (kind === 'any' && 'any' in node) return node.any.flatMap((child) => flat(child, kind));
  return [node];
};

const constantFinding = (node: RuleNode, pointer: string): readonly LintFinding[] => {
  if ('not' in node && 'everyone' in node.not) {
    return [finding('error', pointer, 'contradictory', CONTRADICTORY)];
  }
  const claim = claimOf(node);
  if (claim === undefined) return [];
  if (isImpossible(claim)) return [finding('error', pointer, 'contradictory', CONTRADICTORY)];
  return isCertain(claim) ? [finding('error', pointer, 'always-true', ALWAYS_TRUE)] : [];
};

const lintAll = (parts: readonly RuleNode[], pointer: string): readonly LintFinding[] => {
  const claims = claimsBySubject(parts, (one, other) => ({
    ...one,
    unset: one.unset && other.unset,
    domain: intersection(one.domain, other.domain),
  }));
  const impossible = claims.some(isImpossible) || holdsBoth(parts) || tagsExclude(parts);
  return impossible ? [finding('error', pointer, 'contradictory', CONTRADICTORY)] : [];
};

const lintAny = (parts: readonly RuleNode[], pointer: string): readonly LintFinding[] => {
  const findings: LintFinding[] = [];
  const negatives = new Set<string>();
  for (const part of parts) {
    const subject = negativeSubject(part);
    if (subject === undefined) continue;
    if (negatives.has(subject)) {
      findings.push(
        finding(
          'error',
          pointer,
          'negatives-under-any',
          'Whoever is excluded by one of these is let in by the other: exclusions belong under all.',
        ),
      );
      break;
    }
    negatives.add(subject);
  }
  const claims = claimsBySubject(parts, (one, other) => ({
    ...one,
    unset: one.unset || other.unset,
    domain: union(one.domain, other.domain),
  }));
  const certain =
    claims.some(isCertain) ||
    parts.some((part) => 'everyone' in part) ||
    holdsBoth(parts.filter((part) => isNeverUnknown('not' in part ? part.not : part)));
  if (certain && findings.length === 0) findings.push(finding('error', pointer, 'always-true', ALWAYS_TRUE));
  return findings;
};

/** Whether a node and its negation are both there. */
const holdsBoth = (parts: readonly RuleNode[]): boolean => {
  const texts = new Set(parts.map(canonicalNodeText));
  return parts.some((part) => 'not' in part && texts.has(canonicalNodeText(part.not)));
};

const isNeverUnknown = (node: RuleNode): boolean =>
  'event' in node || 'segment' in node || 'bucket' in node || 'reachable' in node;

const NEGATIVE: ReadonlySet<string> = new Set(['neq', 'notIn', 'notContains', 'notBetween', 'hasNone']);
const POSITIVE: ReadonlySet<string> = new Set([
  'eq',
  'in',
  'contains',
  'between',
  'hasAny',
  'hasAll',
  'startsWith',
]);

const negativeSubject = (node: RuleNode): string | undefined => {
  if ('attr' in node && NEGATIVE.has(node.op)) return node.attr;
  return 'not' in node && 'attr' in node.not && POSITIVE.has(node.not.op) ? node.not.attr : undefined;
};

/** What one clause says of one subject: which values it takes, and whether it takes none. */
type Claim = Readonly<{
  subject: string;
  unset: boolean;
  domain: Domain;
  /** Which values there are at all, and whether there may be none. */
  universe: Domain;
  canBeUnset: boolean;
  /** It is about whether there is a value, which is never unknown. */
  presence?: true;
  /** The values are taken wider than they are: fit to show that nothing is left, but not that everything is there. */
  loose?: true;
}>;

const isImpossible = ({ unset, canBeUnset, domain, universe }: Claim): boolean =>
  !(unset && canBeUnset) && isEmpty(intersection(domain, universe));

const isCertain = ({ unset, canBeUnset, domain, universe, loose }: Claim): boolean =>
  loose !== true && (unset || !canBeUnset) && isEmpty(intersection(complement(domain), universe));

const claimsBySubject = (
  parts: readonly RuleNode[],
  join: (one: Claim, other: Claim) => Claim,
): readonly Claim[] => {
  const claims = new Map<string, Claim>();
  for (const part of parts) {
    const claim = claimOf(part);
    if (claim === undefined) continue;
    const known = claims.get(claim.subject);
    claims.set(claim.subject, known === undefined ? claim : join(known, claim));
  }
  return [...claims.values()];
};

/** Undefined where nothing is claimed that could be compared. */
const claimOf = (node: RuleNode): Claim | undefined => {
  if ('all' in node || 'any' in node) return undefined;
  if (!('not' in node)) return leafClaim(node);
  const claim = claimOf(node.not);
  if (claim === undefined || claim.loose === true) return undefined;
  // A test of a value is unknown where there is none, and so is its negation; a test of presence is not.
  const unset = claim.presence === true && !claim.unset;
  return { ...claim, unset, domain: complement(claim.domain) };
};

type Universe = Pick<Claim, 'universe' | 'canBeUnset'>;
const COUNTS: Universe = { universe: numbers(0, Infinity), canBeUnset: false };

const leafClaim = (leaf: Leaf): Claim | undefined => {
  if ('attr' in leaf) return attributeClaim(leaf);
  if ('metric' in leaf) {
    const { op: _op, value: _value, ...ref } = leaf as MetricLeaf & { value?: unknown };
    return QUOTIENTS.has(leaf.metric)
      ? loosely(claim(JSON.stringify(ref), leaf, metricUniverse(leaf), quotientDomain))
      : claim(JSON.stringify(ref), leaf, metricUniverse(leaf), integerDomain);
  }
  if ('event' in leaf) {
    const { count, ...ref } = leaf;
    // With requireTenure, a count of any size may not be enough.
    const domain = integerDomain(count);
    if (domain === undefined || leaf.requireTenure === true) return undefined;
    return { subject: JSON.stringify(ref), unset: false, domain, ...COUNTS };
  }
  if ('since' in leaf) {
    const universe = { universe: numbers(0, Infinity), canBeUnset: true };
    const made = claim(`since ${leaf.since}`, leaf, universe, durationDomain);
    return made && { ...made, unset: leaf.never === 'match', loose: true };
  }
  if ('segment' in leaf && (leaf.op === 'in' || leaf.op === 'notIn')) {
    const domain = leaf.op === 'in' ? only('in') : complement(only('in'));
    return {
      subject: `segment ${leaf.segment}`,
      unset: false,
      domain,
      universe: ALL_VALUES,
      canBeUnset: false,
    };
  }
  if ('consent' in leaf) {
    const universe = only('granted', 'withdrawn');
    const domain = leaf.op === 'isSet' ? universe : leaf.op === 'isUnset' ? only() : only(leaf.op);
    return {
      subject: `consent ${leaf.consent}`,
      unset: leaf.op === 'isUnset',
      ...((leaf.op === 'isSet' || leaf.op === 'isUnset') && { presence: true as const }),
      domain,
      universe,
      canBeUnset: true,
    };
  }
  if ('bucket' in leaf) {
    const universe = numbers(0, 99);
    return {
      subject: `bucket ${leaf.bucket}`,
      unset: false,
      domain: numbers(leaf.from, leaf.to - 1),
      universe,
      canBeUnset: false,
    };
  }
  return undefined;
};

/** A claim of presence, or what `domainOf` makes of the test. */
const claim = <T extends Readonly<{ op: string }>>(
  subject: string,
  leaf: T,
  universe: Universe,
  domainOf: (test: never) => Domain | undefined,
): Claim | undefined => {
  const none = intersection(universe.universe, complement(universe.universe));
  if (leaf.op === 'isSet')
    return { subject, unset: false, domain: universe.universe, presence: true, ...universe };
  if (leaf.op === 'isUnset') return { subject, unset: true, domain: none, presence: true, ...universe };
  const domain = domainOf(leaf as never);
  return domain && { subject, unset: false, domain, ...universe };
};

const loosely = (made: Claim | undefined): Claim | undefined => made && { ...made, loose: true };

const attributeClaim = (leaf: AttributeLeaf): Claim | undefined => {
  const values = { universe: ALL_VALUES, canBeUnset: true };
  const figures = { universe: ALL_NUMBERS, canBeUnset: true };
  switch (attributeType(leaf.attr)) {
    case 'text':
      return claim(leaf.attr, leaf, { ...values, canBeUnset: leaf.attr !== 'source' }, textDomain);
    case 'folded':
      return claim(leaf.attr, leaf, values, foldedDomain);
    case 'date':
      return claim(leaf.attr, leaf, figures, timeDomain);
    case 'instant':
      return claim(leaf.attr, leaf, { ...figures, canBeUnset: false }, timeDomain);
    case 'age':
      return claim(leaf.attr, leaf, { universe: numbers(0, 200), canBeUnset: true }, integerDomain);
    case 'tenure':
      return loosely(claim(leaf.attr, leaf, COUNTS, durationDomain));
    case 'set':
      return leaf.op === 'sizeGte'
        ? { subject: `${leaf.attr} size`, unset: false, domain: numbers(leaf.value, Infinity), ...COUNTS }
        : undefined;
    case 'custom':
      return isTextTest(leaf) ? claim(leaf.attr, leaf, values, textDomain) : undefined;
  }
};

const isTextTest = (leaf: AttributeLeaf): boolean =>
  leaf.op === 'isSet' ||
  leaf.op === 'isUnset' ||
  leaf.op === 'in' ||
  leaf.op === 'notIn' ||
  ('value' in leaf && typeof leaf.value === 'string' && (leaf.op === 'eq' || leaf.op === 'neq'));

const metricUniverse = ({ metric, window }: MetricLeaf): Universe => {
  const canBeUnset = QUOTIENTS.has(metric);
  if (metric === 'purchases.shareAt') return { universe: numbers(0, 100), canBeUnset };
  // Returns and debits can exceed what came in within a window.
  const canBeNegative =
    metric === 'purchases.average' ||
    (window !== undefined && (metric === 'points.balance' || metric === 'purchases.spend'));
  return { universe: canBeNegative ? ALL_NUMBERS : numbers(0, Infinity), canBeUnset };
};

const textDomain = (test: TextTest): Domain | undefined => textDomainIn(test, (text) => text);
const foldedDomain = (test: TextTest): Domain | undefined => textDomainIn(test, foldText);
const textDomainIn = (test: TextTest, form: (text: string) => string): Domain | undefined => {
  switch (test.op) {
    case 'eq':
      return only(form(test.value));
    case 'neq':
      return complement(only(form(test.value)));
    case 'in':
      return only(...test.value.map(form));
    case 'notIn':
      return complement(only(...test.value.map(form)));
    default:
      return undefined;
  }
};

/** Quotients lie between integers, too, so only closed bounds are compared. */
const quotientDomain = (test: NumberTest): Domain | undefined =>
  test.op === 'eq' || test.op === 'lte' || test.op === 'gte' || test.op === 'between'
    ? integerDomain(test)
    : undefined;

const integerDomain = (test: NumberTest | CountTest): Domain | undefined => {
  switch (test.op) {
    case 'eq':
      return numbers(test.value, test.value);
    case 'neq':
      return complement(numbers(test.value, test.value));
    case 'lt':
      return numbers(-Infinity, test.value - 1);
    case 'lte':
      return numbers(-Infinity, test.value);
    case 'gt':
      return numbers(test.value + 1, Infinity);
    case 'gte':
      return numbers(test.value, Infinity);
    case 'between':
      return numbers(test.value[0], test.value[1]);
    case 'notBetween':
      return complement(numbers(test.value[0], test.value[1]));
  }
};

/** What goes with the clock is not compared. */
const timeDomain = (test: TimeTest): Domain | undefined => {
  switch (test.op) {
    case 'before':
      return numbers(-Infinity, Date.parse(test.value) - 1);
    case 'after':
      return numbers(Date.parse(test.value) + 1, Infinity);
    case 'between':
      return numbers(Date.parse(test.value[0]), Date.parse(test.value[1]));
    default:
      return undefined;
  }
};

/** Months are of several lengths: bounds are taken as wide as they can be. */
const durationDomain = (test: DurationTest): Domain | undefined => {
  const least = (duration: Duration): number => {
    const { months, days, ms } = durationParts(duration);
    return Math.floor(Math.max(0, roughDays({ months: 0, days, ms }) + months * 28 - 2) * 1_000);
  };
  const most = (duration: Duration): number => Math.ceil((roughDays(durationParts(duration)) + 2) * 1_000);
  switch (test.op) {
    case 'lt':
    case 'lte':
      return numbers(0, most(test.value));
    case 'gt':
    case 'gte':
      return numbers(least(test.value), Infinity);
    case 'between':
      return numbers(least(test.value[0]), most(test.value[1]));
    case 'notBetween':
      return undefined;
  }
};

/** Whether tags are asked for that are excluded as well. */
const tagsExclude = (parts: readonly RuleNode[]): boolean => {
  const tests = parts.flatMap((part): SetTest[] => {
    if ('attr' in part && attributeType(part.attr) === 'set') return [part as SetTest];
    if (!('not' in part) || !('attr' in part.not) || attributeType(part.not.attr) !== 'set') return [];
    const test = part.not as SetTest;
    if (test.op === 'hasAny') return [{ op: 'hasNone', value: test.value }];
    return test.op === 'hasNone' ? [{ op: 'hasAny', value: test.value }] : [];
  });
  const excluded = new Set(tests.flatMap((test) => (test.op === 'hasNone' ? test.value : [])));
  return tests.some(
    (test) =>
      (test.op === 'hasAll' && test.value.some((tag) => excluded.has(tag))) ||
      (test.op === 'hasAny' && test.value.every((tag) => excluded.has(tag))),
  );
};

const HOUR_IN_DAYS = 1 / 24;

const windowFindings = (leaf: Leaf, pointer: string): readonly LintFinding[] => {
  const window = 'window' in leaf ? leaf.window : undefined;
  if (window === undefined || !('last' in window)) return [];
  if (roughDays(durationParts(window.last)) >= HOUR_IN_DAYS) return [];
  return [
    finding(
      'warning',
      `${pointer}/window`,
      'short-window',
      'A window under an hour makes members come and go.',
    ),
  ];
};

const currencyFindings = (leaf: Leaf, pointer: string): readonly LintFinding[] => {
  const [name, tests = []] =
    'event' in leaf
      ? (['where', leaf.where] as const)
      : 'has' in leaf
        ? (['has', leaf.has] as const)
        : ['', []];
  const amount = tests.findIndex(({ path }) => path === 'amount.minor');
  if (amount === -1 || tests.some(({ path, op }) => path === 'amount.currency' && op === 'eq')) return [];
  return [
    finding(
      'warning',
      `${pointer}/${name}/${amount}`,
      'any-currency',
      'Amounts of every currency are compared; say which with a test of amount.currency.',
    ),
  ];
};

/** Whether a node is met by a part of the contacts that something leads to, rather than by all but some. */
const narrows = (node: RuleNode): boolean => {
  if ('all' in node) return node.all.some(narrows);
  if ('any' in node) return node.any.every(narrows);
  if ('not' in node) return false;
  return leafNarrows(node);
};

const leafNarrows = (leaf: Leaf): boolean => {
  if ('attr' in leaf) {
    return !NEGATIVE.has(leaf.op) && !['isSet', 'isUnset', 'contains', 'endsWith'].includes(leaf.op);
  }
  if ('metric' in leaf) return !holdsZero(integerDomain(leaf as NumberTest));
  if ('event' in leaf) return !holdsZero(integerDomain(leaf.count));
  if ('segment' in leaf) return leaf.op !== 'notIn';
  if ('since' in leaf) return leaf.never === 'noMatch';
  return !('everyone' in leaf);
};

const holdsZero = (domain: Domain | undefined): boolean =>
  domain === undefined || !isEmpty(intersection(domain, numbers(0, 0)));

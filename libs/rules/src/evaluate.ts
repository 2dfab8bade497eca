import type { ContactFacts } from './facts';
import { anniversaryLeaf } from './leaves/anniversary.leaf';
import { attributeLeaf } from './leaves/attribute.leaf';
import { eventLeaf, lastEventLeaf, sinceLeaf } from './leaves/history.leaves';
import type { Judgement, LeafKind } from './leaves/leaf-kind';
import { figureOf, metricLeaf } from './leaves/metric.leaf';
import { segmentLeaf } from './leaves/segment.leaf';
import { bucketLeaf, consentLeaf, everyoneLeaf, reachableLeaf } from './leaves/standing.leaves';
import { Moment } from './moment';
import { isRanked, type Leaf, type RankedNode, type Rule, type RuleNode } from './rule';
import { conjunction, disjunction, nameOf, negation, type Truth, type TruthName } from './truth';

export type Evaluation = Readonly<{
  truth: TruthName;
  /** ISO 8601 UTC: before it the answer stays as it is without a new event; null: for ever. */
  nextChangeAt: string | null;
}>;

/** One node of an explanation; pointers lead into the rule, `/root/all/0`. */
export type Explanation = Readonly<{
  pointer: string;
  truth: TruthName;
  value?: unknown;
  /** The newest events behind it. */
  evidence?: readonly string[];
  children?: readonly Explanation[];
}>;

export type EvaluationOptions = Readonly<{
  /** Of a ranked rule: the figure of the last who is in; null: nobody is. Without it the answer is unknown. */
  cutOff?: number | null;
}>;

/**
 * Whether a rule holds of a contact at an instant, and until when that surely stays so. Only true makes a member. What is
 * dated after the instant has not happened; who is registered after it does not exist, so nothing is true. Pure.
 */
export const evaluate = (
  rule: Rule,
  facts: ContactFacts,
  now: Date,
  options: EvaluationOptions = {},
): Evaluation => {
  const moment = new Moment(now.getTime(), rule);
  const { registeredAt } = facts;
  if (registeredAt === null || moment.now < registeredAt) return answer(false, registeredAt);
  if (isRanked(rule.root)) return answer(rankedTruth(rule.root, facts, moment, options), null);
  const judged = judge(rule.root, facts, moment);
  return answer(judged.truth, nextChange(judged, facts, moment));
};

const answer = (truth: Truth, next: number | null): Evaluation => ({
  truth: nameOf(truth),
  nextChangeAt: next === null ? null : instantText(next),
});

/** What lies beyond the years that dates can be written in never comes. */
const INSTANT_MAX = 253_402_300_799_999;
const instantText = (instant: number): string | null =>
  instant > INSTANT_MAX ? null : new Date(instant).toISOString();

/** Why the answer is what it is: the same tree with truths, values and the events behind them. Pure. */
export const explain = (
  rule: Rule,
  facts: ContactFacts,
  now: Date,
  options: EvaluationOptions = {},
): Explanation => {
  const moment = new Moment(now.getTime(), rule);
  const { registeredAt } = facts;
  if (registeredAt === null || moment.now < registeredAt) return { pointer: '/root', truth: 'false' };
  if (isRanked(rule.root)) {
    const truth = nameOf(rankedTruth(rule.root, facts, moment, options));
    return { pointer: '/root', truth, value: rankedFigure(rule.root, facts, moment) };
  }
  return explanationOf(judge(rule.root, facts, moment), '/root', facts, moment);
};

/**
 * What every node of a rule comes to, by its pointer, the root first: each as it would be alone. Cheaper than an explanation:
 * nothing is said of why. Pure.
 */
export const truthsOf = (
  rule: Rule,
  facts: ContactFacts,
  now: Date,
  options: EvaluationOptions = {},
): ReadonlyMap<string, TruthName> => {
  const moment = new Moment(now.getTime(), rule);
  const { registeredAt } = facts;
  const truths = new Map<string, TruthName>();
  if (isRanked(rule.root)) {
    const exists = registeredAt !== null && moment.now >= registeredAt;
    return truths.set('/root', nameOf(exists && rankedTruth(rule.root, facts, moment, options)));
  }
  if (registeredAt === null || moment.now < registeredAt) {
    for (const { pointer } of nodesOf(rule)) truths.set(pointer, 'false');
    return truths;
  }
  const put = (judged: Judged, pointer: string): void => {
    truths.set(pointer, nameOf(judged.truth));
    if (judged.kind !== 'leaf')
      judged.children.forEach((child, n) => put(child, childPointer(pointer, judged.kind, n)));
  };
  put(judge(rule.root, facts, moment), '/root');
  return truths;
};

/** The nodes of a rule with the pointers that lead to them, each before what is in it; a ranking is one node. */
export const nodesOf = (rule: Rule): readonly Readonly<{ pointer: string; node: Rule['root'] }>[] => {
  const found: { pointer: string; node: Rule['root'] }[] = [];
  const visit = (node: Rule['root'], pointer: string): void => {
    found.push({ pointer, node });
    if ('all' in node) node.all.forEach((child, n) => visit(child, childPointer(pointer, 'all', n)));
    else if ('any' in node) node.any.forEach((child, n) => visit(child, childPointer(pointer, 'any', n)));
    else if ('not' in node) visit(node.not, childPointer(pointer, 'not', 0));
  };
  visit(rule.root, '/root');
  return found;
};

const childPointer = (pointer: string, kind: 'all' | 'any' | 'not', index: number): string =>
  kind === 'not' ? `${pointer}/not` : `${pointer}/${kind}/${index}`;

/** What a ranked rule ranks a contact by; null where there is nothing to rank (an average of nothing). */
export const rankingFigure = (
  { tz, weekStart, root }: Rule,
  facts: ContactFacts,
  now: Date,
): number | null =>
  isRanked(root) ? rankedFigure(root, facts, new Moment(now.getTime(), { tz, weekStart })) : null;

const rankedFigure = (
  { ranked: { by: metric, ...ref } }: RankedNode,
  facts: ContactFacts,
  moment: Moment,
): number | null => {
  const { sum, count } = figureOf({ metric, ...ref }, facts, moment);
  if (count === null) return sum;
  return count === 0 ? null : sum / count;
};

const rankedTruth = (
  node: RankedNode,
  facts: ContactFacts,
  moment: Moment,
  { cutOff }: EvaluationOptions,
): Truth => {
  if (cutOff === undefined) return null;
  const figure = rankedFigure(node, facts, moment);
  return cutOff !== null && figure !== null && figure >= cutOff;
};

type Judged =
  | Readonly<{ truth: Truth; kind: 'all' | 'any' | 'not'; children: readonly Judged[] }>
  | Readonly<{ truth: Truth; kind: 'leaf'; leaf: Leaf; judgement: Judgement }>;

const judge = (node: RuleNode, facts: ContactFacts, moment: Moment): Judged => {
  if ('all' in node || 'any' in node) {
    const kind = 'all' in node ? 'all' : 'any';
    const children = ('all' in node ? node.all : node.any).map((child) => judge(child, facts, moment));
    const truths = children.map(({ truth }) => truth);
    return { truth: kind === 'all' ? conjunction(truths) : disjunction(truths), kind, children };
  }
  if ('not' in node) {
    const child = judge(node.not, facts, moment);
    return { truth: negation(child.truth), kind: 'not', children: [child] };
  }
  const judgement = kindOf(node).judge(node, facts, moment);
  return { truth: judgement.truth, kind: 'leaf', leaf: node, judgement };
};

/** Every kind of leaf brings its own code; the tree only knows that there is one. */
const kindOf = (leaf: Leaf): LeafKind<Leaf> => {
  const kind = ((): LeafKind<never> => {
    if ('attr' in leaf) return attributeLeaf;
    if ('metric' in leaf) return metricLeaf;
    if ('event' in leaf) return eventLeaf;
    if ('lastEvent' in leaf) return lastEventLeaf;
    if ('since' in leaf) return sinceLeaf;
    if ('anniversary' in leaf) return anniversaryLeaf;
    if ('consent' in leaf) return consentLeaf;
    if ('reachable' in leaf) return reachableLeaf;
    if ('segment' in leaf) return segmentLeaf;
    if ('bucket' in leaf) return bucketLeaf;
    return everyoneLeaf;
  })();
  return kind as LeafKind<Leaf>;
};

/** Before it the truth surely stays; null: for ever. */
const nextChange = (judged: Judged, facts: ContactFacts, moment: Moment): number | null => {
  if (judged.kind === 'leaf') return nextLeafChange(judged.leaf, judged.truth, facts, moment);
  // One false part keeps `all` false, one true part keeps `any` true: as long as the one that stays longest.
  const decisive = judged.kind === 'all' ? false : judged.kind === 'any' ? true : undefined;
  if (judged.truth === decisive) {
    let latest = -Infinity;
    for (const child of judged.children) {
      if (child.truth !== decisive) continue;
      const next = nextChange(child, facts, moment);
      if (next === null) return null;
      latest = Math.max(latest, next);
    }
    return latest;
  }
  let earliest: number | null = null;
  for (const child of judged.children) {
    const next = nextChange(child, facts, moment);
    if (next !== null && (earliest === null || next < earliest)) earliest = next;
  }
  return earliest;
};

/** So many moves are looked through for one that changes the truth; then the caller is asked to come back. */
const LOOK_AHEAD_MAX = 32;

const nextLeafChange = (leaf: Leaf, truth: Truth, facts: ContactFacts, moment: Moment): number | null => {
  const kind = kindOf(leaf);
  let at = moment;
  for (let step = 0; step < LOOK_AHEAD_MAX; step += 1) {
    const move = kind.nextMove(leaf, facts, at);
    if (move === null) return null;
    at = moment.at(move);
    if (kind.judge(leaf, facts, at).truth !== truth) return move;
  }
  return at.now;
};

const explanationOf = (judged: Judged, pointer: string, facts: ContactFacts, moment: Moment): Explanation => {
  const truth = nameOf(judged.truth);
  if (judged.kind !== 'leaf') {
    const children = judged.children.map((child, index) =>
      explanationOf(child, childPointer(pointer, judged.kind, index), facts, moment),
    );
    return { pointer, truth, children };
  }
  const { leaf, judgement } = judged;
  const evidence = kindOf(leaf).evidence(leaf, facts, moment);
  return {
    pointer,
    truth,
    ...(judgement.value !== undefined && { value: judgement.value }),
    ...(evidence.length > 0 && { evidence }),
  };
};

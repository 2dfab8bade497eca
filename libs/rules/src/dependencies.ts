import type { RecordedEvent } from '@app/kernel';
import { ACTIVITIES, factName, POINT_MOVES } from './contact-history';
import type { Series } from './facts';
import { RECENCY_SERIES } from './leaves/history.leaves';
import { atLocation, seriesOf } from './leaves/metric.leaf';
import {
  isRanked,
  RULE_CHANNELS,
  type AttributeName,
  type Leaf,
  type MetricRef,
  type Rule,
  type RuleNode,
  type Window,
} from './rule';

/**
 * Something that an event can change and a rule can depend on: `attr:profile.gender`, `event:CheckedIn`, `points:main`,
 * `consent:marketing.email`, `devices`, `activity`, `segment:<id>`. Only for comparing with each other.
 */
export type DependencyKey = string;

/** Touches every rule: there is a contact who was not there before. */
export const EVERY_RULE: DependencyKey = '*';

export type RuleDependencies = Readonly<{
  /** The rule has to be asked again after an event that touches one of them (see touchedBy). */
  keys: readonly DependencyKey[];
  /** Attributes as stored: of `age` the birthday, of `tenure` the registration. */
  attributes: readonly AttributeName[];
  /** Ids of segments it refers to. */
  segments: readonly string[];
  /** Whether the answer can change while nothing happens (but for facts dated in the future). */
  clock: boolean;
  /** Which series are looked at, and how far back: for a store that keeps only what is needed. */
  series: readonly Readonly<{ series: Series; window: Window }>[];
}>;

/** What a rule looks at: found once a rule, since it is asked for at every event. */
export const dependenciesOf = (rule: Rule): RuleDependencies => {
  const known = knownDependencies.get(rule);
  if (known !== undefined) return known;
  const found = findDependencies(rule);
  knownDependencies.set(rule, found);
  return found;
};

const knownDependencies = new WeakMap<Rule, RuleDependencies>();

const findDependencies = (rule: Rule): RuleDependencies => {
  const parts = isRanked(rule.root) ? [rankedPart(rule)] : leavesOf(rule.root).map(partOf);
  const keys = new Set<DependencyKey>();
  const attributes = new Set<AttributeName>();
  const segments = new Set<string>();
  for (const part of parts) {
    for (const key of part.keys ?? []) keys.add(key);
    for (const { series } of part.series ?? []) for (const key of seriesKeys(series)) keys.add(key);
    if (part.attribute !== undefined) {
      attributes.add(part.attribute);
      for (const key of attributeKeys(part.attribute)) keys.add(key);
    }
    if (part.segment !== undefined) {
      segments.add(part.segment);
      keys.add(`segment:${part.segment}`);
    }
  }
  return {
    keys: [...keys].sort(),
    attributes: [...attributes].sort(),
    segments: [...segments].sort(),
    clock: parts.some(({ clock }) => clock === true),
    series: parts.flatMap((part) => part.series ?? []),
  };
};

/** Whether what a leaf says can change while nothing happens (but for facts dated in the future). */
export const dependsOnClock = (leaf: Leaf): boolean => partOf(leaf).clock === true;

export const leavesOf = (node: RuleNode): readonly Leaf[] => {
  if ('all' in node) return node.all.flatMap(leavesOf);
  if ('any' in node) return node.any.flatMap(leavesOf);
  return 'not' in node ? leavesOf(node.not) : [node];
};

type Part = Readonly<{
  keys?: readonly DependencyKey[];
  attribute?: AttributeName;
  segment?: string;
  clock?: boolean;
  series?: RuleDependencies['series'];
}>;

const EVER: Window = { ever: true };
const moves = (window: Window): boolean =>
  'last' in window || 'period' in window || 'sinceRegistration' in window;

const CLOCK_OPERATORS: ReadonlySet<string> = new Set(['olderThan', 'newerThan', 'inPeriod']);

const partOf = (leaf: Leaf): Part => {
  if ('attr' in leaf) {
    if (leaf.attr === 'age') return { attribute: 'profile.birthday', clock: true };
    if (leaf.attr === 'tenure') return { attribute: 'registeredAt', clock: true };
    return { attribute: leaf.attr, clock: CLOCK_OPERATORS.has(leaf.op) };
  }
  if ('metric' in leaf) return figurePart(leaf);
  if ('event' in leaf) {
    const { event, where, window } = leaf;
    return {
      series: [{ series: { event, ...(where !== undefined && { where }) }, window }],
      clock: moves(window),
    };
  }
  if ('lastEvent' in leaf) return { series: [{ series: { event: leaf.lastEvent }, window: EVER }] };
  if ('since' in leaf) {
    const series = RECENCY_SERIES[leaf.since];
    return series === null
      ? { attribute: 'registeredAt', clock: true }
      : { series: [{ series, window: EVER }], clock: true };
  }
  if ('anniversary' in leaf) return { attribute: leaf.anniversary, clock: true };
  if ('consent' in leaf) return { keys: [`consent:${leaf.consent}`] };
  if ('reachable' in leaf) return { keys: REACH_KEYS[leaf.reachable] };
  if ('segment' in leaf) {
    return {
      segment: leaf.segment,
      clock: leaf.op === 'inFor' || (leaf.op === 'wasIn' && moves(leaf.window)),
    };
  }
  return {};
};

const REACH_KEYS = {
  email: ['attr:profile.email'],
  sms: ['attr:profile.phone'],
  push: ['devices'],
  inbox: [],
} as const;

const rankedPart = ({ root }: Rule): Part => {
  if (!isRanked(root)) return {};
  const { by: metric, ...ref } = root.ranked;
  return { ...figurePart({ metric, ...ref }), clock: true };
};

const figurePart = (ref: MetricRef): Part => {
  if (ref.metric === 'points.expiringWithin') return { keys: [`points:${ref.pool}`], clock: true };
  const window = ref.window ?? EVER;
  const series = [{ series: seriesOf(ref), window }];
  if (ref.locationId !== undefined) series.push({ series: atLocation(ref.locationId), window });
  return { series, clock: moves(window) };
};

const seriesKeys = (series: Series): readonly DependencyKey[] => {
  if ('activity' in series) return ['activity'];
  if ('points' in series) return [`points:${series.pool}`];
  return 'spend' in series ? ['event:PurchaseRecorded', 'event:PurchaseReturned'] : [`event:${series.event}`];
};

/** A patch can name a whole group of fields: `profile.address`. */
const attributeKeys = (name: AttributeName): readonly DependencyKey[] => {
  const path = name.split('.');
  return path.length > 2 ? [`attr:${name}`, `attr:${path.slice(0, 2).join('.')}`] : [`attr:${name}`];
};

/**
 * What an event of a contact touches: rules that depend on none of it need not be asked again. Pure and total; an event that
 * no rule looks at touches nothing.
 */
export const touchedBy = ({
  type,
  data,
}: Pick<
  RecordedEvent<Readonly<{ type: string; data: object }>>,
  'type' | 'data'
>): readonly DependencyKey[] => {
  const name = factName(type);
  if (name === undefined) return [];
  if (name === 'ContactRegistered') return [EVERY_RULE];
  const fields = data as Readonly<Record<string, unknown>>;
  const keys = [`event:${name}`];
  if (ACTIVITIES.has(name)) keys.push('activity');
  if (Object.hasOwn(POINT_MOVES, name)) keys.push(`points:${String(fields['pool'])}`);
  switch (name) {
    case 'ContactDetailsChanged':
      return [
        ...keys,
        ...(fields['changed'] as readonly string[]).map((path) =>
          path === 'tags' ? 'attr:tags' : `attr:profile.${path}`,
        ),
      ];
    case 'ConsentGranted':
    case 'ConsentWithdrawn': {
      const channels = fields['channel'] === undefined ? RULE_CHANNELS : [fields['channel']];
      return [
        ...keys,
        ...channels.map((channel) => `consent:${String(fields['purpose'])}.${String(channel)}`),
      ];
    }
    case 'DeviceRegistered':
    case 'DeviceRemoved':
      return [...keys, 'devices'];
    default:
      return keys;
  }
};

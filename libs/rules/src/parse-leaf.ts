import { durationParts, roughDays } from './duration';
import {
  parseCountTest,
  parseCustomTest,
  parseDurationTest,
  parseNumberTest,
  parsePathTest,
  parsePresence,
  parseTest,
  periodOf,
  refuseOperator,
} from './parse-tests';
import {
  allow,
  fieldsOf,
  invalid,
  nameIn,
  parseBoolean,
  parseCurrency,
  parseDateOrInstant,
  parseDays,
  parseDuration,
  parseInteger,
  parseIntegerFrom,
  parseName,
  parsePool,
  parseSpan,
  parseText,
  type Fields,
  type ParseValue,
} from './parse-values';
import {
  ATTRIBUTES,
  attributeType,
  CUSTOM_FIELDS,
  EVENTS,
  METRICS,
  QUOTIENTS,
  RECENCIES,
  RULE_CHANNELS,
  type AnniversaryLeaf,
  type AttributeLeaf,
  type AttributeName,
  type BucketLeaf,
  type ConsentLeaf,
  type CountTest,
  type CustomFieldType,
  type EventLeaf,
  type EventName,
  type LastEventLeaf,
  type Leaf,
  type MetricLeaf,
  type MetricName,
  type MetricRef,
  type PathTest,
  type PathType,
  type RankedNode,
  type SegmentLeaf,
  type SinceLeaf,
  type Window,
} from './rule';

/** The type of a custom field; undefined where there is none of this name. */
export type CustomFieldLookup = (name: string) => CustomFieldType | undefined;

const CUSTOM_FIELD = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;
const PURPOSE = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const WHERE_MAX = 16;
const RANKS_MAX = 1_000_000;

/** A node without nodes below it; undefined where no field says which kind it is. Throws InvalidRuleError. */
export const parseLeaf = (
  fields: Fields,
  pointer: string,
  customField: CustomFieldLookup | undefined,
): Leaf | undefined => {
  const has = (name: string): boolean => Object.hasOwn(fields, name);
  if (has('attr')) return parseAttribute(fields, pointer, customField);
  if (has('metric')) return parseMetric(fields, pointer);
  if (has('event')) return parseEvent(fields, pointer);
  if (has('lastEvent')) return parseLastEvent(fields, pointer);
  if (has('since')) return parseSince(fields, pointer);
  if (has('anniversary')) return parseAnniversary(fields, pointer, customField);
  if (has('consent')) return parseConsent(fields, pointer);
  if (has('reachable')) {
    allow(fields, ['reachable'], pointer);
    return {
      reachable: parseName(RULE_CHANNELS, fields['reachable'], 'unknown-channel', `${pointer}/reachable`),
    };
  }
  if (has('segment')) return parseSegment(fields, pointer);
  if (has('bucket')) return parseBucket(fields, pointer);
  if (has('everyone')) {
    allow(fields, ['everyone'], pointer);
    if (fields['everyone'] !== true) throw invalid('everyone', `${pointer}/everyone`, 'It is true.');
    return { everyone: true };
  }
  return undefined;
};

export const LEAF_KINDS = [
  'attr',
  'metric',
  'event',
  'lastEvent',
  'since',
  'anniversary',
  'consent',
  'reachable',
  'segment',
  'bucket',
  'everyone',
] as const;

const parseAttribute = (
  fields: Fields,
  pointer: string,
  customField: CustomFieldLookup | undefined,
): AttributeLeaf => {
  allow(fields, ['attr', 'op', 'value'], pointer);
  const { name, custom } = parseAttributeName(fields['attr'], `${pointer}/attr`, customField);
  const type = attributeType(name);
  const test =
    type === 'custom' ? parseCustomTest(fields, custom, pointer) : parseTest(fields, type, pointer);
  return { attr: name, ...test };
};

type NamedAttribute = Readonly<{ name: AttributeName; custom?: CustomFieldType }>;

const parseAttributeName = (
  value: unknown,
  pointer: string,
  customField: CustomFieldLookup | undefined,
): NamedAttribute => {
  const known = nameIn(ATTRIBUTES, value);
  if (known !== undefined) return { name: known };
  if (typeof value === 'string' && value.startsWith(CUSTOM_FIELDS)) {
    const field = value.slice(CUSTOM_FIELDS.length);
    const custom = customField?.(field);
    if (CUSTOM_FIELD.test(field) && (customField === undefined || custom !== undefined)) {
      return { name: `${CUSTOM_FIELDS}${field}`, ...(custom !== undefined && { custom }) };
    }
  }
  throw invalid('unknown-attribute', pointer, 'There is no attribute of this name.');
};

const parseMetric = (fields: Fields, pointer: string): MetricLeaf => {
  const { ref, names } = parseMetricRef(fields, 'metric', pointer);
  allow(fields, ['metric', 'op', 'value', ...names], pointer);
  const presence = QUOTIENTS.has(ref.metric) ? parsePresence(fields, pointer) : undefined;
  const figure = ref.currency === undefined ? parseInteger : parseMinor(ref.currency);
  return { ...ref, ...(presence ?? parseNumberTest(fields, figure, pointer) ?? refuseOperator(pointer)) };
};

/** A figure of money, plain or as `{ minor, currency }`; currencies cannot be compared with each other. */
const parseMinor =
  (currency: string): ParseValue<number> =>
  (value, pointer) => {
    if (typeof value !== 'object' || value === null) return parseInteger(value, pointer);
    const fields = fieldsOf(value, pointer);
    allow(fields, ['minor', 'currency'], pointer);
    if (parseCurrency(fields['currency'], `${pointer}/currency`) !== currency) {
      throw invalid('currencies-differ', `${pointer}/currency`, 'Unlike currencies cannot be compared.');
    }
    return parseInteger(fields['minor'], `${pointer}/minor`);
  };

/** Which figure is meant, and the names of the fields that say so. */
const parseMetricRef = (
  fields: Fields,
  field: 'metric' | 'by',
  pointer: string,
): { ref: MetricRef; names: readonly string[] } => {
  const metric: MetricName | undefined = nameIn(METRICS, fields[field]);
  if (metric === undefined) {
    throw invalid('unknown-metric', `${pointer}/${field}`, 'There is no metric of this name.');
  }
  const qualifier = METRICS[metric];
  const expiring = metric === 'points.expiringWithin';
  const names = [...(qualifier === null ? [] : [qualifier]), expiring ? 'within' : 'window'];
  const window = expiring ? undefined : parseWindow(fields['window'], `${pointer}/window`);
  return {
    ref: {
      metric,
      ...(qualifier === 'pool' && { pool: parsePool(fields['pool'], `${pointer}/pool`) }),
      ...(qualifier === 'currency' && {
        currency: parseCurrency(fields['currency'], `${pointer}/currency`),
      }),
      ...(qualifier === 'locationId' && {
        locationId: parseText(fields['locationId'], `${pointer}/locationId`),
      }),
      ...(expiring && { within: parseSpan(fields['within'], `${pointer}/within`) }),
      ...(window !== undefined && !isEver(window) && { window }),
    },
    names,
  };
};

/** The whole history on the axis of happening: as good as no window. */
const isEver = (window: Window): boolean => 'ever' in window;

const parseEvent = (fields: Fields, pointer: string): EventLeaf => {
  allow(fields, ['event', 'where', 'count', 'window', 'requireTenure'], pointer);
  const event = parseEventName(fields['event'], `${pointer}/event`);
  const where = fields['where'];
  const count = parseCountTest(fields['count'], `${pointer}/count`);
  const window = parseWindow(fields['window'], `${pointer}/window`);
  const requireTenure = fields['requireTenure'];
  if (requireTenure === undefined && asksForFew(count) && !isEver(window)) {
    throw invalid(
      'require-tenure',
      `${pointer}/requireTenure`,
      'Has to be said (true or false) where none or few are asked for in a window: is who is younger than it left out?',
    );
  }
  return {
    event,
    ...(where !== undefined && { where: parsePathTests(where, event, `${pointer}/where`) }),
    count,
    window,
    ...(requireTenure !== undefined && {
      requireTenure: parseBoolean(requireTenure, `${pointer}/requireTenure`),
    }),
  };
};

const asksForFew = ({ op, value }: CountTest): boolean => op === 'lt' || (op === 'eq' && value === 0);

const parseEventName = (value: unknown, pointer: string): EventName => {
  const event = nameIn(EVENTS, value);
  if (event === undefined) throw invalid('unknown-event', pointer, 'There is no event of this name.');
  return event;
};

const parsePathTests = (input: unknown, event: EventName, pointer: string): PathTest[] => {
  if (!Array.isArray(input)) throw invalid('list-expected', pointer, 'A list of tests is expected.');
  if (input.length === 0) throw invalid('empty', pointer, 'At least one test is needed.');
  if (input.length > WHERE_MAX) {
    throw invalid('too-many-values', pointer, `At most ${WHERE_MAX} tests of an event are possible.`);
  }
  const paths: Readonly<Record<string, PathType>> = EVENTS[event];
  return input.map((test: unknown, index) => {
    const at = `${pointer}/${index}`;
    const fields = fieldsOf(test, at, 'A test is a JSON object.');
    allow(fields, ['path', 'op', 'value'], at);
    const path = nameIn(paths, fields['path']);
    const type = path === undefined ? undefined : paths[path];
    if (path === undefined || type === undefined) {
      throw invalid('unknown-path', `${at}/path`, `Known here: ${Object.keys(paths).join(', ')}.`);
    }
    return { path, ...parsePathTest(fields, type, at) };
  });
};

const parseLastEvent = (fields: Fields, pointer: string): LastEventLeaf => {
  allow(fields, ['lastEvent', 'has'], pointer);
  const lastEvent = parseEventName(fields['lastEvent'], `${pointer}/lastEvent`);
  return { lastEvent, has: parsePathTests(fields['has'], lastEvent, `${pointer}/has`) };
};

const parseSince = (fields: Fields, pointer: string): SinceLeaf => {
  allow(fields, ['since', 'op', 'value', 'never'], pointer);
  const since = parseName(RECENCIES, fields['since'], 'unknown-recency', `${pointer}/since`);
  const test = parseDurationTest(fields, pointer) ?? refuseOperator(pointer);
  return {
    since,
    ...test,
    never: parseName(['match', 'noMatch'], fields['never'], 'never', `${pointer}/never`),
  };
};

const parseAnniversary = (
  fields: Fields,
  pointer: string,
  customField: CustomFieldLookup | undefined,
): AnniversaryLeaf => {
  allow(fields, ['anniversary', 'from', 'to', 'window', 'feb29'], pointer);
  const { name, custom } = parseAttributeName(fields['anniversary'], `${pointer}/anniversary`, customField);
  const type = attributeType(name);
  if (!['date', 'instant', 'custom'].includes(type) || (custom !== undefined && custom !== 'date')) {
    throw invalid('unknown-attribute', `${pointer}/anniversary`, 'An anniversary is one of a date.');
  }
  const of = {
    anniversary: name,
    feb29: parseName(['feb28', 'mar1'], fields['feb29'] ?? 'feb28', 'feb29', `${pointer}/feb29`),
  };
  if (fields['window'] !== undefined) {
    if (fields['from'] !== undefined || fields['to'] !== undefined) {
      throw invalid('unknown-field', `${pointer}/window`, 'Either from and to or a calendar period.');
    }
    const window = parseWindow(fields['window'], `${pointer}/window`);
    if (!('period' in window) || window.axis !== undefined) {
      throw invalid('window', `${pointer}/window`, 'A calendar period is expected: `{ "period": "month" }`.');
    }
    return { ...of, window };
  }
  const from = parseDays(fields['from'] ?? 'P0D', `${pointer}/from`);
  const to = parseDays(fields['to'], `${pointer}/to`);
  if (roughDays(durationParts(from)) > roughDays(durationParts(to))) {
    throw invalid('bounds-order', `${pointer}/to`, 'It begins before it ends.');
  }
  return { ...of, from, to };
};

const parseConsent = (fields: Fields, pointer: string): ConsentLeaf => {
  allow(fields, ['consent', 'op'], pointer);
  const consent = fields['consent'];
  const dot = typeof consent === 'string' ? consent.lastIndexOf('.') : -1;
  if (
    typeof consent !== 'string' ||
    !PURPOSE.test(consent.slice(0, Math.max(dot, 0))) ||
    nameIn(RULE_CHANNELS, consent.slice(dot + 1)) === undefined
  ) {
    throw invalid(
      'consent',
      `${pointer}/consent`,
      'A purpose and a channel are expected: `marketing.email`.',
    );
  }
  const { op } = fields;
  switch (op) {
    case 'granted':
    case 'withdrawn':
    case 'isSet':
    case 'isUnset':
      return { consent, op };
    default:
      return refuseOperator(pointer);
  }
};

const parseSegment = (fields: Fields, pointer: string): SegmentLeaf => {
  const { op } = fields;
  const segment = parseText(fields['segment'], `${pointer}/segment`);
  switch (op) {
    case 'in':
    case 'notIn':
      allow(fields, ['segment', 'op'], pointer);
      return { segment, op };
    case 'wasIn':
      allow(fields, ['segment', 'op', 'window'], pointer);
      return { segment, op, window: parseWindow(fields['window'], `${pointer}/window`) };
    case 'inFor':
      allow(fields, ['segment', 'op', 'value'], pointer);
      return { segment, op, value: parseSpan(fields['value'], `${pointer}/value`) };
    default:
      return refuseOperator(pointer);
  }
};

const parseBucket = (fields: Fields, pointer: string): BucketLeaf => {
  allow(fields, ['bucket', 'from', 'to'], pointer);
  const part = parseIntegerFrom(0, 100);
  const from = part(fields['from'], `${pointer}/from`);
  const to = part(fields['to'], `${pointer}/to`);
  if (from >= to) throw invalid('bounds-order', `${pointer}/to`, 'It begins before it ends.');
  return { bucket: parseText(fields['bucket'], `${pointer}/bucket`), from, to };
};

/** The whole history, where nothing is said. */
export const parseWindow = (input: unknown, pointer: string): Window => {
  if (input === undefined) return { ever: true };
  const fields = fieldsOf(input, pointer, 'A window is a JSON object: `{ "last": "P30D" }`.');
  const axis = onAxis(fields, pointer);
  if (Object.hasOwn(fields, 'last')) {
    allow(fields, ['last', 'axis'], pointer);
    return { last: parseSpan(fields['last'], `${pointer}/last`), ...axis };
  }
  if (Object.hasOwn(fields, 'period')) {
    allow(fields, ['period', 'offset', 'axis'], pointer);
    return { ...periodOf(fields, pointer), ...axis };
  }
  if (Object.hasOwn(fields, 'from') || Object.hasOwn(fields, 'to')) {
    allow(fields, ['from', 'to', 'axis'], pointer);
    return { ...parseStretch(fields, pointer), ...axis };
  }
  if (Object.hasOwn(fields, 'sinceRegistration')) {
    allow(fields, ['sinceRegistration', 'axis'], pointer);
    return {
      sinceRegistration: parseSpan(fields['sinceRegistration'], `${pointer}/sinceRegistration`),
      ...axis,
    };
  }
  allow(fields, ['ever', 'axis'], pointer);
  if (fields['ever'] !== true) {
    throw invalid('window', pointer, 'One of: last, period, from and to, sinceRegistration, ever.');
  }
  return { ever: true };
};

const onAxis = (fields: Fields, pointer: string): { axis?: 'recorded' } => {
  const axis = parseName(['occurred', 'recorded'], fields['axis'] ?? 'occurred', 'axis', `${pointer}/axis`);
  return axis === 'recorded' ? { axis } : {};
};

const parseStretch = (fields: Fields, pointer: string): { from?: string; to?: string } => {
  const [from, to] = (['from', 'to'] as const).map((name) =>
    fields[name] === undefined ? undefined : parseDateOrInstant(fields[name], `${pointer}/${name}`),
  );
  if (from !== undefined && to !== undefined && from >= to) {
    throw invalid('bounds-order', `${pointer}/to`, 'It begins before it ends.');
  }
  return { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
};

const REFRESH = 'P1D';

/** `refresh` may stand in the node or beside it; `outer` is what was said further out. */
export const parseRanked = (fields: Fields, pointer: string, outer?: unknown): RankedNode => {
  allow(fields, ['ranked', 'refresh'], pointer);
  const at = `${pointer}/ranked`;
  const ranked = fieldsOf(fields['ranked'], at);
  const { ref, names } = parseMetricRef(ranked, 'by', at);
  allow(ranked, ['by', 'top', 'topPercent', 'refresh', ...names], at);
  if (ref.metric === 'points.expiringWithin') {
    throw invalid('unknown-metric', `${at}/by`, 'Nobody can be ranked by what expires.');
  }
  if ((ranked['top'] === undefined) === (ranked['topPercent'] === undefined)) {
    throw invalid('ranked', at, 'Either top or topPercent is expected.');
  }
  const { metric: by, ...rest } = ref;
  const refresh = parseDuration(ranked['refresh'] ?? fields['refresh'] ?? outer ?? REFRESH, `${at}/refresh`);
  return {
    ranked: {
      by,
      ...rest,
      refresh,
      ...(ranked['top'] === undefined
        ? { topPercent: parseIntegerFrom(1, 100)(ranked['topPercent'], `${at}/topPercent`) }
        : { top: parseIntegerFrom(1, RANKS_MAX)(ranked['top'], `${at}/top`) }),
    },
  };
};

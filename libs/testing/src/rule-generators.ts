import fc from 'fast-check';

/** Rules as JSON, of every kind of leaf, with values that meet those of the histories in this folder. */

const texts = <T extends string>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const some = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(value, { minLength: 1, maxLength: 3 });
const pair = <T extends string | number>(value: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.tuple(value, value).map(([one, other]) => (one <= other ? [one, other] : [other, one]));
const joined = (...parts: fc.Arbitrary<object>[]): fc.Arbitrary<object> =>
  fc.tuple(...parts).map((fields) => Object.assign({}, ...fields) as object);
const fixed = (fields: object): fc.Arbitrary<object> => fc.constant(fields);

export const RULE_ZONES = ['UTC', 'Europe/Vienna', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata'];
export const RULE_DURATIONS = ['PT2H', 'P1D', 'P7D', 'P30D', 'P1M', 'P1M1D', 'P3M', 'P1Y', 'P1DT12H'];
const anyDuration = texts(...RULE_DURATIONS);
const dateDuration = texts('P1D', 'P7D', 'P1M', 'P18Y');
const instants = texts('2023-12-31T00:00:00Z', '2024-01-02T12:00:00+02:00', '2024-03-01T00:00:00Z');
const dates = texts('1988-02-29', '1990-05-17', '2000-01-01', '2024-01-31');

const presence = fc.record({ op: texts('isSet', 'isUnset') });
const textTest = (value: fc.Arbitrary<string>): fc.Arbitrary<object> =>
  fc.oneof(
    fc.record({ op: texts('eq', 'neq', 'startsWith', 'endsWith', 'contains', 'notContains'), value }),
    fc.record({ op: texts('in', 'notIn'), value: some(value) }),
    presence,
  );
const numberTest = (value: fc.Arbitrary<number>): fc.Arbitrary<object> =>
  fc.oneof(
    fc.record({ op: texts('eq', 'neq', 'lt', 'lte', 'gt', 'gte'), value }),
    fc.record({ op: texts('between', 'notBetween'), value: pair(value) }),
  );
const anyPeriod = fc.record({
  period: texts('day', 'week', 'month', 'quarter', 'year'),
  offset: fc.constantFrom(0, -1, 1, -2),
});
const timeTest = (value: fc.Arbitrary<string>, span: fc.Arbitrary<string>): fc.Arbitrary<object> =>
  fc.oneof(
    fc.record({ op: texts('before', 'after'), value }),
    fc.record({ op: fc.constant('between'), value: pair(value) }),
    fc.record({ op: texts('olderThan', 'newerThan'), value: span }),
    fc.record({ op: fc.constant('inPeriod'), value: anyPeriod }),
    presence,
  );
const durationTest = (value: fc.Arbitrary<string>): fc.Arbitrary<object> =>
  fc.oneof(
    fc.record({ op: texts('lt', 'lte', 'gt', 'gte'), value }),
    fc.record({
      op: texts('between', 'notBetween'),
      value: fc.constantFrom(['P1D', 'P30D'], ['P7D', 'P1M']),
    }),
  );
const setTest = (value: fc.Arbitrary<string>): fc.Arbitrary<object> =>
  fc.oneof(
    fc.record({ op: texts('hasAny', 'hasAll', 'hasNone'), value: some(value) }),
    fc.record({ op: fc.constant('sizeGte'), value: fc.integer({ min: 0, max: 3 }) }),
  );

export const anyWindow: fc.Arbitrary<object> = joined(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ last: anyDuration }) },
    { weight: 2, arbitrary: anyPeriod },
    fc.record({ from: fc.constant('2023-12-01'), to: texts('2024-01-03', '2024-02-29T12:00:00Z') }),
    fc.record({ sinceRegistration: anyDuration }),
    fixed({ ever: true }),
  ),
  fc.constantFrom({}, {}, {}, { axis: 'recorded' }),
);
const optionalWindow = fc.oneof(fixed({}), fc.record({ window: anyWindow }));

/** What the contact's own document answers. */
export const standingLeaf: fc.Arbitrary<object> = fc.oneof(
  joined(fixed({ attr: 'profile.firstName' }), textTest(texts('ANNA', 'anna-', 'a', 'É', '李', 'Lena'))),
  joined(fixed({ attr: 'profile.lastName' }), textTest(texts('berg', 'muller', 'MÜ', 'o', '😀'))),
  joined(fixed({ attr: 'profile.address.city' }), textTest(texts('WIEN', 'w', 'Graz', 'polten'))),
  joined(fixed({ attr: 'profile.gender' }), textTest(texts('female', 'male', '$gt'))),
  joined(fixed({ attr: 'profile.language' }), textTest(texts('de', 'en', 'e'))),
  joined(fixed({ attr: 'source' }), textTest(texts('app', 'import'))),
  joined(fixed({ attr: 'tags' }), setTest(texts('vip', 'staff', '$gt', 'a.b', 'x'))),
  joined(fixed({ attr: 'profile.birthday' }), timeTest(dates, dateDuration)),
  joined(fixed({ attr: 'registeredAt' }), timeTest(instants, anyDuration)),
  joined(fixed({ attr: 'age' }), numberTest(fc.integer({ min: 10, max: 75 }))),
  joined(fixed({ attr: 'tenure' }), durationTest(anyDuration)),
  joined(
    fc.constantFrom<object>(
      { metric: 'points.balance' },
      { metric: 'points.balance', pool: 'vip' },
      { metric: 'purchases.count' },
      { metric: 'purchases.spend', currency: 'EUR' },
      { metric: 'checkIns.count' },
      { metric: 'redemptions.count' },
      { metric: 'messages.count' },
    ),
    numberTest(fc.oneof(fc.integer({ min: -2, max: 4 }), fc.integer({ min: 0, max: 3_000 }))),
  ),
  fc.record({
    event: texts('PurchaseRecorded', 'CheckedIn', 'RewardRedeemed', 'MessageSent'),
    count: fc.record({ op: texts('eq', 'gte', 'lt'), value: fc.integer({ min: 0, max: 3 }) }),
  }),
  joined(
    fc.record({
      since: texts('lastActivity', 'lastCheckIn', 'registration'),
      never: texts('match', 'noMatch'),
    }),
    durationTest(anyDuration),
  ),
  fixed({ everyone: true }),
);

/** Of fields that hold values of several types. */
const customLeaf: fc.Arbitrary<object> = joined(
  fc.record({ attr: texts('profile.customFields.size', 'profile.customFields.likes') }),
  fc.oneof(
    textTest(texts('tea', 'cake', '41', 't')),
    numberTest(fc.integer({ min: 40, max: 43 })),
    fc.record({ op: texts('eq'), value: fc.boolean() }),
    setTest(texts('tea', 'cake', 'x')),
    timeTest(dates, dateDuration),
  ),
);

const purchaseTest = fc.oneof(
  joined(fixed({ path: 'locationId' }), textTest(texts('l1', 'l2'))),
  joined(fixed({ path: 'amount.minor' }), numberTest(fc.integer({ min: 0, max: 3_000 }))),
);

/** What depends on the history or on other segments. */
export const historyLeaf: fc.Arbitrary<object> = fc.oneof(
  joined(
    fc.constantFrom<object>(
      { metric: 'points.balance' },
      { metric: 'points.earned' },
      { metric: 'points.spent', pool: 'vip' },
      { metric: 'purchases.count' },
      { metric: 'purchases.spend', currency: 'EUR' },
      { metric: 'purchases.average', currency: 'EUR' },
      { metric: 'purchases.shareAt', locationId: 'l1' },
      { metric: 'checkIns.count' },
    ),
    optionalWindow,
    numberTest(fc.oneof(fc.integer({ min: -2, max: 4 }), fc.integer({ min: 0, max: 3_000 }))),
  ),
  joined(
    fc.record({ metric: fc.constant('points.expiringWithin'), within: anyDuration }),
    numberTest(fc.integer({ min: 0, max: 50 })),
  ),
  joined(
    fc.constantFrom<object>(
      { event: 'CheckedIn' },
      { event: 'PurchaseRecorded' },
      { event: 'PointsExpired' },
    ),
    fc.record({
      count: fc.oneof(
        fc.record({ op: texts('eq', 'gte', 'lt'), value: fc.integer({ min: 0, max: 3 }) }),
        fc.constant({ op: 'between', value: [1, 2] }),
      ),
      window: anyWindow,
      requireTenure: fc.boolean(),
    }),
  ),
  joined(fc.record({ event: fc.constant('PurchaseRecorded'), where: some(purchaseTest) }), optionalWindow),
  fc.record({ lastEvent: fc.constant('PurchaseRecorded'), has: some(purchaseTest) }),
  joined(
    fc.record({
      since: texts('lastActivity', 'lastPurchase', 'lastCheckIn', 'lastRedemption', 'registration'),
      never: texts('match', 'noMatch'),
    }),
    durationTest(anyDuration),
  ),
  joined(
    fc.record({
      anniversary: texts('profile.birthday', 'registeredAt'),
      feb29: texts('feb28', 'mar1'),
    }),
    fc.oneof(
      fc.record({ from: texts('P0D', 'P3D'), to: texts('P3D', 'P7D', 'P1M') }),
      fixed({ to: 'P0D' }),
      fc.record({ window: anyPeriod }),
    ),
  ),
  fc.record({
    consent: texts('marketing.email', 'marketing.push', 'service.sms'),
    op: texts('granted', 'withdrawn', 'isSet', 'isUnset'),
  }),
  fc.record({ reachable: texts('email', 'push', 'sms', 'inbox') }),
  fc.record({ segment: texts('s1', 's2'), op: texts('in', 'notIn') }),
  fc.record({ segment: texts('s1', 's2'), op: fc.constant('wasIn'), window: anyWindow }),
  fc.record({ segment: texts('s1', 's2'), op: fc.constant('inFor'), value: anyDuration }),
  customLeaf,
  fc.record({ bucket: texts('a', 'b'), from: fc.constantFrom(0, 30), to: fc.constantFrom(50, 100) }),
);

export const anyRuleLeaf: fc.Arbitrary<object> = fc.oneof(standingLeaf, historyLeaf);

const treesOf = (leaf: fc.Arbitrary<object>): fc.Arbitrary<object> =>
  fc.letrec<{ node: object }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 2, depthIdentifier: 'rule' },
      leaf,
      fc.record({ all: some(tie('node')) }),
      fc.record({ any: some(tie('node')) }),
      fc.record({ not: tie('node') }),
    ),
  })).node;

const ruleOf = (root: fc.Arbitrary<object>): fc.Arbitrary<object> =>
  fc.record({
    dsl: fc.constant(1),
    tz: texts(...RULE_ZONES),
    weekStart: texts('MO', 'SU'),
    root,
  });

export const anyRule: fc.Arbitrary<object> = ruleOf(treesOf(anyRuleLeaf));
/** One leaf, so that nothing masks what it says. */
export const anyLeafRule: fc.Arbitrary<object> = ruleOf(anyRuleLeaf);
export const anyStandingRule: fc.Arbitrary<object> = ruleOf(treesOf(standingLeaf));

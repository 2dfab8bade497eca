import { RunningSystem, type Answer } from './running-system';

const WOMEN = { attr: 'profile.gender', op: 'eq', value: 'female' };
const MEN = { attr: 'profile.gender', op: 'eq', value: 'male' };
const CITY = { attr: 'profile.address.city', op: 'in' };
const POINTS = { metric: 'points.balance' };
const values = (count: number): string[] => Array.from({ length: count }, (_, n) => `v${n}`);
const tags = (count: number): object[] =>
  values(count).map((tag) => ({ attr: 'tags', op: 'hasAny', value: [tag] }));
const nested = (depth: number): object => (depth === 1 ? WOMEN : { not: nested(depth - 1) });

/** A name, the rule, the code of the problem behind `rules.`, and where in the rule it is. */
const CASES: readonly (readonly [string, unknown, string, string])[] = [
  ['too deep', nested(9), 'too-deep', '/not/not/not/not/not/not/not/not'],
  ['too large', { any: tags(65) }, 'too-many-leaves', '/any/64'],
  ['without clauses', { all: [] }, 'empty', '/all'],
  ['without clauses inside', { all: [WOMEN, { any: [] }] }, 'empty', '/all/1/any'],
  ['with an empty not', { not: {} }, 'unknown-node', '/not'],
  ['with a list under not', { not: [WOMEN] }, 'node-expected', '/not'],
  ['empty', {}, 'unknown-node', ''],
  ['two in one', { all: [WOMEN], any: [WOMEN] }, 'unknown-field', '/any'],
  ['with an empty text', { ...WOMEN, value: '' }, 'empty', '/value'],
  ['with an empty list', { ...CITY, value: [] }, 'empty', '/value'],
  ['with 1,001 values', { ...CITY, value: values(1_001) }, 'too-many-values', '/value'],
  ['with 1,001 tags', { attr: 'tags', op: 'hasAny', value: values(1_001) }, 'too-many-values', '/value'],
  ['on an unknown attribute', { ...WOMEN, attr: 'profile.shoe' }, 'unknown-attribute', '/attr'],
  ['on an unknown metric', { metric: 'points.magic', op: 'gte', value: 1 }, 'unknown-metric', '/metric'],
  ['on an unknown event', { event: 'Nothing' }, 'unknown-event', '/event'],
  [
    'on an unknown path',
    { event: 'CheckedIn', where: [{ path: 'note', op: 'isSet' }] },
    'unknown-path',
    '/where/0/path',
  ],
  ['with an unknown operator', { ...WOMEN, op: 'matches' }, 'unknown-operator', '/op'],
  ['with an unknown field', { ...WOMEN, more: 1 }, 'unknown-field', '/more'],
  ['of another version', { dsl: 2, root: WOMEN }, 'version', '/dsl'],
  ['in no time zone', { dsl: 1, tz: 'Mars/Olympus', root: WOMEN }, 'time-zone', '/tz'],
  [
    'with bounds the wrong way round',
    { attr: 'age', op: 'between', value: [30, 20] },
    'bounds-order',
    '/value',
  ],
  ['with a figure beyond exact numbers', { ...POINTS, op: 'gte', value: 1e30 }, 'integer-expected', '/value'],
  ['with no window', { event: 'CheckedIn', window: { last: 'P0D' } }, 'empty', '/window/last'],
  [
    'with a window that goes back',
    { event: 'CheckedIn', window: { last: '-P1D' } },
    'duration-expected',
    '/window/last',
  ],
  [
    'that asks for absence and says nothing of newcomers',
    { event: 'CheckedIn', count: { op: 'eq', value: 0 }, window: { last: 'P30D' } },
    'require-tenure',
    '/requireTenure',
  ],
  ['that says nothing of never', { since: 'lastActivity', op: 'gt', value: 'P30D' }, 'never', '/never'],
  [
    'that compares unlike currencies',
    { metric: 'purchases.spend', currency: 'EUR', op: 'gt', value: { minor: 1, currency: 'USD' } },
    'currencies-differ',
    '/value/currency',
  ],
  [
    'that ranks inside',
    { all: [{ ranked: { by: 'points.balance', top: 9 } }] },
    'ranked-not-at-root',
    '/all/0',
  ],
  ['that is an operator of the store', { $where: '1' }, 'unknown-node', ''],
  ['with an operator of the store as value', { ...WOMEN, value: { $gt: '' } }, 'text-expected', '/value'],
  ['with an operator of the store as attribute', { ...WOMEN, attr: '$where' }, 'unknown-attribute', '/attr'],
  [
    'on a field named $where',
    { ...WOMEN, attr: 'profile.customFields.$where' },
    'unknown-attribute',
    '/attr',
  ],
  [
    'on a field named __proto__',
    { ...WOMEN, attr: 'profile.customFields.__proto__' },
    'unknown-attribute',
    '/attr',
  ],
  ['on __proto__', { ...WOMEN, attr: '__proto__' }, 'unknown-attribute', '/attr'],
  ['with __proto__ for an operator', { ...WOMEN, op: '__proto__' }, 'unknown-operator', '/op'],
  ['on the event constructor', { event: 'constructor' }, 'unknown-event', '/event'],
  ['with NUL', { ...WOMEN, value: 'fe\0male' }, 'characters', '/value'],
  ['with half a surrogate pair', { ...CITY, value: ['Wien', '\ud83d'] }, 'characters', '/value/1'],
  ['with a very long text', { ...CITY, value: ['x'.repeat(100_000)] }, 'too-long', '/value/0'],
];

/** What can be parsed and makes no sense: refused as a definition, and found by a preview. */
const NONSENSE: readonly (readonly [string, object, string])[] = [
  ['contradictory', { all: [WOMEN, MEN] }, 'contradictory'],
  [
    'contradictory in its figures',
    {
      all: [
        { ...POINTS, op: 'gte', value: 9 },
        { ...POINTS, op: 'lt', value: 5 },
      ],
    },
    'contradictory',
  ],
  [
    'always true',
    {
      any: [
        { ...POINTS, op: 'gte', value: 9 },
        { ...POINTS, op: 'lt', value: 9 },
      ],
    },
    'always-true',
  ],
  [
    'everybody by two negatives',
    {
      any: [
        { ...WOMEN, op: 'neq' },
        { ...MEN, op: 'neq' },
      ],
    },
    'negatives-under-any',
  ],
];

describe('bad rules', () => {
  let system: RunningSystem;
  let segmentId: string;
  let defined: unknown;

  const post = (path: string, body: object): Promise<Answer> => system.call('POST', `/v1${path}`, { body });
  const define = async (name: string, rule: object): Promise<Record<string, unknown>> => {
    const { status, body } = await post('/segments', { name, rule });
    expect([name, status]).toEqual([name, 201]);
    return body;
  };
  const problem = ({ status, body }: Answer): unknown => ({
    status,
    code: body['code'],
    pointers: (body['errors'] as { pointer: string }[] | undefined)?.map(({ pointer }) => pointer),
  });
  /** Everything that is defined, without what tells how far the read models are. */
  const segments = async (minPosition = '0'): Promise<unknown> => {
    const { body } = await system.call('GET', `/v1/segments?limit=500&count=true&minPosition=${minPosition}`);
    const { items, total } = body as { items: Record<string, unknown>[]; total: number };
    return { total, items: items.map((item) => ({ ...item, asOfPosition: null })) };
  };

  beforeAll(async () => {
    system = await RunningSystem.start();
    const { segmentId: id, position } = await define('Women', WOMEN);
    segmentId = String(id);
    await system.call('GET', `/v1/segments/${segmentId}?minPosition=${String(position)}`);
    defined = await segments(String(position));
  });

  afterAll(() => system.dispose());

  it.each(CASES)('are refused: %s', async (_, rule, code, pointer) => {
    const refused = (at: string) => ({ status: 422, code: `rules.${code}`, pointers: [`${at}${pointer}`] });
    const answers = await Promise.all([
      post('/segments', { name: 'Bad', rule }),
      system.call('PATCH', `/v1/segments/${segmentId}`, { body: { rule } }),
      post('/segments/preview', { rule }),
      post('/contacts/search', { filter: rule }),
    ]);
    const at = ['/rule', '/rule', '/rule', '/filter'];
    expect(answers.map(problem)).toEqual(at.map(refused));
  });

  it.each(NONSENSE)('are refused as a definition, and told of by a preview: %s', async (_, rule, code) => {
    const refused = { status: 422, code: `rules.${code}`, pointers: ['/rule'] };
    expect(problem(await post('/segments', { name: 'Bad', rule }))).toEqual(refused);
    const patched = await system.call('PATCH', `/v1/segments/${segmentId}`, { body: { rule } });
    expect(problem(patched)).toEqual(refused);
    const { status, body } = await post('/segments/preview', { rule });
    expect([status, body['lint']]).toEqual([
      200,
      expect.arrayContaining([
        expect.objectContaining({ level: 'error', code: `rules.${code}`, pointer: '/root' }),
      ]),
    ]);
  });

  it.each([
    '{"__proto__":{"attr":"tags"}}',
    '{"attr":"tags","op":"hasAny","value":["x"],"__proto__":{"x":1}}',
    '{"constructor":{"prototype":{"x":1}}}',
  ])('are refused before they are looked at: %s', async (rule) => {
    const { status } = await system.call('POST', '/v1/segments', { raw: `{"name":"Bad","rule":${rule}}` });
    expect(status).toBe(400);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('have changed nothing, and the largest that is allowed is taken', async () => {
    expect(await segments()).toEqual(defined);
    for (const rule of [nested(8), { any: tags(64) }, { ...CITY, value: values(1_000) }]) {
      const { status } = await post('/segments/preview', { rule, sample: 0 });
      expect(status).toBe(200);
    }
  });

  it('are refused that refer to themselves, to nothing, or too deep', async () => {
    const refersTo = (segment: unknown): object => ({ segment, op: 'in' });
    const chain = [segmentId];
    for (let n = 1; n <= 5; n += 1)
      chain.push(String((await define(`Level ${n}`, refersTo(chain[n - 1])))['segmentId']));
    const refused = async (answer: Promise<Answer>): Promise<unknown> => problem(await answer);
    const patch = (id: string | undefined, rule: object): Promise<Answer> =>
      system.call('PATCH', `/v1/segments/${String(id)}`, { body: { rule } });
    const at = { status: 422, pointers: ['/rule'] };
    const cyclic = { ...at, code: 'segments.cyclic-reference' };
    expect(await refused(patch(segmentId, refersTo(segmentId)))).toEqual(cyclic);
    expect(await refused(patch(segmentId, refersTo(chain[5])))).toEqual(cyclic);
    expect(await refused(patch(chain[1], { any: [WOMEN, { not: refersTo(chain[3]) }] }))).toEqual(cyclic);
    const deep = { ...at, code: 'segments.references-too-deep' };
    expect(await refused(post('/segments', { name: 'Level 6', rule: refersTo(chain[5]) }))).toEqual(deep);
    const unknown = { ...at, code: 'segments.unknown-reference' };
    const nobody = refersTo('00000000-0000-4000-8000-000000000000');
    expect(await refused(post('/segments', { name: 'Lost', rule: nobody }))).toEqual(unknown);
    const { body } = await system.call('GET', `/v1/segments/${segmentId}`);
    expect(body).toMatchObject({ version: 1, rule: { root: WOMEN } });
  });
});

import { contactsProjection, type ContactEvent } from '@app/contacts';
import { MongoReadStore, openReadDatabase, type ReadDatabase } from '@app/read-store';
import { evaluate, foldHistory, HistoryFacts, parseRule, ruleHash, type Membership } from '@app/rules';
import { facts, recordedLog, startEmbeddedTestMongo, type TestMongo } from '@app/testing';
import { Temporal } from 'temporal-polyfill';
import type { SegmentEvent } from '../domain/segment.events';
import { FillState } from '../read-models/mongo.fill-state';
import type { StayDocument } from '../read-models/segmented-contact';
import { MongoSegmentStore } from './mongo.segment-store';
import { SegmentEngine } from './segment-engine';
import type { AnyEvent } from './segment-engine.suite';

/**
 * Time goes on and nothing else does: the log ends at FROZEN_AT, and for fourteen months only the due-time index moves
 * anybody. Each case says by hand when its contact enters and leaves; beside that every rule is asked of every contact, on
 * the whole history, at instants all around every edge.
 */
const FROZEN_AT = '2024-01-31T22:45:00.000Z';
const END = '2025-04-10T00:00:00.000Z';
/** The engine holds the clock back by so much, for the sake of servers whose clocks differ. */
const MARGIN_MS = 500;
const AROUND_MS = [-1_000, -1, 0, 1_000];

type Case = Readonly<{
  name: string;
  tz: string;
  root: object;
  birthday?: string;
  registeredAt?: string;
  events?: readonly ContactEvent[];
  /** `<instant> in` or `<instant> out`, all that is due to the clock. */
  expected: readonly string[];
}>;

const today = { anniversary: 'profile.birthday', from: 'P0D', to: 'P0D' };
const bought = (at: string): ContactEvent => facts.purchased(`p-${at}`, 5, { occurredAt: at });
const boughtIn = (window: object): object => ({ event: 'PurchaseRecorded', window });
const VIENNA = 'Europe/Vienna';

const birthdays: readonly Case[] = [
  {
    name: 'today, in a leap year and a common one',
    ...{ tz: VIENNA, birthday: '1990-02-10', root: today },
    expected: [
      '2024-02-09T23:00:00.000Z in',
      '2024-02-10T23:00:00.000Z out',
      '2025-02-09T23:00:00.000Z in',
      '2025-02-10T23:00:00.000Z out',
    ],
  },
  {
    name: 'within seven days, over the turn of the year',
    ...{ tz: VIENNA, birthday: '1990-01-03', root: { ...today, to: 'P7D' } },
    expected: ['2024-12-26T23:00:00.000Z in', '2025-01-03T23:00:00.000Z out'],
  },
  {
    name: 'this month',
    ...{ tz: VIENNA, birthday: '1990-03-31' },
    root: { anniversary: 'profile.birthday', window: { period: 'month' } },
    expected: [
      '2024-02-29T23:00:00.000Z in',
      '2024-03-31T22:00:00.000Z out',
      '2025-02-28T23:00:00.000Z in',
      '2025-03-31T22:00:00.000Z out',
    ],
  },
  {
    name: '29 February, kept on the 28th',
    ...{ tz: VIENNA, birthday: '2004-02-29', root: { ...today, feb29: 'feb28' } },
    expected: [
      '2024-02-28T23:00:00.000Z in',
      '2024-02-29T23:00:00.000Z out',
      '2025-02-27T23:00:00.000Z in',
      '2025-02-28T23:00:00.000Z out',
    ],
  },
  {
    name: '29 February, kept on 1 March',
    ...{ tz: VIENNA, birthday: '2004-02-29', root: { ...today, feb29: 'mar1' } },
    expected: [
      '2024-02-28T23:00:00.000Z in',
      '2024-02-29T23:00:00.000Z out',
      '2025-02-28T23:00:00.000Z in',
      '2025-03-01T23:00:00.000Z out',
    ],
  },
  {
    name: '29 February within seven days',
    ...{ tz: VIENNA, birthday: '2004-02-29', root: { ...today, to: 'P7D' } },
    expected: [
      '2024-02-21T23:00:00.000Z in',
      '2024-02-29T23:00:00.000Z out',
      '2025-02-20T23:00:00.000Z in',
      '2025-02-28T23:00:00.000Z out',
    ],
  },
  {
    name: '29 February this month, kept on 1 March',
    ...{ tz: VIENNA, birthday: '2004-02-29' },
    root: { anniversary: 'profile.birthday', window: { period: 'month' }, feb29: 'mar1' },
    expected: [
      '2024-01-31T23:00:00.000Z in',
      '2024-02-29T23:00:00.000Z out',
      '2025-02-28T23:00:00.000Z in',
      '2025-03-31T22:00:00.000Z out',
    ],
  },
  {
    name: '29 February, and nobody is 21 before 1 March',
    ...{ tz: VIENNA, birthday: '2004-02-29', root: { attr: 'age', op: 'gte', value: 21 } },
    expected: ['2025-02-28T23:00:00.000Z in'],
  },
  {
    name: 'out of an age band',
    ...{
      tz: 'America/New_York',
      birthday: '1994-07-04',
      root: { attr: 'age', op: 'between', value: [18, 29] },
    },
    expected: ['2024-07-04T04:00:00.000Z out'],
  },
  {
    name: 'years since the registration, by the date at home',
    ...{ tz: VIENNA, registeredAt: '2023-03-31T22:30:00.000Z' },
    root: { anniversary: 'registeredAt', from: 'P0D', to: 'P0D' },
    expected: [
      '2024-03-31T22:00:00.000Z in',
      '2024-04-01T22:00:00.000Z out',
      '2025-03-31T22:00:00.000Z in',
      '2025-04-01T22:00:00.000Z out',
    ],
  },
];

const clocksChanged: readonly Case[] = [
  {
    name: 'a day of 23 hours',
    ...{ tz: VIENNA, birthday: '1990-03-31', root: today },
    expected: [
      '2024-03-30T23:00:00.000Z in',
      '2024-03-31T22:00:00.000Z out',
      '2025-03-30T22:00:00.000Z in',
      '2025-03-31T22:00:00.000Z out',
    ],
  },
  {
    name: 'a day of 25 hours',
    ...{ tz: VIENNA, birthday: '1990-10-27', root: today },
    expected: ['2024-10-26T22:00:00.000Z in', '2024-10-27T23:00:00.000Z out'],
  },
  {
    name: 'a day of 24 and a half hours',
    ...{ tz: 'Australia/Lord_Howe', birthday: '1990-04-07', root: today },
    expected: [
      '2024-04-06T13:00:00.000Z in',
      '2024-04-07T13:30:00.000Z out',
      '2025-04-06T13:30:00.000Z in',
      '2025-04-07T13:30:00.000Z out',
    ],
  },
  {
    name: 'a day of 23 and a half hours',
    ...{ tz: 'Australia/Lord_Howe', birthday: '1990-10-06', root: today },
    expected: ['2024-10-05T13:30:00.000Z in', '2024-10-06T13:00:00.000Z out'],
  },
  {
    name: 'a day that has no midnight',
    ...{ tz: 'America/Santiago', birthday: '1990-09-08', root: today },
    expected: ['2024-09-08T04:00:00.000Z in', '2024-09-09T03:00:00.000Z out'],
  },
  {
    name: 'a day whose last hour comes twice',
    ...{ tz: 'America/Santiago', birthday: '1990-04-06', root: today },
    expected: [
      '2024-04-06T03:00:00.000Z in',
      '2024-04-07T04:00:00.000Z out',
      '2025-04-06T04:00:00.000Z in',
      '2025-04-07T04:00:00.000Z out',
    ],
  },
  {
    name: 'a zone that is three quarters of an hour off',
    ...{ tz: 'Asia/Kathmandu', birthday: '1990-05-15', root: today },
    expected: ['2024-05-14T18:15:00.000Z in', '2024-05-15T18:15:00.000Z out'],
  },
  {
    name: 'sixty days of the calendar are an hour short in spring',
    ...{ tz: VIENNA, events: [bought('2024-01-31T12:00:00.000Z')], root: boughtIn({ last: 'P60D' }) },
    expected: ['2024-03-31T11:00:00.000Z out'],
  },
  {
    name: 'so many hours are as long as ever',
    ...{ tz: VIENNA, events: [bought('2024-01-31T12:00:00.000Z')], root: boughtIn({ last: 'PT1440H' }) },
    expected: ['2024-03-31T12:00:00.000Z out'],
  },
  {
    name: 'a window that ends in the hour that is skipped',
    ...{ tz: VIENNA, events: [bought('2024-01-31T01:30:00.000Z')], root: boughtIn({ last: 'P2M' }) },
    expected: ['2024-03-31T01:30:00.000Z out'],
  },
  {
    name: 'a window that ends in the hour that comes twice',
    ...{ tz: VIENNA, events: [bought('2024-01-27T01:30:00.000Z')], root: boughtIn({ last: 'P9M' }) },
    expected: ['2024-10-27T00:30:00.000Z out'],
  },
];

const windows: readonly Case[] = [
  {
    name: 'a month from 31 January on, in a leap year',
    ...{ tz: 'UTC', events: [bought('2024-01-31T12:00:00.000Z')], root: boughtIn({ last: 'P1M' }) },
    expected: ['2024-02-29T12:00:00.000Z out'],
  },
  {
    name: 'thirteen months from 31 January on',
    ...{ tz: 'UTC', events: [bought('2024-01-31T12:00:00.000Z')], root: boughtIn({ last: 'P13M' }) },
    expected: ['2025-02-28T12:00:00.000Z out'],
  },
  {
    name: 'two purchases leave one after the other',
    tz: 'UTC',
    events: [bought('2024-01-30T12:00:00.000Z'), bought('2024-01-30T12:00:01.000Z')],
    root: { ...boughtIn({ last: 'P30D' }), count: { op: 'eq', value: 1 }, requireTenure: false },
    expected: ['2024-02-29T12:00:00.000Z in', '2024-02-29T12:00:01.000Z out'],
  },
  {
    name: 'this month, at home',
    ...{
      tz: VIENNA,
      events: [bought('2024-01-31T22:30:00.000Z')],
      root: boughtIn({ period: 'month', offset: 0 }),
    },
    expected: ['2024-01-31T23:00:00.000Z out'],
  },
  {
    name: 'last month, which is February',
    ...{
      tz: VIENNA,
      events: [bought('2024-01-31T22:30:00.000Z')],
      root: boughtIn({ period: 'month', offset: -1 }),
    },
    expected: ['2024-01-31T23:00:00.000Z in', '2024-02-29T23:00:00.000Z out'],
  },
  {
    name: 'this quarter, into summer time',
    ...{
      tz: VIENNA,
      events: [bought('2024-01-31T12:00:00.000Z')],
      root: boughtIn({ period: 'quarter', offset: 0 }),
    },
    expected: ['2024-03-31T22:00:00.000Z out'],
  },
  {
    name: 'last year',
    ...{
      tz: VIENNA,
      events: [bought('2024-01-31T12:00:00.000Z')],
      root: boughtIn({ period: 'year', offset: -1 }),
    },
    expected: ['2024-12-31T23:00:00.000Z in'],
  },
  {
    name: 'inactive for longer than thirty days: from the millisecond after',
    ...{ tz: VIENNA, events: [bought('2024-01-31T12:00:00.000Z')] },
    root: { since: 'lastPurchase', op: 'gt', value: 'P30D', never: 'noMatch' },
    expected: ['2024-03-01T12:00:00.001Z in'],
  },
  {
    name: 'registered in the last ninety days',
    ...{ tz: VIENNA, registeredAt: '2024-01-15T11:00:00.000Z' },
    root: { attr: 'registeredAt', op: 'newerThan', value: 'P90D' },
    expected: ['2024-04-14T10:00:00.000Z out'],
  },
  {
    name: 'points that expire within thirty days',
    tz: VIENNA,
    events: [facts.credited('lot', 9, { occurredAt: FROZEN_AT, expiresAt: '2024-04-30T10:00:00.000Z' })],
    root: { metric: 'points.expiringWithin', pool: 'main', within: 'P30D', op: 'gte', value: 9 },
    expected: ['2024-03-31T10:00:00.000Z in', '2024-04-30T10:00:00.000Z out'],
  },
];

const cases: readonly Case[] = [...birthdays, ...clocksChanged, ...windows];
const segmentOf = (index: number): string => `s${String(index).padStart(2, '0')}`;
const contactOf = (index: number): string => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;

/** What the clock moves besides: who follows the first case, who was in it, and who was put somewhere until an instant. */
const FOLLOWS = 'x-follows';
const STAYED = 'x-stayed';
const WAS_IN = 'x-was-in';
const BY_HAND = 'x-by-hand';
const followers: Readonly<Record<string, Readonly<{ root: object | null; expected: readonly string[] }>>> = {
  [FOLLOWS]: { root: { segment: segmentOf(0), op: 'in' }, expected: (cases[0] as Case).expected },
  [STAYED]: {
    root: { segment: segmentOf(0), op: 'inFor', value: 'PT23H59M59S' },
    expected: [
      '2024-02-10T22:59:59.000Z in',
      '2024-02-10T23:00:00.000Z out',
      '2025-02-10T22:59:59.000Z in',
      '2025-02-10T23:00:00.000Z out',
    ],
  },
  [WAS_IN]: {
    root: { segment: segmentOf(0), op: 'wasIn', window: { last: 'P1M' } },
    expected: [
      '2024-02-09T23:00:00.000Z in',
      '2024-03-10T23:00:00.000Z out',
      '2025-02-09T23:00:00.000Z in',
      '2025-03-10T23:00:00.000Z out',
    ],
  },
  [BY_HAND]: { root: null, expected: ['2024-05-05T05:05:05.005Z out'] },
};

const rules = new Map<string, object | null>([
  ...cases.map(({ root, tz }, n) => [segmentOf(n), { dsl: 1, tz, root }] as const),
  ...Object.entries(followers).map(([id, { root }]) => [id, root && { dsl: 1, tz: VIENNA, root }] as const),
]);

const defined = [...rules].map(([segmentId, input]): SegmentEvent => {
  const rule = input === null ? null : parseRule(input);
  return {
    type: 'segments.SegmentDefined.v1',
    data: {
      ...{ segmentId, name: segmentId, description: null, template: null, version: 1 },
      ...{ rule, ruleHash: rule && ruleHash(rule), occurredAt: '2022-01-01T00:00:00.000Z' },
    },
  };
});
const contactEvents = cases.flatMap(({ birthday, registeredAt, events = [] }, n): ContactEvent[] =>
  [
    facts.registered({
      ...{ occurredAt: registeredAt ?? '2022-06-15T12:00:00.000Z' },
      ...{ profile: birthday === undefined ? {} : { birthday } },
    }),
    ...events,
  ].map((event) => ({ ...event, data: { ...event.data, contactId: contactOf(n) } }) as ContactEvent),
);
const byHand: ContactEvent = {
  type: 'contacts.SegmentAssigned.v1',
  data: {
    ...{ contactId: contactOf(0), occurredAt: FROZEN_AT, segmentId: BY_HAND, mode: 'include' },
    expiresAt: '2024-05-05T05:05:05.005Z',
  },
};
const everything = [...(defined as unknown as ContactEvent[]), ...contactEvents, byHand];
const log = recordedLog(
  everything,
  everything.map(({ data }) => data.occurredAt),
) as unknown as readonly AnyEvent[];
// A log is in the order in which it was written.
const written = [...log]
  .sort((one, other) => (one.meta.recordedAt < other.meta.recordedAt ? -1 : 1))
  .map((event, n) => ({ ...event, meta: { ...event.meta, position: BigInt(n + 1) * 10n } }));
const head = (written.at(-1) as AnyEvent).meta.position;

/** When a contact was in the first segment, by the library's own dates. */
const birthdaysOf = (birthday: string, registeredAt: number): Membership[] =>
  [2022, 2023, 2024, 2025].flatMap((year) => {
    const [, month = 0, day = 0] = birthday.split('-').map(Number);
    const date = Temporal.PlainDate.from({ year, month, day }, { overflow: 'constrain' });
    const [from, to] = [date, date.add({ days: 1 })].map(
      (one) => one.toZonedDateTime(VIENNA).epochMilliseconds,
    );
    return from === undefined || to === undefined || from < registeredAt ? [] : [{ from, to }];
  });

class Told extends HistoryFacts {
  override memberships(segmentId: string): readonly Membership[] {
    const birthday = this.attribute('profile.birthday')?.value;
    if (segmentId !== segmentOf(0) || typeof birthday !== 'string') return [];
    return birthdaysOf(birthday, this.registeredAt ?? 0);
  }
}

const known = cases.map((_, n) => {
  const history = contactEvents
    .filter(({ data }) => data.contactId === contactOf(n))
    .map((event) => written.find(({ data }) => data === event.data))
    .reduce<Parameters<typeof foldHistory>[0]>((past, event) => foldHistory(past, event as never), null);
  return new Told(history as NonNullable<typeof history>);
});
const parsed = [...rules].flatMap(([id, input]) => (input === null ? [] : [[id, parseRule(input)] as const]));

/** Who is in what at an instant, every rule asked of each of these contacts. */
const bruteForce = (at: number, contacts: readonly number[]): Record<string, readonly string[]> =>
  Object.fromEntries(
    contacts.map((n) => {
      const isPutIn = n === 0 && at < Date.parse('2024-05-05T05:05:05.005Z');
      const ids = parsed.flatMap(([id, rule]) =>
        evaluate(rule, known[n] as Told, new Date(at)).truth === 'true' ? [id] : [],
      );
      return [contactOf(n), [...ids, ...(isPutIn ? [BY_HAND] : [])].sort()];
    }),
  );

/**
 * Instants all around each edge, once each, in order, and which contacts are looked at: at the edge itself all, beside it
 * those whose edge it is.
 */
const looks = new Map<number, ReadonlySet<number>>();
const everyone = new Set(cases.keys());
const lines = [
  ...cases.map(({ expected }, n) => [n, expected] as const),
  ...Object.values(followers).map(({ expected }) => [0, expected] as const),
];
for (const [n, expected] of lines) {
  for (const line of expected) {
    const edge = Date.parse(line.split(' ')[0] as string);
    for (const off of AROUND_MS) {
      const at = edge + off;
      if (at <= Date.parse(FROZEN_AT)) continue;
      looks.set(at, off === 0 ? everyone : new Set([...(looks.get(at) ?? []), n]));
    }
  }
}
const grid = [...looks.keys()].sort((one, other) => one - other);

describe('with all events frozen', () => {
  let server: TestMongo;
  let database: ReadDatabase;
  /** What the clock of the machine shows. */
  let now = 0;

  beforeAll(async () => {
    server = await startEmbeddedTestMongo();
    database = await openReadDatabase(server);
  });

  afterAll(async () => {
    await database?.close();
    await server?.close();
  });

  /** A process that has just come up. */
  const started = async (checkpoint: bigint | null): Promise<SegmentEngine> => {
    const { db } = database;
    const engine = new SegmentEngine({
      store: new MongoSegmentStore(db, new MongoReadStore(db)),
      fills: new FillState(db),
      events: { head: async () => head },
      clock: { now: () => new Date(now) },
      onTrouble: (error) => {
        throw error;
      },
    });
    await engine.begin(checkpoint);
    return engine;
  };

  const showsIt = async (engine: SegmentEngine, at: number): Promise<void> => {
    now = at + MARGIN_MS;
    while (await engine.step());
  };

  const frozen = async (): Promise<SegmentEngine> => {
    for (const { name } of await database.db.listCollections().toArray()) {
      await database.db.collection(name).deleteMany({});
    }
    await new MongoReadStore(database.db).open('engine', { projections: [contactsProjection], journals: [] });
    now = Date.parse(FROZEN_AT) + MARGIN_MS;
    const engine = await started(null);
    await engine.apply(written);
    while (await engine.step());
    return engine;
  };

  const contacts = () =>
    database.db
      .collection<{ _id: string; _step: number; segments: string[] }>('contacts_v3')
      .find({}, { projection: { _step: 1, segments: 1 } })
      .sort({ _id: 1 })
      .toArray();
  const shown = async (ns: readonly number[]): Promise<Record<string, readonly string[]>> => {
    const wanted = new Set(ns.map(contactOf));
    const found = (await contacts()).filter(({ _id }) => wanted.has(_id));
    return Object.fromEntries(found.map(({ _id, segments }) => [_id, segments]));
  };
  const expectByRules = async (at: number): Promise<void> => {
    const ns = [...(looks.get(at) ?? [])];
    const instant = new Date(at).toISOString();
    expect([instant, await shown(ns)]).toEqual([instant, bruteForce(at, ns)]);
  };
  const stays = () =>
    database.db
      .collection<StayDocument & { _id: string }>('memberships_v1')
      .find()
      .sort({ _id: 1 })
      .toArray();

  const clockLines = async (contactId: string, segmentId: string): Promise<string[]> =>
    (await stays())
      .filter((stay) => stay.contactId === contactId && stay.segmentId === segmentId)
      .flatMap(({ causeIn, causeOut }) => [
        ...(causeIn.kind === 'clock' ? [`${causeIn.at} in`] : []),
        ...(causeOut?.kind === 'clock' ? [`${causeOut.at} out`] : []),
      ])
      .filter((line) => line > FROZEN_AT)
      .sort();

  describe('and the clock looked at all around each edge', () => {
    beforeAll(async () => {
      const engine = await frozen();
      for (const at of grid) {
        await showsIt(engine, at);
        await expectByRules(at);
      }
      await showsIt(engine, Date.parse(END));
    });

    it.each(cases.map((one, n) => [one.name, n] as const))('as the calendar says: %s', async (_, n) => {
      expect(await clockLines(contactOf(n), segmentOf(n))).toEqual((cases[n] as Case).expected);
    });

    it.each(Object.keys(followers))('what follows from that: %s', async (segmentId) => {
      expect(await clockLines(contactOf(0), segmentId)).toEqual(followers[segmentId]?.expected);
    });

    it('whatever was down, and for how long, it comes out the same', async () => {
      const expected = { stays: await stays(), shown: await shown([...everyone]) };
      for (const every of [grid.length, 31]) {
        let engine = await frozen();
        for (const [n, at] of grid.entries()) {
          if (n % every !== every - 1) continue;
          engine = await started(head);
          await showsIt(engine, at);
          await expectByRules(at);
        }
        engine = await started(head);
        await showsIt(engine, Date.parse(END));
        expect({ stays: await stays(), shown: await shown([...everyone]) }).toEqual(expected);
      }
    });
  });

  it('nobody is touched of whom nothing is due', async () => {
    const engine = await frozen();
    const edge = Date.parse('2024-02-09T23:00:00.000Z');
    await showsIt(engine, edge - 1);
    const before = await contacts();
    await showsIt(engine, edge - 1);
    expect(await contacts()).toEqual(before);
    await showsIt(engine, edge);
    const steps = new Map(before.map(({ _id, _step }) => [_id, _step]));
    const touched = (await contacts()).filter(({ _id, _step }) => _step !== steps.get(_id));
    expect(touched.map(({ _id }) => _id)).toEqual([contactOf(0)]);
  });
});

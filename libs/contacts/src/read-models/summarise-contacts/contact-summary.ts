import { bornBy, dateIn } from '@app/rules';

/**
 * Who the contacts are, in numbers. `unknown` counts those of whom it is not known. The living are counted; purchases,
 * spend and check-ins of everybody, so that turnover does not shrink with an erasure.
 */
export type ContactSummary = Readonly<{
  total: number;
  byGender: Groups;
  byAgeBand: Groups;
  byLanguage: Groups;
  byCountry: Groups;
  /** The cities with most contacts, largest first. */
  byCity: readonly Readonly<{ city: string; count: number }>[];
  /** Of registration, in UTC, oldest first. */
  registrationsByMonth: readonly Readonly<{ month: string; count: number }>[];
  active30d: number;
  active90d: number;
  points: Groups;
  spend: Groups;
  purchases: number;
  checkIns: number;
}>;

type Groups = Readonly<Record<string, number>>;

export const CITIES_MAX = 100;
/** Groups of one kind that are told apart; what comes beyond them is left out of that grouping. */
const GROUPS_MAX = 100_000;
const DAY_MS = 86_400_000;
/** The first age of each band but the youngest. */
const BANDS = [
  [18, '0-17'],
  [30, '18-29'],
  [40, '30-39'],
  [50, '40-49'],
  [60, '50-59'],
  [70, '60-69'],
] as const;

/** One row of one grouping: what it is grouped by (null: not known), and a sum. */
type GroupRow = Readonly<{ _id: string | null; sum: number }>;
type Totals = Readonly<{
  total: number;
  purchases: number;
  checkIns: number;
  active30d: number;
  active90d: number;
}>;

/** What the store makes of one stretch of the contacts. */
export type SummaryPart = Readonly<{
  totals: readonly Totals[];
  gender: readonly GroupRow[];
  ageBand: readonly GroupRow[];
  language: readonly GroupRow[];
  country: readonly GroupRow[];
  city: readonly GroupRow[];
  month: readonly GroupRow[];
  points: readonly GroupRow[];
  spend: readonly GroupRow[];
}>;

/** The stages that group contact documents into a SummaryPart, as of an instant. */
export const summaryStages = (now: Date): object[] => {
  const since = (days: number): object => {
    const from = new Date(now.getTime() - days * DAY_MS).toISOString();
    return { $sum: { $cond: [{ $and: [IS_LIVING, { $gte: ['$lastActivityAt', from] }] }, 1, 0] } };
  };
  return [
    {
      $facet: {
        totals: [
          {
            $group: {
              _id: null,
              total: { $sum: { $cond: [IS_LIVING, 1, 0] } },
              purchases: { $sum: '$counts.purchases' },
              checkIns: { $sum: '$counts.checkIns' },
              active30d: since(30),
              active90d: since(90),
            },
          },
        ],
        gender: countBy('$profile.gender'),
        ageBand: countBy(ageBand(dateIn(now, 'UTC'))),
        language: countBy('$profile.language'),
        country: countBy('$profile.address.country'),
        city: countBy('$profile.address.city'),
        month: countBy('$registeredMonth'),
        points: sumBy('points'),
        spend: sumBy('spend'),
      },
    },
  ];
};

/** Missing sorts below every text: true of contacts whose erasure has not begun. */
const IS_LIVING = { $lt: ['$erasure', ''] };

/** Of the living; figures alone go on counting after an erasure. */
const countBy = (key: unknown): object[] => [
  { $match: { erasure: null } },
  { $group: { _id: key, sum: { $sum: 1 } } },
];

const sumBy = (figures: string): object[] => [
  { $project: { _id: 0, [figures]: 1 } },
  { $project: { figure: { $objectToArray: `$${figures}` } } },
  { $unwind: '$figure' },
  { $group: { _id: '$figure.k', sum: { $sum: '$figure.v' } } },
];

/** Missing sorts below every text, and the later somebody was born, the younger. */
const ageBand = (today: string): object => ({
  $switch: {
    branches: [
      { case: { $lt: ['$profile.birthday', ''] }, then: null },
      ...BANDS.map(([age, band]) => ({
        case: { $gt: ['$profile.birthday', bornBy(age, today)] },
        then: band,
      })),
    ],
    default: '70+',
  },
});

/** Adds up what was grouped stretch by stretch. */
export class SummaryParts {
  private readonly totals = { total: 0, purchases: 0, checkIns: 0, active30d: 0, active90d: 0 };
  private readonly groups = {
    gender: new Map<string, number>(),
    ageBand: new Map<string, number>(),
    language: new Map<string, number>(),
    country: new Map<string, number>(),
    city: new Map<string, number>(),
    month: new Map<string, number>(),
    points: new Map<string, number>(),
    spend: new Map<string, number>(),
  };

  add({ totals, ...groups }: SummaryPart): void {
    for (const part of totals) {
      for (const name of Object.keys(this.totals) as (keyof Totals)[]) this.totals[name] += part[name];
    }
    for (const [name, sums] of Object.entries(this.groups)) {
      for (const { _id, sum } of groups[name as keyof typeof groups]) {
        const group = _id ?? 'unknown';
        const known = sums.get(group);
        if (known !== undefined || sums.size < GROUPS_MAX) sums.set(group, (known ?? 0) + sum);
      }
    }
  }

  summary(): ContactSummary {
    const { gender, ageBand: bands, language, country, city, month, points, spend } = this.groups;
    return {
      total: this.totals.total,
      byGender: record(gender),
      byAgeBand: record(bands),
      byLanguage: record(language),
      byCountry: record(country),
      byCity: [...city]
        .filter(([name]) => name !== 'unknown')
        .map(([name, count]) => ({ city: name, count }))
        .sort((one, other) => other.count - one.count || inOrder(one.city, other.city))
        .slice(0, CITIES_MAX),
      registrationsByMonth: [...month]
        .map(([name, count]) => ({ month: name, count }))
        .sort((one, other) => inOrder(one.month, other.month)),
      active30d: this.totals.active30d,
      active90d: this.totals.active90d,
      points: record(points),
      spend: record(spend),
      purchases: this.totals.purchases,
      checkIns: this.totals.checkIns,
    };
  }
}

const inOrder = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

/** In order of names, so that equal summaries are equal texts. */
const record = (sums: ReadonlyMap<string, number>): Groups =>
  Object.fromEntries([...sums].sort(([one], [other]) => inOrder(one, other)));

import { CursorCodec, InvalidCursorError } from '@app/http';
import type { RecordedEvent } from '@app/kernel';
import { foldBatch, MongoReadStore, ReadGate, type Change } from '@app/read-store';
import { ageOn, foldText, parseRule, type AttributeLeaf, type MetricLeaf, type RuleNode } from '@app/rules';
import { contactLogs, FixedClock } from '@app/testing';
import fc from 'fast-check';
import type { Db } from 'mongodb';
import type { ContactEvent } from '../../domain/contact.events';
import { contactColumn, type ContactColumn } from '../contacts/contact-columns';
import { contactRow } from '../contacts/contact-row';
import type { ContactDocument } from '../contacts/contact.document';
import { contactsProjection } from '../contacts/contacts.projection';
import { figureOf } from '../contacts/figures';
import { ContactReads } from '../contacts/mongo.contact-reads';
import { ContactSearch } from './contact-search';
import { HistoryMatcher } from './history-filters.suite';
import { keyRanges } from './keyset';
import { ListContactsHandler } from './list-contacts.handler';
import { ListContactsQuery, type ListContactsInput } from './list-contacts.query';

const NOW = '2024-03-01T00:00:00.000Z';
const TODAY = NOW.slice(0, 10);

/** A list against what a reader with pencil and paper would make of the same documents. */
export const contactListSuite = (db: () => Db): void => {
  describe('the list of contacts', () => {
    let list: ListContactsHandler;
    let store: MongoReadStore;

    beforeAll(async () => {
      store = new MongoReadStore(db());
      await store.open('spec', { projections: [contactsProjection], journals: [] });
      const contacts = new ContactReads(db());
      list = new ListContactsHandler(
        contacts,
        new ContactSearch(contacts, new HistoryMatcher(), new FixedClock(NOW)),
        new ReadGate({ positions: async () => new Map([['contacts_v3', 7n]]) }, [contactsProjection]),
        new CursorCodec({ derive: () => Buffer.alloc(32, 1) }),
      );
    });

    const fill = async (log: readonly RecordedEvent<ContactEvent>[]): Promise<ContactDocument[]> => {
      await db().collection('contacts_v3').deleteMany({});
      const changes = foldBatch(contactsProjection, log, new Map()) as Change<ContactDocument>[];
      if (changes.length > 0) await store.save(contactsProjection, changes);
      return changes.flatMap(({ doc }) => (doc === null ? [] : [doc]));
    };

    const pages = async (
      input: Omit<ListContactsInput, 'cursor' | 'reader'>,
    ): Promise<{ ids: string[]; rows: unknown[] }> => {
      const rows: { contactId: string }[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < 100; page += 1) {
        const answer = await list.execute(new ListContactsQuery({ ...input, reader: 'operator', cursor }));
        expect(answer.items.length).toBeLessThanOrEqual(input.limit);
        rows.push(...answer.items);
        if (answer.nextCursor === null) return { ids: rows.map(({ contactId }) => contactId), rows };
        expect(answer.items).toHaveLength(input.limit);
        cursor = answer.nextCursor;
      }
      throw new Error('The list does not end.');
    };

    it('shows each match once, in order, whatever the filter, the sort and the size of the pages', async () => {
      await fc.assert(
        fc.asyncProperty(
          contactLogs({ contactsMax: 25, stepsMax: 8 }),
          fc.array(
            fc.record({ selection: anySelection, sort: anySort, limit: fc.integer({ min: 1, max: 7 }) }),
            {
              minLength: 8,
              maxLength: 8,
            },
          ),
          async (log, questions) => {
            const docs = await fill(log);
            for (const { selection, sort, limit } of questions) {
              const expected = docs
                .filter((doc) => isSelected(doc, selection))
                .sort(comparison(sort))
                .map((doc) => contactRow(doc, TODAY));
              const found = await pages({ ...selection, sort, limit });
              expect(found.ids).toEqual(expected.map(({ contactId }) => contactId));
              expect(found.rows).toEqual(expected);
              const { total } = await list.execute(
                new ListContactsQuery({ reader: 'operator', ...selection, sort, limit, count: true }),
              );
              expect(total).toBe(expected.length);
            }
          },
        ),
        { numRuns: 6 },
      );
    }, 60_000);

    it('reads every stretch of every sort from an index, without sorting', async () => {
      const [log = []] = fc.sample(contactLogs({ contactsMax: 25, stepsMax: 8 }), { seed: 3, numRuns: 1 });
      await fill(log);
      const contacts = db().collection('contacts_v3');
      for (const sort of SORTS.flatMap((column) => [column, `-${column}`])) {
        const { column, direction } = orderOf(sort);
        const value = column.kind === 'text' ? 'b' : 1;
        for (const after of [null, { value, id: '5' }, { value: null, id: '5' }]) {
          for (const range of keyRanges({ column, direction }, after)) {
            const plan = await contacts.find(range.filter).sort(range.sort).limit(3).explain('queryPlanner');
            const { winningPlan } = plan['queryPlanner'] as { winningPlan: object };
            expect(`${sort} ${JSON.stringify(winningPlan)}`).not.toMatch(/COLLSCAN|"SORT"/);
          }
        }
      }
    });

    it('answers a sort by what nobody has in the order of ids', async () => {
      const [log = []] = fc.sample(contactLogs({ contactsMax: 25, stepsMax: 3 }), { seed: 3, numRuns: 1 });
      const docs = await fill(log);
      const ids = docs.map(({ contactId }) => contactId).sort();
      expect((await pages({ sort: 'points.nobodys', limit: 4 })).ids).toEqual(ids);
      expect((await pages({ sort: '-points.nobodys', limit: 4 })).ids).toEqual(ids.reverse());
    });

    it('refuses a cursor under another sort or filter', async () => {
      const [log = []] = fc.sample(contactLogs({ contactsMax: 25, stepsMax: 3 }), { seed: 3, numRuns: 1 });
      await fill(log);
      const { nextCursor } = await list.execute(
        new ListContactsQuery({ reader: 'operator', sort: 'email', limit: 1 }),
      );
      const cursor = nextCursor ?? '';
      await expect(
        list.execute(new ListContactsQuery({ reader: 'operator', sort: '-email', limit: 1, cursor })),
      ).rejects.toThrow(InvalidCursorError);
      await expect(
        list.execute(
          new ListContactsQuery({ reader: 'operator', sort: 'email', tag: 'vip', limit: 1, cursor }),
        ),
      ).rejects.toThrow(InvalidCursorError);
      await expect(
        list.execute(new ListContactsQuery({ reader: 'operator', sort: 'email', limit: 2, cursor })),
      ).resolves.toMatchObject({ asOfPosition: '7' });
    });
  });
};

const SORTS = [
  'lastName',
  'firstName',
  'email',
  'city',
  'country',
  'language',
  'birthday',
  'registeredAt',
  'lastActivityAt',
  'lastCheckInAt',
  'points.main',
  'points.vip',
  'points.a_b-1',
  'counts.purchases',
  'counts.checkIns',
  'counts.redemptions',
  'counts.messages',
  'spend.EUR',
  'spend.USD',
];

const orderOf = (sort: string): { column: ContactColumn; direction: 1 | -1 } => {
  const column = contactColumn(sort.replace(/^-/, ''));
  if (column === undefined) throw new Error(`No column ${sort}.`);
  return { column, direction: sort.startsWith('-') ? -1 : 1 };
};

type Selection = Readonly<{ filter?: object; q?: string; tag?: string }>;

const texts = (...values: string[]) => fc.constantFrom(...values);
const pair = <T extends string | number>(value: fc.Arbitrary<T>) =>
  fc.tuple(value, value).map(([one, other]) => (one <= other ? [one, other] : [other, one]));

const textLeaf = (attr: string, value: fc.Arbitrary<string>) =>
  fc.oneof(
    fc.record({ attr: fc.constant(attr), op: texts('eq', 'neq', 'startsWith'), value }),
    fc.record({
      attr: fc.constant(attr),
      op: texts('in', 'notIn'),
      value: fc.array(value, { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ attr: fc.constant(attr), op: texts('isSet', 'isUnset') }),
  );
const numberTest = (value: fc.Arbitrary<number>) =>
  fc.oneof(
    fc.record({ op: texts('eq', 'neq', 'lt', 'lte', 'gt', 'gte'), value }),
    fc.record({ op: texts('between', 'notBetween'), value: pair(value) }),
  );
const timeLeaf = (attr: string, value: fc.Arbitrary<string>) =>
  fc.oneof(
    fc.record({ attr: fc.constant(attr), op: texts('before', 'after'), value }),
    fc.record({ attr: fc.constant(attr), op: fc.constant('between'), value: pair(value) }),
    fc.record({ attr: fc.constant(attr), op: texts('isSet', 'isUnset') }),
  );

const anyLeaf: fc.Arbitrary<object> = fc.oneof(
  textLeaf('profile.firstName', texts('ANNA', 'anna-', 'a', 'zoe', 'É', '李', 'b')),
  textLeaf('profile.lastName', texts('berg', 'muller', 'MÜ', 'v', 'o', '😀', 'n')),
  textLeaf('profile.email', texts('c00000001@example.org', 'C0', 'x')),
  textLeaf('profile.address.city', texts('WIEN', 'w', 'Sankt polten', 'Graz')),
  textLeaf('profile.address.country', texts('AT', 'A', 'at', 'DE')),
  textLeaf('profile.language', texts('de', 'en', '$gt')),
  textLeaf('profile.gender', texts('female', 'male', 'f')),
  textLeaf('profile.phone', texts('+43 664', '0', '+')),
  textLeaf('source', texts('app', 'import')),
  timeLeaf('profile.birthday', texts('1988-02-29', '1990-05-17', '2000-01-01')),
  timeLeaf(
    'registeredAt',
    texts('2023-12-31T00:00:00Z', '2024-01-02T00:00:00+02:00', '2024-01-03T00:00:00Z'),
  ),
  fc
    .tuple(fc.constant({ attr: 'age' }), numberTest(fc.integer({ min: 10, max: 75 })))
    .map(([attr, test]) => ({ ...attr, ...test })),
  fc.record({
    attr: fc.constant('tags'),
    op: texts('hasAny', 'hasAll', 'hasNone'),
    value: fc.array(texts('vip', 'staff', '$gt', 'a.b', 'x'), { minLength: 1, maxLength: 3 }),
  }),
  fc
    .tuple(
      fc.constantFrom<object>(
        { metric: 'points.balance' },
        { metric: 'points.balance', pool: 'vip' },
        { metric: 'points.balance', pool: 'a_b-1' },
        { metric: 'purchases.count' },
        { metric: 'purchases.spend', currency: 'EUR' },
        { metric: 'checkIns.count' },
        { metric: 'redemptions.count' },
        { metric: 'messages.count' },
      ),
      numberTest(fc.oneof(fc.integer({ min: -2, max: 4 }), fc.integer({ min: 0, max: 3_000 }))),
    )
    .map(([metric, test]) => ({ ...metric, ...test })),
);

const { node: anyNode } = fc.letrec<{ node: object }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 2, depthIdentifier: 'rule' },
    anyLeaf,
    fc.record({ all: fc.array(tie('node'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ any: fc.array(tie('node'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie('node') }),
  ),
}));

const anySelection: fc.Arbitrary<Selection> = fc.oneof(
  fc.constant({}),
  fc.record({ filter: anyNode }),
  fc.record({ filter: anyNode.map((root) => ({ dsl: 1, root })) }),
  fc.record({
    q: texts(
      'ann',
      'lena b',
      'BERG',
      'müll',
      "o'b",
      'brien',
      'c0000000',
      '+43664',
      '0043 664 1',
      'von der',
      '李',
    ),
  }),
  fc.record({ tag: texts('vip', '$gt', 'nobodys') }),
  fc.record({ tag: texts('vip'), q: texts('a', 'b'), filter: anyLeaf }),
);
const anySort = fc.constantFrom(...SORTS.flatMap((column) => [column, `-${column}`]));

/** Null: unknown. Written apart from the product's own code on purpose, by the language's description alone. */
const truthOf = (node: RuleNode, doc: ContactDocument): boolean | null => {
  if ('all' in node) {
    const parts = node.all.map((part) => truthOf(part, doc));
    return parts.includes(false) ? false : parts.includes(null) ? null : true;
  }
  if ('any' in node) {
    const parts = node.any.map((part) => truthOf(part, doc));
    return parts.includes(true) ? true : parts.includes(null) ? null : false;
  }
  if ('not' in node) {
    const part = truthOf(node.not, doc);
    return part === null ? null : !part;
  }
  if ('attr' in node || 'metric' in node) return leafTruth(node, doc);
  throw new Error('No such leaf is generated here.');
};

const leafTruth = (leaf: AttributeLeaf | MetricLeaf, doc: ContactDocument): boolean | null => {
  const value = 'metric' in leaf ? metricOf(leaf, doc) : attributeOf(leaf.attr, doc);
  if (leaf.op === 'isSet') return value !== undefined;
  if (leaf.op === 'isUnset') return value === undefined;
  if (value === undefined) return null;
  const folds =
    'attr' in leaf &&
    ['profile.firstName', 'profile.lastName', 'profile.email', 'profile.address.city'].includes(leaf.attr);
  const form = (given: unknown) => (folds ? foldText(given as string) : given);
  const operand = 'value' in leaf ? leaf.value : [];
  // Numbers are compared as numbers; the type only says that both sides are of one kind.
  const list = [operand].flat().map(form) as string[];
  const [low = '', high = ''] = list;
  const own = form(value) as string;
  const tags = value as readonly unknown[];
  switch (leaf.op) {
    case 'eq':
      return own === low;
    case 'neq':
      return own !== low;
    case 'in':
      return list.includes(own);
    case 'notIn':
      return !list.includes(own);
    case 'startsWith':
      return own.startsWith(low);
    case 'lt':
    case 'before':
      return own < low;
    case 'lte':
      return own <= low;
    case 'gt':
    case 'after':
      return own > low;
    case 'gte':
      return own >= low;
    case 'between':
      return low <= own && own <= high;
    case 'notBetween':
      return own < low || own > high;
    case 'hasAny':
      return list.some((tag) => tags.includes(tag));
    case 'hasAll':
      return list.every((tag) => tags.includes(tag));
    case 'hasNone':
      return !list.some((tag) => tags.includes(tag));
    default:
      throw new Error('No such operator is generated here.');
  }
};

const attributeOf = (attr: string, { profile, source, registeredAt }: ContactDocument): unknown => {
  if (attr === 'tags') return profile.tags ?? [];
  if (attr === 'source') return source;
  if (attr === 'registeredAt') return registeredAt;
  if (attr === 'age') return profile.birthday && ageOn(profile.birthday, TODAY);
  const [, field = '', inner = ''] = attr.split('.');
  const value = (profile as Record<string, unknown>)[field];
  return inner === '' ? value : (value as Record<string, unknown> | undefined)?.[inner];
};

const metricOf = (
  leaf: Readonly<{ metric: string; pool?: string; currency?: string }>,
  doc: ContactDocument,
): number => {
  if (leaf.metric === 'points.balance') return figureOf(doc.points, leaf.pool ?? '') ?? 0;
  if (leaf.metric === 'purchases.spend') return figureOf(doc.spend, leaf.currency ?? '') ?? 0;
  return doc.counts[leaf.metric.split('.')[0] as keyof ContactDocument['counts']];
};

const isSelected = (doc: ContactDocument, { filter, q, tag }: Selection): boolean =>
  (filter === undefined || truthOf(parseRule(filter).root as RuleNode, doc) === true) &&
  (tag === undefined || (doc.profile.tags ?? []).includes(tag)) &&
  (q === undefined || isFound(doc, q));

const isFound = ({ profile }: ContactDocument, q: string): boolean => {
  const { firstName = '', lastName = '', email = '', phone = '' } = profile;
  const names = [firstName, lastName].flatMap((name) => foldText(name).split(' '));
  const starts = names.flatMap((name) => [
    name,
    ...name.split(/[-']/).map((_, n, parts) => name.slice(name.length - parts.slice(n).join('-').length)),
  ]);
  const digits = phone.replace(/\D/g, '');
  const words = /^[+\d]/.test(q) ? [q.replace(/\D/g, '').replace(/^00/, '')] : foldText(q).split(' ');
  return words.every((word) =>
    [...starts, foldText(email), digits].some((term) => term !== '' && term.startsWith(word)),
  );
};

const valueOf = (doc: ContactDocument, sort: string): string | number | null => {
  const { profile } = doc;
  const column = sort.replace(/^-/, '');
  const [first = '', ...rest] = column.split('.');
  const name = rest.join('.');
  if (first === 'points' || first === 'spend') return figureOf(doc[first], name);
  if (first === 'counts') return doc.counts[name as keyof ContactDocument['counts']];
  switch (column) {
    case 'lastName':
    case 'firstName':
    case 'email':
      return profile[column] === undefined ? null : foldText(profile[column]);
    case 'city':
      return profile.address?.city === undefined ? null : foldText(profile.address.city);
    case 'country':
      return profile.address?.country ?? null;
    case 'language':
    case 'birthday':
      return profile[column] ?? null;
    default:
      return doc[column as 'registeredAt' | 'lastActivityAt' | 'lastCheckInAt'];
  }
};

/** Missing lowest, texts by code point, ties by id. */
const comparison = (sort: string) => {
  const sign = sort.startsWith('-') ? -1 : 1;
  const ranked = (value: string | number | null): [number, string | number] =>
    value === null ? [0, 0] : [1, value];
  const compared = (one: string | number, other: string | number): number =>
    typeof one === 'number'
      ? one - Number(other)
      : Buffer.compare(Buffer.from(one), Buffer.from(String(other)));
  return (one: ContactDocument, other: ContactDocument): number => {
    const [oneRank, oneValue] = ranked(valueOf(one, sort));
    const [otherRank, otherValue] = ranked(valueOf(other, sort));
    const order =
      oneRank - otherRank || compared(oneValue, otherValue) || compared(one.contactId, other.contactId);
    return sign * order;
  };
};

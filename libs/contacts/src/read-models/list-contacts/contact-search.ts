import { Injectable } from '@nestjs/common';
import { Clock } from '@app/kernel';
import { dependenciesOf, type Rule, type StoreFilter } from '@app/rules';
import type { Reader } from '../../visibility';
import type { ContactDocument } from '../contacts/contact.document';
import { NOTHING_FILLING, type FillingSegments } from '../contacts/filling-segments';
import { ContactReads } from '../contacts/mongo.contact-reads';
import { selectionFilter, type ContactSelection } from './contact-selection';
import { keyRanges, sortValueOf, type PagePosition, type SortOrder } from './keyset';
import { FilterTooCostlyError, InvalidContactListError } from './list-contacts.errors';
import { RuleMatcher } from './rule-matcher.port';

/** Contacts that are asked in memory at once. */
const ASKED_AT_ONCE = 500;
const ASKING_TIME_MAX_MS = 10_000;

/** A selection at an instant: what the store filters by, and what is then asked of each contact it holds. */
export type PreparedSelection = Readonly<{
  filter: StoreFilter;
  /** Null: the filter holds nobody else. */
  rest: Rule | null;
  now: Date;
  filling: FillingSegments;
  /** On the clock of performance.now(). */
  deadlineMs: number;
}>;

/**
 * Finds selected contacts. Where a rule asks for more than the documents show, the store narrows down and the rest is asked
 * batch by batch, with no more than a batch in memory.
 */
@Injectable()
export class ContactSearch {
  constructor(
    private readonly contacts: ContactReads,
    private readonly rules: RuleMatcher,
    private readonly clock: Clock,
  ) {}

  /** Has contacts read as they are shown while segments are being filled; see RuleMatcher. */
  whileFilling<Answer>(read: (filling: FillingSegments) => Promise<Answer>): Promise<Answer> {
    return this.rules.whileFilling(read);
  }

  /** Throws InvalidContactListError where there is no such segment, and ReadBehindError. */
  async prepare(
    selection: ContactSelection,
    reader: Reader,
    filling: FillingSegments = NOTHING_FILLING,
  ): Promise<PreparedSelection> {
    const { segment, rule } = selection;
    if (segment !== null && !(await this.rules.knowsSegment(segment))) {
      throw new InvalidContactListError(
        'contacts.unknown-segment',
        '/segment',
        'There is no segment of this id.',
      );
    }
    const now = this.clock.now();
    const deadlineMs = performance.now() + ASKING_TIME_MAX_MS;
    const asked = [
      ...(segment === null ? [] : [segment]),
      ...(rule === null ? [] : dependenciesOf(rule).segments),
    ];
    const before = new Map<string, StoreFilter>();
    for (const id of new Set(asked)) if (filling.ids.has(id)) before.set(id, await filling.membersOf(id));
    return { ...selectionFilter(selection, now, reader, before), now, filling, deadlineMs };
  }

  /** The next contacts in order, at most `limit`. Throws FilterTooCostlyError. */
  async page(
    selection: PreparedSelection,
    order: SortOrder,
    after: PagePosition | null,
    limit: number,
  ): Promise<readonly ContactDocument[]> {
    if (selection.rest === null) return this.rows(selection.filter, order, after, limit);
    const found: ContactDocument[] = [];
    for (let last = after; ;) {
      const batch = await this.rows(selection.filter, order, last, ASKED_AT_ONCE);
      found.push(...(await this.matching(selection, batch, ({ contactId }) => contactId)));
      const end = batch.at(-1);
      if (found.length >= limit || end === undefined || batch.length < ASKED_AT_ONCE) break;
      last = { value: sortValueOf(end, order), id: end.contactId };
      checkTime(selection);
    }
    return found.slice(0, limit);
  }

  /** Throws FilterTooCostlyError. */
  async count(selection: PreparedSelection): Promise<number> {
    if (selection.rest === null) return this.contacts.count(selection.filter);
    let count = 0;
    for (let after = ''; ;) {
      const ids = await this.contacts.ids(selection.filter, after, ASKED_AT_ONCE);
      count += (await this.matching(selection, ids, (id) => id)).length;
      const last = ids.at(-1);
      if (last === undefined || ids.length < ASKED_AT_ONCE) return count;
      after = last;
      checkTime(selection);
    }
  }

  /** As a filter for those that the selection holds of a stretch of them. Throws FilterTooCostlyError. */
  async within(selection: PreparedSelection, stretch: StoreFilter): Promise<StoreFilter> {
    const filter = { $and: [stretch, selection.filter] };
    if (selection.rest === null) return filter;
    const held: string[] = [];
    for (let after = ''; ;) {
      const ids = await this.contacts.ids(filter, after, ASKED_AT_ONCE);
      held.push(...(await this.matching(selection, ids, (id) => id)));
      const last = ids.at(-1);
      if (last === undefined || ids.length < ASKED_AT_ONCE) return { _id: { $in: held } };
      after = last;
      checkTime(selection);
    }
  }

  private async matching<T>(
    { rest, now, filling }: PreparedSelection,
    asked: readonly T[],
    idOf: (one: T) => string,
  ): Promise<readonly T[]> {
    if (rest === null || asked.length === 0) return asked;
    const matches = await this.rules.matching(rest, asked.map(idOf), now, filling);
    return asked.filter((one) => matches.has(idOf(one)));
  }

  private async rows(
    filter: StoreFilter,
    order: SortOrder,
    after: PagePosition | null,
    limit: number,
  ): Promise<ContactDocument[]> {
    const found: ContactDocument[] = [];
    for (const range of keyRanges(order, after)) {
      found.push(...(await this.contacts.rows(filter, range, limit - found.length, order.column)));
      if (found.length >= limit) break;
    }
    return found;
  }
}

const checkTime = ({ deadlineMs }: PreparedSelection): void => {
  if (performance.now() > deadlineMs) throw new FilterTooCostlyError();
};

import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { ContactReads, type Reader } from '@app/contacts';
import { CursorCodec } from '@app/http';
import { compareChanges, groupedChanges, type MemberChange } from './changes';
import { earlierOf, type Moment } from './moment';
import { StayReads, type ChangePlace } from './mongo.stay-reads';
import { countsAt, instantsOf, SERIES_POINTS_MAX } from './series';
import { InvalidMomentError, ShownAsOf } from '../../evaluation/shown-as-of';
import {
  GetMemberSeriesQuery,
  ListChangesQuery,
  type MemberSeries,
  type Page,
  type Period,
} from './stays.queries';

/**
 * So many contacts' changes at most are looked at for one page. An edited rule that nearly everybody stays in under is a change
 * of nobody: the page that meets it is a short one.
 */
const LOOKED_AT_MAX = 20_000;
const FIRST_INSTANT = '0000-01-01T00:00:00.000Z';

const checkPeriod = ({ from, to }: Period): void => {
  if (from !== undefined && to !== undefined && from > to) {
    throw new InvalidMomentError('segments.invalid-period', '/from', 'The period ends before it begins.');
  }
};

/** Behind this change. */
type After = ChangePlace & Readonly<{ position: string; change: MemberChange['change'] }>;

@QueryHandler(ListChangesQuery)
export class ListChangesHandler implements IQueryHandler<ListChangesQuery> {
  constructor(
    private readonly shown: ShownAsOf,
    private readonly stays: StayReads,
    private readonly contacts: ContactReads,
    private readonly cursors: CursorCodec,
  ) {}

  /** Throws InvalidMomentError, InvalidCursorError and what ShownAsOf throws. */
  async execute(query: ListChangesQuery): Promise<Page<MemberChange>> {
    const { segmentId, period, paging, reader, minPosition } = query;
    checkPeriod(period);
    const binding = ['changes', segmentId, period.from, period.to];
    const after = paging.cursor === undefined ? null : placeOf(this.cursors.decode(paging.cursor, binding));
    return this.shown.ask([segmentId], { minPosition }, async ({ moments, asOfPosition }) => {
      const moment = moments.get(segmentId) ?? null;
      const { found, next } = await this.read(segmentId, period, moment, after, paging.limit);
      return {
        items: await this.visible(found, reader),
        nextCursor: next === null ? null : this.cursors.encode(valuesOf(next), binding),
        asOfPosition: asOfPosition.toString(),
      };
    });
  }

  /** `next`: where the page ended, unless there is nothing more. */
  private async read(
    segmentId: string,
    { from = FIRST_INSTANT, to }: Period,
    moment: Moment | null,
    after: After | null,
    limit: number,
  ): Promise<Readonly<{ found: readonly MemberChange[]; next: After | null }>> {
    const range = { from, to: to ?? null };
    const found: MemberChange[] = [];
    let looked = 0;
    const groups = groupedChanges(
      this.stays.inOrder('opens', segmentId, range, moment, after),
      this.stays.inOrder('closes', segmentId, range, moment, after),
    );
    for await (const group of groups) {
      for (const change of group.changes) {
        if (after !== null && !isBehind(change, after)) continue;
        // One more than asked tells whether there is a next page.
        if (found.length === limit) return { found, next: afterChange(found.at(-1) as MemberChange) };
        found.push(change);
      }
      looked += 1;
      if (looked === LOOKED_AT_MAX) return { found, next: afterGroup(group) };
    }
    return { found, next: null };
  }

  /** Without those whom the reader may not see. */
  private async visible(changes: readonly MemberChange[], reader: Reader): Promise<readonly MemberChange[]> {
    if (reader === 'admin' || changes.length === 0) return changes;
    const ids = [...new Set(changes.map(({ contactId }) => contactId))];
    const filter = { _id: { $in: ids }, processingRestricted: true };
    const hidden = new Set(await this.contacts.ids(filter, '', ids.length));
    return changes.filter(({ contactId }) => !hidden.has(contactId));
  }
}

const afterChange = ({ at, contactId, change, cause: { position } }: MemberChange): After => ({
  at,
  contactId,
  position,
  change,
});

/** Behind all there can be of a contact at an instant. */
const afterGroup = ({ at, contactId }: ChangePlace): After => ({
  at,
  contactId,
  position: String(2n ** 63n - 1n),
  change: 'entered',
});

const isBehind = (change: MemberChange, { at, contactId, ...last }: After): boolean =>
  change.at !== at ||
  change.contactId !== contactId ||
  compareChanges(change, {
    ...change,
    change: last.change,
    cause: { ...change.cause, position: last.position },
  }) > 0;

const valuesOf = ({ at, contactId, position, change }: After): string[] => [at, contactId, position, change];

/** The codec gives back what was encoded, or throws. */
const placeOf = (values: readonly unknown[]): After => {
  const [at, contactId, position, change] = values as [string, string, string, MemberChange['change']];
  return { at, contactId, position, change };
};

@QueryHandler(GetMemberSeriesQuery)
export class GetMemberSeriesHandler implements IQueryHandler<GetMemberSeriesQuery> {
  constructor(
    private readonly shown: ShownAsOf,
    private readonly stays: StayReads,
  ) {}

  /** Throws InvalidMomentError and what ShownAsOf throws. */
  async execute({ segmentId, from, to, step, minPosition }: GetMemberSeriesQuery): Promise<MemberSeries> {
    checkPeriod({ from, to });
    const all = instantsOf(from, to, step);
    if (all === null)
      throw new InvalidMomentError('segments.invalid-step', '/step', 'The step leads nowhere.');
    if (all.length > SERIES_POINTS_MAX) {
      throw new InvalidMomentError(
        'segments.too-many-points',
        '/step',
        `A series has at most ${SERIES_POINTS_MAX} points; take a longer step or a shorter period.`,
      );
    }
    return this.shown.ask([segmentId], { minPosition }, async ({ moments, asOfPosition, now }) => {
      const instants = all.filter((at) => at <= now);
      const [first] = instants;
      const last = instants.at(-1);
      if (first === undefined || last === undefined)
        return { points: [], asOfPosition: asOfPosition.toString() };
      const moment = moments.get(segmentId) ?? null;
      const start = moment === null ? { at: first } : earlierOf({ at: first }, moment);
      // Behind the moment nothing happens any more.
      const range = { after: start.at, upTo: last };
      const points = await countsAt(
        instants,
        await this.stays.count(segmentId, start),
        this.stays.instants('opens', segmentId, range, moment),
        this.stays.instants('closes', segmentId, range, moment),
      );
      return { points, asOfPosition: asOfPosition.toString() };
    });
  }
}

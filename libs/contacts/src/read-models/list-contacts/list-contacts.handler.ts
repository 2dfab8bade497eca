import { CursorCodec } from '@app/http';
import { ReadGate } from '@app/read-store';
import { dateIn } from '@app/rules';
import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { CONTACT_COLUMN_NAMES, contactColumn } from '../contacts/contact-columns';
import { contactRow } from '../contacts/contact-row';
import { ContactReads } from '../contacts/mongo.contact-reads';
import { ContactSearch } from './contact-search';
import { contactSelection } from './contact-selection';
import { sortValueOf, type PagePosition, type SortOrder, type SortValue } from './keyset';
import { InvalidContactListError } from './list-contacts.errors';
import { ListContactsQuery, type ContactPage } from './list-contacts.query';

const DEFAULT_SORT = '-registeredAt';

@QueryHandler(ListContactsQuery)
export class ListContactsHandler implements IQueryHandler<ListContactsQuery> {
  constructor(
    private readonly contacts: ContactReads,
    private readonly search: ContactSearch,
    private readonly gate: ReadGate,
    private readonly cursors: CursorCodec,
  ) {}

  async execute({ input }: ListContactsQuery): Promise<ContactPage> {
    const selection = contactSelection(input);
    const sort = input.sort ?? DEFAULT_SORT;
    const asked = sortOrder(sort);
    const binding = JSON.stringify(['contacts', sort, selection]);
    const after = input.cursor === undefined ? null : positionOf(this.cursors.decode(input.cursor, binding));

    const asOfPosition = await this.gate.wait(input.minPosition);
    const order = await this.served(asked);
    const { page, hasMore, total, now } = await this.search.whileFilling(async (filling) => {
      const prepared = await this.search.prepare(selection, input.reader, filling);
      // One more than asked for tells whether there is a next page.
      const found = await this.search.page(prepared, order, after, input.limit + 1);
      return {
        page: await filling.asBefore(found.slice(0, input.limit)),
        hasMore: found.length > input.limit,
        total: input.count ? await this.search.count(prepared) : undefined,
        now: prepared.now,
      };
    });

    const last = page.at(-1);
    const today = dateIn(now, 'UTC');
    return {
      items: page.map((doc) => contactRow(doc, today)),
      nextCursor:
        last !== undefined && hasMore
          ? this.cursors.encode([sortValueOf(last, order), last.contactId], binding)
          : null,
      ...(total !== undefined && { total }),
      asOfPosition: asOfPosition.toString(),
    };
  }

  /** A column that nobody has leaves only the ties; sorting by it in the store would read the whole collection. */
  private async served(order: SortOrder): Promise<SortOrder> {
    return order.column === null || (await this.contacts.isKnown(order.column))
      ? order
      : { ...order, column: null };
  }
}

const sortOrder = (sort: string): SortOrder => {
  const descending = sort.startsWith('-');
  const column = contactColumn(descending ? sort.slice(1) : sort);
  if (column === undefined) {
    throw new InvalidContactListError(
      'contacts.unknown-sort',
      '/sort',
      `Columns to sort by: ${CONTACT_COLUMN_NAMES.join(', ')}; a "-" before it sorts downwards.`,
    );
  }
  return { column, direction: descending ? -1 : 1 };
};

/** The codec gives back what was encoded, or throws. */
const positionOf = (values: readonly unknown[]): PagePosition => {
  const [value, id] = values as [SortValue, string];
  return { value, id };
};

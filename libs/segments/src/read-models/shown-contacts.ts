import { ContactReads, RuleMatcher, visibleTo, type Reader } from '@app/contacts';

const BY_ID = { filter: {}, sort: { _id: 1 } } as const;

type Row = Awaited<ReturnType<ContactReads['rows']>>[number];

/** Those of some contacts that a reader may see, with the segments that they are shown to be in; in the order of ids. */
export const shownContacts = (
  contacts: ContactReads,
  rules: RuleMatcher,
  contactIds: readonly string[],
  reader: Reader,
): Promise<readonly Row[]> =>
  rules.whileFilling(async (filling) => {
    const filter = { _id: { $in: [...contactIds] }, ...visibleTo(reader) };
    return filling.asBefore(await contacts.rows(filter, BY_ID, contactIds.length, null));
  });

import { Query } from '@nestjs/cqrs';
import type { ContactRow } from '../contacts/contact-row';
import type { Reader } from '../../visibility';
import type { SelectionInput } from './contact-selection';

export type ListContactsInput = SelectionInput &
  Readonly<{
    reader: Reader;
    /** A column, `-` before it for descending; newest registrations first if not given. */
    sort?: string | undefined;
    limit: number;
    cursor?: string | undefined;
    /** Also count all that match. */
    count?: boolean | undefined;
    minPosition?: bigint | undefined;
  }>;

export type ContactPage = Readonly<{
  items: readonly ContactRow[];
  nextCursor: string | null;
  total?: number;
  asOfPosition: string;
}>;

/** A page of contacts. */
export class ListContactsQuery extends Query<ContactPage> {
  constructor(readonly input: ListContactsInput) {
    super();
  }
}

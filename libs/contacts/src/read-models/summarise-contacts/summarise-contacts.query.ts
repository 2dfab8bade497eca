import { Query } from '@nestjs/cqrs';
import type { Reader } from '../../visibility';
import type { SelectionInput } from '../list-contacts/contact-selection';
import type { ContactSummary } from './contact-summary';

export const CITIES_DEFAULT = 20;

export type SummariseContactsInput = SelectionInput &
  Readonly<{
    reader: Reader;
    /** How many cities to name. */
    cities?: number | undefined;
    minPosition?: bigint | undefined;
  }>;

export type SummaryAnswer = ContactSummary & Readonly<{ asOfPosition: string }>;

/** The demographic overview. */
export class SummariseContactsQuery extends Query<SummaryAnswer> {
  constructor(readonly input: SummariseContactsInput) {
    super();
  }
}

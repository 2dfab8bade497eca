import { Clock } from '@app/kernel';
import { ReadGate } from '@app/read-store';
import type { StoreFilter } from '@app/rules';
import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { ContactReads } from '../contacts/mongo.contact-reads';
import { ContactSearch, type PreparedSelection } from '../list-contacts/contact-search';
import { contactSelection } from '../list-contacts/contact-selection';
import { SummaryParts, summaryStages, type ContactSummary, type SummaryPart } from './contact-summary';
import { CITIES_DEFAULT, SummariseContactsQuery, type SummaryAnswer } from './summarise-contacts.query';
import { SummaryCache } from './summary-cache';

/** Small enough that no list page waits long for the store to finish one of them. */
const CONTACTS_AT_ONCE = 1_000;
const STRETCHES_MAX = 4_096;

@QueryHandler(SummariseContactsQuery)
export class SummariseContactsHandler implements IQueryHandler<SummariseContactsQuery> {
  private readonly cache = new SummaryCache();

  constructor(
    private readonly contacts: ContactReads,
    private readonly search: ContactSearch,
    private readonly gate: ReadGate,
    private readonly clock: Clock,
  ) {}

  async execute({ input }: SummariseContactsQuery): Promise<SummaryAnswer> {
    const { cities = CITIES_DEFAULT, minPosition, reader } = input;
    const selection = contactSelection(input);
    // Without a filter it says nothing of anybody; with one it could single out a contact that the caller may not see.
    const { rule, prefixes, tag, segment } = selection;
    const isEverybody = rule === null && prefixes.length === 0 && tag === null && segment === null;
    const position = await this.gate.wait(minPosition);
    const { summary, asOfPosition } = await this.cache.get(
      JSON.stringify(isEverybody ? null : [selection, reader === 'admin']),
      { minPosition: minPosition ?? 0n, position },
      () =>
        isEverybody
          ? this.make(null)
          : this.search.whileFilling(async (filling) =>
              this.make(await this.search.prepare(selection, reader, filling)),
            ),
    );
    return { ...summary, byCity: summary.byCity.slice(0, cities), asOfPosition: asOfPosition.toString() };
  }

  /** Stretch by stretch, each contact in exactly one of them. */
  private async make(selection: PreparedSelection | null): Promise<ContactSummary> {
    const stages = summaryStages(selection?.now ?? this.clock.now());
    const count = Math.ceil((await this.contacts.estimatedCount()) / CONTACTS_AT_ONCE);
    const parts = new SummaryParts();
    for (const stretch of idStretches(Math.min(Math.max(count, 1), STRETCHES_MAX))) {
      const filter = selection === null ? stretch : await this.search.within(selection, stretch);
      const found = await this.contacts.aggregate<SummaryPart>([{ $match: filter }, ...stages]);
      for (const part of found) parts.add(part);
    }
    return parts.summary();
  }
}

/** Ids are random, so equal parts of the space of ids hold about as many contacts each. Open at both ends. */
export const idStretches = (count: number): StoreFilter[] =>
  Array.from({ length: count }, (_, index) => {
    const start = (stretch: number): string =>
      Math.floor((stretch * 0x10000) / count)
        .toString(16)
        .padStart(4, '0');
    return {
      _id: { $gte: index === 0 ? '' : start(index), ...(index < count - 1 && { $lt: start(index + 1) }) },
    };
  });

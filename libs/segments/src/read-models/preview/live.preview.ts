import { Injectable } from '@nestjs/common';
import { ContactReads, visibleTo, type Reader } from '@app/contacts';
import {
  compileFilter,
  isRanked,
  nodesOf,
  truthsOf,
  type EvaluationOptions,
  type ContactFacts,
  type Rule,
  type StoreFilter,
} from '@app/rules';
import { StoredContactFacts, type AskedContact } from '../../evaluation/mongo.contact-facts';
import { factRuleFields } from '../../facts/fact-filters';
import { ContactRanking } from '../../ranking/mongo.contact-ranking';
import type { SegmentDocument } from '../segments/segments.projection';
import { PreviewTooCostlyError } from './preview.errors';
import { PreviewTally, standingIn } from './preview-tally';
import { asRuleOnFigure } from './ranked-rule';

/** Contacts that are asked in memory at once. */
const BATCH = 500;

export type Preview = Readonly<{
  rule: Rule;
  reader: Reader;
  sample: number;
  compareTo: string | null;
  /** On the clock of performance.now(). */
  deadlineMs: number;
}>;

/** Who can be in what a rule decides. */
const PROFILED: StoreFilter = { erasure: null, profilingObjected: null };

/**
 * Tries a rule on the contacts as they are. What compiles is counted by the store; the other nodes of the rule are asked
 * contact by contact, of those only that the store cannot rule out.
 */
@Injectable()
export class LivePreview {
  constructor(
    private readonly stored: StoredContactFacts,
    private readonly contacts: ContactReads,
    private readonly ranking: ContactRanking,
  ) {}

  /** Throws PreviewTooCostlyError and ReadStoreUnavailableError. */
  async of(preview: Preview, now: Date): Promise<PreviewTally> {
    const { rule } = preview;
    if (!isRanked(rule.root)) return this.tally(preview, rule, {}, now);
    const { cutOff } = await this.ranking.rank(rule, now);
    return this.tally(preview, asRuleOnFigure(rule, cutOff) ?? rule, { cutOff }, now);
  }

  /** `asked`: what stands for the rule, node by node, but for a ranking, which is one node. */
  private async tally(
    preview: Preview,
    asked: Rule,
    options: EvaluationOptions,
    now: Date,
  ): Promise<PreviewTally> {
    const tally = new PreviewTally(preview.rule, preview.sample);
    const nodes = isRanked(preview.rule.root) ? [{ pointer: '/root', node: asked.root }] : nodesOf(asked);
    // Documents count what is dated ahead of now. Clocks differ by little, so these are few.
    const iso = now.toISOString();
    const ahead = { ...PROFILED, lastActivityAt: { $gt: iso } };
    const hasAhead = (await this.stored.count(ahead)) > 0;
    const settled: StoreFilter = hasAhead ? { ...PROFILED, lastActivityAt: { $lte: iso } } : PROFILED;

    const open: { pointer: string; filter: StoreFilter }[] = [];
    for (const { pointer, node } of nodes) {
      const { filter, rest } = compileFilter({ ...asked, root: node }, factRuleFields, now);
      const found = both(settled, filter);
      if (rest !== null) {
        open.push({ pointer, filter });
        continue;
      }
      if (pointer === '/root') await this.countFound(tally, preview, found, now);
      else tally.addClause(pointer, await this.stored.count(found));
      checkTime(preview);
    }
    const scans: { filter: StoreFilter; pointers: ReadonlySet<string> | null }[] = [];
    if (open.length > 0) {
      const pointers = new Set(open.map(({ pointer }) => pointer));
      scans.push({ filter: both(settled, some(open.map(({ filter }) => filter))), pointers });
    }
    if (hasAhead) scans.push({ filter: ahead, pointers: null });
    for (const { filter, pointers } of scans) {
      await this.scan(preview, filter, async (batch) => {
        const facts = await this.stored.factsOf(batch, asked, now);
        batch.forEach((contact, n) => {
          const known = facts[n] as ContactFacts;
          const all = [...truthsOf(asked, known, now, options)];
          const truths = new Map(pointers === null ? all : all.filter(([pointer]) => pointers.has(pointer)));
          const isShown = preview.reader === 'admin' || contact.processingRestricted === undefined;
          tally.add(truths, contact.contactId, known, standing(preview, contact, iso), isShown);
        });
      });
    }
    return tally;
  }

  /** Whom the rule finds where the store finds them, and what else is said of them: in one go over the contacts. */
  private async countFound(
    tally: PreviewTally,
    { compareTo, sample, reader }: Preview,
    found: StoreFilter,
    now: Date,
  ): Promise<void> {
    const [counted] = await this.contacts.aggregate<FoundCounts>([
      { $match: found },
      { $group: { _id: null, count: { $sum: 1 }, ...foundSums(compareTo, now.toISOString()) } },
    ]);
    if (counted === undefined) return;
    tally.addClause('/root', counted.count);
    tally.reach.email += counted.email;
    tally.reach.sms += counted.sms;
    tally.reach.inbox += counted.count;
    // What looks into lists is quicker as a filter.
    tally.reach.push += await this.stored.count(both(found, { 'devices.pushable': true }));
    if (compareTo !== null) {
      const byHand = {
        $or: ['include', 'exclude'].map((mode) => heldBy(compareTo, mode, now.toISOString())),
      };
      const inside = both(both(found, { segments: compareTo }), { $nor: [byHand] });
      const insideCount = await this.stored.count(inside);
      tally.foundInside += insideCount;
      tally.foundOutside += (counted.free ?? 0) - insideCount;
    }
    const shown = {
      filter: both(found, visibleTo(reader)),
      range: { filter: {}, sort: { _id: 1 } as const },
    };
    const rows = sample === 0 ? [] : await this.contacts.rows(shown.filter, shown.range, sample, null);
    tally.found.push(...rows.map(({ contactId }) => contactId));
  }

  /** Page by page, in the order of ids. */
  async scan(
    preview: Pick<Preview, 'deadlineMs'>,
    filter: StoreFilter,
    look: (batch: readonly AskedContact[]) => Promise<void>,
  ): Promise<void> {
    let next: Promise<readonly AskedContact[]> | null = this.stored.scan(filter, '', BATCH);
    while (next !== null) {
      checkTime(preview);
      const batch: readonly AskedContact[] = await next;
      const last = batch.length < BATCH ? undefined : batch.at(-1);
      next = last === undefined ? null : this.stored.scan(filter, last.contactId, BATCH);
      // The store looks for them meanwhile; where it fails, that is met when they are waited for.
      next?.catch(() => undefined);
      await look(batch);
    }
  }

  /** How many members a segment would get and lose if whom the rule finds were in it. */
  async compared(
    tally: PreviewTally,
    { segmentId, status }: Pick<SegmentDocument, 'segmentId' | 'status'>,
    now: Date,
  ): Promise<Readonly<{ wouldEnter: number; wouldLeave: number }>> {
    const iso = now.toISOString();
    const inside = { segments: segmentId };
    const included = heldBy(segmentId, 'include', iso);
    const [members, keptInside] = await Promise.all([
      this.stored.count(inside),
      this.stored.count(both(inside, included)),
    ]);
    // Of a segment that is active, whoever is put in by hand is in.
    const keptOutside =
      status === 'active'
        ? 0
        : await this.stored.count({ ...included, erasure: null, segments: { $ne: segmentId } });
    return {
      wouldEnter: tally.foundOutside + keptOutside,
      wouldLeave: Math.max(0, members - keptInside - tally.foundInside),
    };
  }
}

/** `free`: whom nobody put into the compared segment or kept out of it by hand. */
type FoundCounts = Readonly<{ count: number; email: number; sms: number; free?: number }>;

const foundSums = (compareTo: string | null, now: string): object => {
  const sumOf = (condition: object): object => ({ $sum: { $cond: [condition, 1, 0] } });
  // What is missing sorts below everything.
  const isThere = (path: string): object => ({ $gt: [path, null] });
  const reach = { email: sumOf(isThere('$profile.email')), sms: sumOf(isThere('$profile.phone')) };
  if (compareTo === null) return reach;
  const overlay = `$membership.overlays.${compareTo}`;
  const isHeld = { $and: [isThere(`${overlay}.mode`), { $not: [expired(`${overlay}.expiresAt`, now)] }] };
  return { ...reach, free: sumOf({ $not: [isHeld] }) };
};

const expired = (path: string, now: string): object => ({
  $and: [{ $gt: [path, null] }, { $lte: [path, now] }],
});

const standing = ({ compareTo }: Preview, contact: AskedContact, now: string) =>
  compareTo === null ? null : standingIn(contact, compareTo, now);

/** Whom a word by hand that holds puts into a segment or keeps out of it. */
const heldBy = (segmentId: string, mode: string, now: string): StoreFilter => {
  const path = `membership.overlays.${segmentId}`;
  return {
    [`${path}.mode`]: mode,
    $or: [{ [`${path}.expiresAt`]: null }, { [`${path}.expiresAt`]: { $gt: now } }],
  };
};

export const checkTime = ({ deadlineMs }: Pick<Preview, 'deadlineMs'>): void => {
  if (performance.now() > deadlineMs) throw new PreviewTooCostlyError();
};

const isEverything = (filter: StoreFilter): boolean => Object.keys(filter).length === 0;
const both = (one: StoreFilter, other: StoreFilter): StoreFilter =>
  isEverything(other) ? one : { $and: [one, other] };
const some = (filters: readonly StoreFilter[]): StoreFilter =>
  filters.some(isEverything) ? {} : { $or: filters };

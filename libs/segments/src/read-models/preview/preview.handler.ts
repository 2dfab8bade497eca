import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { ContactReads, contactRow, RuleMatcher, type ContactRow, type Reader } from '@app/contacts';
import { Clock } from '@app/kernel';
import { ReadGate } from '@app/read-store';
import { dateIn, dependenciesOf, lintRule, parseRule, type Rule } from '@app/rules';
import { UnknownReferenceError } from './unknown-reference.error';
import { SegmentReads } from '../segments/mongo.segment-reads';
import type { SegmentDocument } from '../segments/segments.projection';
import { shownContacts } from '../shown-contacts';
import { LivePreview } from './live.preview';
import { PastPreview } from './past.preview';
import { FutureInstantError, UnknownComparisonError } from './preview.errors';
import { PreviewQuery, type PreviewAnswer } from './preview.query';

/** Only what does not compile and what is past takes long. */
const PREVIEW_TIME_MAX_MS = 30_000;
/** Clocks of clients may be ahead of ours by so much. */
const AHEAD_MAX_MS = 60_000;

@QueryHandler(PreviewQuery)
export class PreviewHandler implements IQueryHandler<PreviewQuery> {
  constructor(
    private readonly gate: ReadGate,
    private readonly clock: Clock,
    private readonly segments: SegmentReads,
    private readonly live: LivePreview,
    private readonly past: PastPreview,
    private readonly contacts: ContactReads,
    private readonly rules: RuleMatcher,
  ) {}

  /**
   * Throws InvalidRuleError, UnknownReferenceError, UnknownComparisonError, FutureInstantError, PreviewTooCostlyError,
   * ReadBehindError.
   */
  async execute({ input }: PreviewQuery): Promise<PreviewAnswer> {
    const { reader, sample, asOf, axis = 'occurred', compareTo = null } = input;
    const deadlineMs = performance.now() + PREVIEW_TIME_MAX_MS;
    const rule = parseRule(input.rule, '/rule');
    const reached = await this.gate.wait(input.minPosition);
    const now = this.clock.now();
    if (asOf !== undefined && Date.parse(asOf) > now.getTime() + AHEAD_MAX_MS) throw new FutureInstantError();
    const compared = await this.comparedWith(rule, compareTo);
    const preview = { rule, reader, sample, compareTo, deadlineMs };
    const at = asOf === undefined ? now : new Date(asOf);
    const tally =
      asOf === undefined
        ? await this.live.of(preview, now)
        : await this.past.of(preview, { at, axis }, reached, now);
    return {
      count: tally.count,
      sample: await this.rows(tally.found.slice(0, sample), reader, now),
      clauses: [...tally.clauses].map(([pointer, count]) => ({ pointer, count })),
      reach: tally.reach,
      ...(compared !== null && (await this.live.compared(tally, compared, now))),
      lint: lintRule(rule),
      asOf: at.toISOString(),
      asOfPosition: reached.toString(),
    };
  }

  /** Null: none is asked for. Throws UnknownReferenceError and UnknownComparisonError. */
  private async comparedWith(rule: Rule, compareTo: string | null): Promise<SegmentDocument | null> {
    const { segments } = dependenciesOf(rule);
    const known = await this.segments.findAll(compareTo === null ? segments : [...segments, compareTo]);
    const unknown = segments.find((id) => !known.has(id));
    if (unknown !== undefined) throw new UnknownReferenceError(unknown);
    if (compareTo === null) return null;
    const compared = known.get(compareTo);
    if (compared === undefined) throw new UnknownComparisonError();
    return compared;
  }

  private async rows(ids: readonly string[], reader: Reader, now: Date): Promise<readonly ContactRow[]> {
    if (ids.length === 0) return [];
    const docs = await shownContacts(this.contacts, this.rules, ids, reader);
    const today = dateIn(now, 'UTC');
    return docs.map((doc) => shownTo(reader, contactRow(doc, today)));
  }
}

/** Analysts see a pseudonym, and nothing that says whose it is. */
const shownTo = (reader: Reader, row: ContactRow): ContactRow =>
  reader === 'operator' || reader === 'admin'
    ? row
    : { ...row, firstName: null, lastName: null, email: null, phone: null, birthday: null, city: null };

import { Injectable } from '@nestjs/common';
import { isRanked, parseRule, rankingFigure, RULE_CHANNELS, truthsOf, type StoreFilter } from '@app/rules';
import type { PastInstant } from '../../evaluation/instant';
import { PastContactFacts } from '../../evaluation/past.contact-facts';
import { LivePreview, type Preview } from './live.preview';
import { PreviewTally, standingIn } from './preview-tally';
import { cutOffOf } from './ranked-rule';

const REACH = parseRule({ any: RULE_CHANNELS.map((reachable) => ({ reachable })) });

/** Tries a rule on the contacts as they were: each is asked, but for those who are erased, of whom nothing is known any more. */
@Injectable()
export class PastPreview {
  constructor(
    private readonly past: PastContactFacts,
    private readonly live: LivePreview,
  ) {}

  /**
   * `upTo`: a position that the log has reached. `now` is for words by hand, since a segment is compared as it is. Throws
   * PreviewTooCostlyError, EventStoreUnavailableError and ReadStoreUnavailableError.
   */
  async of(preview: Preview, instant: PastInstant, upTo: bigint, now: Date): Promise<PreviewTally> {
    const { rule, sample, compareTo, reader } = preview;
    const question = await this.past.prepare(rule, instant, upTo);
    const there: StoreFilter = { erasure: null, registeredAt: { $lte: instant.at.toISOString() } };
    const cutOff = isRanked(rule.root) ? { cutOff: await this.cutOff(preview, question, there) } : {};
    const tally = new PreviewTally(rule, sample);
    await this.live.scan(preview, there, async (batch) => {
      const facts = await this.past.factsOf(batch, question);
      const judged = batch.flatMap((contact) => {
        const known = facts.get(contact.contactId);
        return known === undefined ? [] : [{ contact, truths: truthsOf(rule, known, instant.at, cutOff) }];
      });
      const found = judged.filter(({ truths }) => truths.get('/root') === 'true');
      // How somebody could be reached then is another question than the rule's, with other facts that count.
      const reach = await this.past.factsOf(
        found.map(({ contact }) => contact),
        { ...question, rule: REACH, definitions: null },
      );
      for (const { contact, truths } of judged) {
        const standing = compareTo === null ? null : standingIn(contact, compareTo, now.toISOString());
        const isShown = reader === 'admin' || contact.processingRestricted === undefined;
        tally.add(truths, contact.contactId, reach.get(contact.contactId), standing, isShown);
      }
    });
    return tally;
  }

  /** One figure a contact is held in memory. */
  private async cutOff(
    preview: Preview,
    question: Awaited<ReturnType<PastContactFacts['prepare']>>,
    there: StoreFilter,
  ): Promise<number | null> {
    const figures: number[] = [];
    let total = 0;
    await this.live.scan(preview, there, async (batch) => {
      for (const known of (await this.past.factsOf(batch, question)).values()) {
        total += 1;
        const figure = rankingFigure(preview.rule, known, question.instant.at);
        if (figure !== null) figures.push(figure);
      }
    });
    return cutOffOf(preview.rule, figures, total);
  }
}

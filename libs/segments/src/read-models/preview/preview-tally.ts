import {
  nodesOf,
  RULE_CHANNELS,
  type ContactFacts,
  type Rule,
  type RuleChannel,
  type TruthName,
} from '@app/rules';
import type { AskedContact } from '../../evaluation/mongo.contact-facts';

/** How a contact stands to a segment: by hand, and whether it is in. */
export type Standing = Readonly<{ byHand: 'include' | 'exclude' | null; isIn: boolean }>;

export const standingIn = (
  { membership: { overlays }, segments }: Pick<AskedContact, 'membership' | 'segments'>,
  segmentId: string,
  now: string,
): Standing => {
  const overlay = Object.hasOwn(overlays, segmentId) ? overlays[segmentId] : undefined;
  const holds = overlay !== undefined && (overlay.expiresAt === null || overlay.expiresAt > now);
  return { byHand: holds ? overlay.mode : null, isIn: segments.includes(segmentId) };
};

/** Counts whom a rule finds, contact by contact or many at once. */
export class PreviewTally {
  readonly clauses: Map<string, number>;
  readonly reach: Record<RuleChannel, number> = { email: 0, push: 0, sms: 0, inbox: 0 };
  /** Of whom the rule finds and nobody put in or kept out by hand: how many are in, and how many are not. */
  foundInside = 0;
  foundOutside = 0;
  readonly found: string[] = [];

  constructor(
    rule: Rule,
    private readonly sampleMax: number,
  ) {
    this.clauses = new Map(nodesOf(rule).map(({ pointer }) => [pointer, 0]));
  }

  get count(): number {
    return this.clauses.get('/root') ?? 0;
  }

  addClause(pointer: string, count: number): void {
    this.clauses.set(pointer, (this.clauses.get(pointer) ?? 0) + count);
  }

  /** What the rule comes to on a contact; nodes that are not among the truths are counted elsewhere. */
  add(
    truths: ReadonlyMap<string, TruthName>,
    contactId: string,
    reach: Pick<ContactFacts, 'reachable'> | undefined,
    standing: Standing | null,
    isShown: boolean,
  ): void {
    for (const [pointer, truth] of truths) if (truth === 'true') this.addClause(pointer, 1);
    if (truths.get('/root') !== 'true') return;
    for (const channel of RULE_CHANNELS) if (reach?.reachable(channel) === true) this.reach[channel] += 1;
    if (standing !== null && standing.byHand === null) {
      if (standing.isIn) this.foundInside += 1;
      else this.foundOutside += 1;
    }
    if (isShown && this.found.length < this.sampleMax) this.found.push(contactId);
  }
}

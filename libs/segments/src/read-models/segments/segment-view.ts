import { isRanked, lintRule, type LintFinding, type Rule } from '@app/rules';
import type { MadeFrom } from '../../domain/segment.events';
import type { SegmentDocument } from './segments.projection';

/** A segment as the API shows it. */
export type SegmentView = Readonly<{
  segmentId: string;
  name: string;
  description?: string;
  rule: Rule | null;
  template?: MadeFrom;
  version: number;
  /** `filling`: its latest definition is not applied to every contact yet, so who is in is shown as before. */
  status: 'filling' | 'active' | 'inactive';
  ruleHash: string | null;
  memberCount: number;
  /** Of a ranked rule; null until its first ranking. */
  cutOff?: Readonly<{ value: number | null; membersCount: number; asOfPosition: string; at: string }> | null;
  lint: readonly LintFinding[];
  createdAt: string;
  updatedAt: string;
}>;

const isRankedBy = ({ rule }: SegmentDocument): boolean => rule !== null && isRanked(rule.root);

/** `filledAt`: definition changes up to there are applied to every contact. */
export const isFilling = (segment: SegmentDocument, filledAt: bigint): boolean =>
  segment.status === 'active' &&
  (BigInt(segment.lastChange.position) > filledAt || (isRankedBy(segment) && segment.cutOff === undefined));

export const segmentView = (segment: SegmentDocument, filledAt: bigint, memberCount: number): SegmentView => {
  const { segmentId, name, description, rule, template, version, ruleHash, cutOff } = segment;
  return {
    segmentId,
    name,
    ...(description !== null && { description }),
    rule,
    ...(template !== null && { template }),
    version,
    status: isFilling(segment, filledAt) ? 'filling' : segment.status === 'active' ? 'active' : 'inactive',
    ruleHash,
    memberCount,
    ...(isRankedBy(segment) && { cutOff: cutOff === undefined ? null : cutOffView(cutOff) }),
    lint: rule === null ? [] : lintRule(rule),
    createdAt: segment.createdAt,
    updatedAt: segment.updatedAt,
  };
};

const cutOffView = ({
  value,
  membersCount,
  asOfPosition,
  at,
}: NonNullable<SegmentDocument['cutOff']>): NonNullable<SegmentView['cutOff']> => ({
  value,
  membersCount,
  asOfPosition,
  at,
});

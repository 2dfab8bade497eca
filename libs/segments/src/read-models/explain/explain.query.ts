import { Query } from '@nestjs/cqrs';
import type { OverlayMode, Reader } from '@app/contacts';
import type { Explanation, TruthName } from '@app/rules';
import type { AskedOf } from '../../evaluation/shown-as-of';

export type ExplainAnswer = Readonly<{
  member: boolean;
  /** What the rule comes to; by hand or by an objection, membership can be another. */
  truth: TruthName;
  /** Which decided; null: there was no such segment then. */
  version: number | null;
  /** The word by hand that holds. */
  overlay: Readonly<{ mode: OverlayMode; reason: string | null; expiresAt: string | null }> | null;
  /** Before it nothing changes without a new event; null: for ever. */
  nextChangeAt: string | null;
  tree: Explanation;
  asOf: string;
  asOfPosition: string;
}>;

export type ExplainAsked = AskedOf & Readonly<{ axis?: 'occurred' | 'recorded' | undefined }>;

/** Why a contact is in a segment, or is not. */
export class ExplainQuery extends Query<ExplainAnswer> {
  constructor(
    readonly segmentId: string,
    readonly contactId: string,
    readonly asked: ExplainAsked,
    readonly reader: Reader,
  ) {
    super();
  }
}

import { Query } from '@nestjs/cqrs';
import type { ContactRow, Reader } from '@app/contacts';
import type { LintFinding, RuleChannel } from '@app/rules';

export type PreviewInput = Readonly<{
  /** As JSON values. */
  rule: unknown;
  reader: Reader;
  /** ISO 8601 UTC; left out: now. */
  asOf?: string | undefined;
  /** Of a past instant, which facts count; those that happened by then, unless told. */
  axis?: 'occurred' | 'recorded' | undefined;
  /** A segment whose members are compared with whom the rule finds. */
  compareTo?: string | undefined;
  /** How many contacts to show. */
  sample: number;
  minPosition?: bigint | undefined;
}>;

export type PreviewAnswer = Readonly<{
  /** How many the rule finds, exactly. */
  count: number;
  /** The first of them by id, as far as the caller may see them, as they are now. */
  sample: readonly ContactRow[];
  /** How many each node of the rule would find alone; the root first. */
  clauses: readonly Readonly<{ pointer: string; count: number }>[];
  /** How many of whom the rule finds there is a way to reach; their consent is another matter. */
  reach: Readonly<Record<RuleChannel, number>>;
  /** Members that the compared segment would get, and lose, with this rule; who was put in or kept out by hand stays so. */
  wouldEnter?: number;
  wouldLeave?: number;
  lint: readonly LintFinding[];
  asOf: string;
  asOfPosition: string;
}>;

/** Whom a rule would find, and how; writes nothing. */
export class PreviewQuery extends Query<PreviewAnswer> {
  constructor(readonly input: PreviewInput) {
    super();
  }
}

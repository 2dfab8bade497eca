import { Query } from '@nestjs/cqrs';

/** All hashes are base64, in the order of RFC 9162. */
export type InclusionAnswer = Readonly<{
  index: number;
  size: number;
  leafHash: string;
  hashes: readonly string[];
  rootHash: string;
}>;

export type ConsistencyAnswer = Readonly<{
  from: number;
  to: number;
  hashes: readonly string[];
  fromRoot: string;
  toRoot: string;
}>;

/** That an entry is in the tree of a size; without one, in that of the last signed checkpoint. */
export class ProveInclusionQuery extends Query<InclusionAnswer> {
  constructor(
    readonly index: number,
    readonly size: number | undefined,
  ) {
    super();
  }
}

/** That the tree of one size holds all that an earlier one did, in the same order. */
export class ProveConsistencyQuery extends Query<ConsistencyAnswer> {
  constructor(
    readonly from: number,
    readonly to: number | undefined,
  ) {
    super();
  }
}

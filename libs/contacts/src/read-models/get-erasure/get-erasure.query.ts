import { Query } from '@nestjs/cqrs';
import type { ErasureState } from '../erasures/erasures.projection';
import type { ErasureReceipt } from './erasure-receipt';

export type ErasureView = Readonly<{
  contactId: string;
  erasureId: string;
  state: ErasureState;
  legalGround: string;
  requestedAt: string;
  executeAfter: string;
  completedAt?: string;
  receipt?: ErasureReceipt;
  asOfPosition: string;
}>;

/** A contact's latest erasure, also when nothing else of the contact is shown any more. */
export class GetErasureQuery extends Query<ErasureView> {
  constructor(
    readonly contactId: string,
    readonly minPosition?: bigint,
  ) {
    super();
  }
}

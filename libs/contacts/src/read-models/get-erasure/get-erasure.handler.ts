import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { DomainError } from '@app/kernel';
import { ReadGate } from '@app/read-store';
import { ReceiptSigner } from '../../application/erasure/receipt-signer.port';
import { ErasureReads } from '../erasures/mongo.erasure-reads';
import { erasureReceipt } from './erasure-receipt';
import { GetErasureQuery, type ErasureView } from './get-erasure.query';

/** Nobody has asked for an erasure of this contact. */
export class NoErasureError extends DomainError {
  readonly code = 'contacts.no-erasure';
  readonly kind = 'not-found';

  constructor() {
    super('No erasure of this contact was asked for.');
  }
}

@QueryHandler(GetErasureQuery)
export class GetErasureHandler implements IQueryHandler<GetErasureQuery> {
  constructor(
    private readonly erasures: ErasureReads,
    private readonly gate: ReadGate,
    private readonly signer: ReceiptSigner,
  ) {}

  /** Throws NoErasureError. */
  async execute({ contactId, minPosition }: GetErasureQuery): Promise<ErasureView> {
    const asOfPosition = await this.gate.wait(minPosition);
    const doc = await this.erasures.find(contactId);
    if (doc === null) throw new NoErasureError();
    const receipt = erasureReceipt(doc, this.signer);
    return {
      contactId,
      erasureId: doc.erasureId,
      state: doc.state,
      legalGround: doc.legalGround,
      requestedAt: doc.requestedAt,
      executeAfter: doc.executeAfter,
      ...(doc.completedAt !== null && { completedAt: doc.completedAt }),
      ...(receipt !== undefined && { receipt }),
      asOfPosition: asOfPosition.toString(),
    };
  }
}

import { addDuration } from '@app/kernel';
import { canonicalJson } from '@app/transparency-log';
import type { ReceiptSigner } from '../../application/erasure/receipt-signer.port';
import type { StoreCount, StorePurge } from '../../domain/contact.events';
import type { ErasureDocument } from '../erasures/erasures.projection';

/** Within so long of becoming unreachable, no byte is left where bytes can be overwritten. */
const PURGED_WITHIN = 'P1D';

/** What was done, and is: figures, pseudonyms and times, in whole numbers and texts only. */
export type ErasureReceipt = Readonly<{
  stage: 'unreachable' | 'purged';
  contactId: string;
  erasureId: string;
  legalGround: string;
  requestedAt: string;
  startedAt: string;
  unreachableAt: string;
  keys: readonly Readonly<{ keyId: string; destroyedAt: string }>[];
  pointsForfeited: Readonly<Record<string, number>>;
  /** Keyed tokens that imports and invitations know the person by; absent: none. They stay. */
  suppressionTokens?: number;
  /** Records of stores: on the first receipt what they held, on the second also what they hold now. */
  stores: readonly (StoreCount | StorePurge)[];
  /** Until when every byte will be gone; on the first receipt. */
  purgedBy?: string;
  purgedAt?: string;
  /** What the law has us keep, and under which heading; how many values, on the second receipt: they are counted for it. */
  retained?: Readonly<{ fields: readonly string[]; values?: number; reason: string; until: string }>;
  retainedDestroyedAt?: string;
  /** Base64 of the raw bytes. */
  publicKey: string;
  /** Ed25519 over the RFC 8785 form of all the rest; base64 of the raw bytes. */
  signature: string;
}>;

/** Undefined as long as anything can be read. */
export const erasureReceipt = (doc: ErasureDocument, signer: ReceiptSigner): ErasureReceipt | undefined => {
  const { startedAt, unreachableAt, completedAt, retainedUntil, retainedDestroyedAt } = doc;
  if (startedAt === null || unreachableAt === null) return undefined;
  const kept = retainedDestroyedAt === null ? doc.valuesRetained : 0;
  const unsigned: Omit<ErasureReceipt, 'signature'> = {
    stage: completedAt === null ? 'unreachable' : 'purged',
    contactId: doc.contactId,
    erasureId: doc.erasureId,
    legalGround: doc.legalGround,
    requestedAt: doc.requestedAt,
    startedAt,
    unreachableAt,
    keys: doc.keys,
    pointsForfeited: doc.forfeited,
    ...(doc.suppressionTokens > 0 && { suppressionTokens: doc.suppressionTokens }),
    ...(completedAt === null
      ? {
          stores: doc.held,
          purgedBy: addDuration(unreachableAt, PURGED_WITHIN),
        }
      : {
          stores: [
            { store: 'events', before: doc.valuesErased + doc.valuesRetained, after: kept },
            ...doc.stores,
          ],
          purgedAt: completedAt,
        }),
    ...(retainedUntil !== null &&
      retainedDestroyedAt === null && {
        retained: {
          fields: ['contacts.PurchaseRecorded.v1:invoiceNumber'],
          ...(completedAt !== null && { values: doc.valuesRetained }),
          reason: 'accounting',
          until: retainedUntil,
        },
      }),
    ...(retainedDestroyedAt !== null && { retainedDestroyedAt }),
    publicKey: signer.publicKey.toString('base64'),
  };
  const signature = signer.sign(Buffer.from(canonicalJson(unsigned), 'utf8')).toString('base64');
  return { ...unsigned, signature };
};

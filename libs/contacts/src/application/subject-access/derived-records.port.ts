import type { HeldFact } from './held-fact';

/** What is held about a person that was worked out from their stream and is kept elsewhere. */
export abstract class DerivedRecords {
  /** As it stands when it is taken. Throws ReadStoreUnavailableError. */
  abstract about(contactId: string): AsyncIterable<HeldFact>;
}

import type { ReadModels } from '@app/read-store';
import { privacyLogLedger } from './read-models/entries/privacy-log.ledger';

export * from './domain/privacy.events';
export { PrivacyLogSigner } from './application/signing/privacy-log-signer';
export { CheckpointSigner, LogNotConsistentError } from './automation/checkpoint-signer';
export { witnessAt, type Witness } from './automation/witness';
export { PrivacyLogModule, PrivacyLogSigningModule, type PrivacyLogOptions } from './privacy-log.module';
export { PrivacyLogReads } from './read-models/entries/mongo.privacy-log-reads';
export type { PrivacyEntry } from './read-models/entries/privacy-entry';

export const privacyLogReadModels: ReadModels = {
  projections: [],
  journals: [],
  ledgers: [privacyLogLedger],
};

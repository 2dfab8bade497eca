export * from './canonical-json';
export * from './checkpoint';
export * from './export-format';
export * from './frontier';
export * from './hashing';
export * from './log-format.error';
export {
  type NoteSigner,
  parseKeyFile,
  parseVerifierKey,
  signerOf,
  VerifierKey,
  verifierKeyText,
} from './note-key';
export { consistencyProof, inclusionProof, rootAt, type TileSource } from './proofs';
export * from './proof-verification';
export { type ServedLog, verifyServedLog } from './served-log';
export { NoteError, type NoteFlaw, openNote, signNote } from './signed-note';
export * from './text-lines';
export * from './tiles';
export { type EntryVerdict, entryVerdict, type Fault, type FaultCode, type LogVerdict } from './verdict';
export { REPETITION_WINDOW } from './recent-ids';
export { type LogToVerify, verifyLog } from './verify-log';

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
export { NoteError, type NoteFlaw, openNote, signNote } from './signed-note';
export * from './text-lines';
export * from './tiles';
export * from './verdict';
export * from './verify-log';

/** Signs receipts of erasures with the key that people check the privacy log with. */
export abstract class ReceiptSigner {
  /** Ed25519, 32 raw bytes. */
  abstract readonly publicKey: Buffer;
  /** 64 raw bytes. */
  abstract sign(bytes: Uint8Array): Buffer;
}

import { LocalKeyRing } from './local.key-ring';
import type { KeyRingOptions, StoredKeyRing } from './stored.key-ring';
import { TransitKeyService, type KeyServiceOptions } from './transit.key-service';

/** Where the keys are, and who has the key-encryption key. */
export type KeyRingPlace = Readonly<{
  /** Folder of the local key ring. */
  keysDir: string;
  /** Has the key-encryption key; absent: it lies in a file of `keysDir`. */
  keyService?: KeyServiceOptions;
}>;

/** Throws KeyRingSetupError, KeyServiceError and KeyRingUnavailableError. */
export const openKeyRing = (
  { keysDir, keyService }: KeyRingPlace,
  options: KeyRingOptions = {},
): Promise<StoredKeyRing> =>
  LocalKeyRing.open(keysDir, options, keyService === undefined ? null : new TransitKeyService(keyService));

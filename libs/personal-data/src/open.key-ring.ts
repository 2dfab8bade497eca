import { KeyEncryptionKeys } from './key-encryption-keys';
import { LocalKeyRing } from './local.key-ring';
import { MasterKeyFiles } from './master-key.files';
import { MongoKeyStore } from './mongo.key-store';
import { StoredKeyRing, type KeyRingOptions } from './stored.key-ring';
import { TransitKeyService, type KeyServiceOptions } from './transit.key-service';

/** Where the keys are, and who has the key-encryption key. */
export type KeyRingPlace = Readonly<{
  /** Folder of the local key ring, and of the files with a key-encryption key. */
  keysDir: string;
  /** A MongoDB that has the keys instead. */
  keyringUrl?: string;
  /** Has the key-encryption key; absent: it lies in a file of `keysDir`. */
  keyService?: KeyServiceOptions;
}>;

/** Throws KeyRingSetupError and KeyServiceError (one line for people both), and KeyRingUnavailableError. */
export const openKeyRing = async (
  { keysDir, keyringUrl, keyService: service }: KeyRingPlace,
  options: KeyRingOptions = {},
): Promise<StoredKeyRing> => {
  const keyService = service === undefined ? null : new TransitKeyService(service);
  if (keyringUrl === undefined) return LocalKeyRing.open(keysDir, options, keyService);
  const store = await MongoKeyStore.open({ url: keyringUrl });
  // A name of its own: a rotation destroys the file, and the local key ring's must not be it.
  const keks = new KeyEncryptionKeys(store, new MasterKeyFiles(keysDir, 'keyring'), keyService);
  return StoredKeyRing.over(store, keks, options);
};

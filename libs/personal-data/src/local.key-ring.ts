import { importOlderKeyRing } from './older.key-ring';
import { KeyEncryptionKeys } from './key-encryption-keys';
import { LmdbKeyStore } from './lmdb.key-store';
import { MasterKeyFiles } from './master-key.files';
import { StoredKeyRing, type KeyRingOptions } from './stored.key-ring';
import type { TransitKeyService } from './transit.key-service';

export type LocalKeyRing = StoredKeyRing;

/**
 * A key ring in a folder of this machine, shared by all processes on it. Its key-encryption key lies beside the keys in
 * `master.key`, unless a key service has it.
 */
export const LocalKeyRing = {
  /** Throws KeyRingSetupError, KeyServiceError and KeyRingUnavailableError. */
  open: async (
    folder: string,
    options: KeyRingOptions = {},
    keyService: TransitKeyService | null = null,
  ): Promise<LocalKeyRing> => {
    const store = await LmdbKeyStore.open(folder);
    await importOlderKeyRing(folder, store);
    const keks = new KeyEncryptionKeys(store, new MasterKeyFiles(folder, 'master'), keyService);
    return StoredKeyRing.over(store, keks, options);
  },
};

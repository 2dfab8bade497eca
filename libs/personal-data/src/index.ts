export { DataKey } from './data-key';
export * from './key-ring.errors';
export { KeyRing, type DestroyedKey, type KeyClass, type KeyLookup } from './key-ring.port';
export { LocalKeyRing, type LocalKeyRingOptions } from './local.key-ring';
export { PersonalDataModule, type PersonalDataOptions } from './personal-data.module';
export { Sealer, type SealPlace } from './sealer';
export { Secrets } from './secrets';

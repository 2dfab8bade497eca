export { AccessModule } from './access.module';
export {
  AdminKeyKeeper,
  type AdminKey,
  type AdminKeyOptions,
} from './application/admin-key/ensure-admin-key';
export { KeyUses } from './application/list-keys/key-uses.port';
export * from './domain/access.events';

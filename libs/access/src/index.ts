export { AccessModule } from './access.module';
export {
  AdminKeyKeeper,
  type AdminKey,
  type AdminKeyOptions,
} from './application/admin-key/ensure-admin-key';
export * from './domain/access.events';

export { eventDefinitions, readModels } from './contexts';
export { InventoryModule } from './inventory/inventory.module';
export { KeyRingReplay } from './key-ring/key-ring.replay';

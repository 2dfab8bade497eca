export { eventDefinitions, readModels } from './contexts';
export { InventoryModule } from './inventory/inventory.module';

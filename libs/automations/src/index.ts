import { automationsProjection } from './read-models/automations.projection';

export { automationEventDefinitions } from './domain/automation.events';
export type * from './domain/automation.events';
export { MembershipAutomations, type Refusal } from './automation/when-membership-changes-then-act';
export { AutomationReads } from './read-models/mongo.automation-reads';
export { AutomationsModule } from './automations.module';

/** What the projector folds for this context. */
export const automationsReadModels = { projections: [automationsProjection], journals: [] } as const;

import type { AutomationTerms } from '../domain/automation.events';
import type { AutomationDocument } from './automations.projection';

/** An automation as the API shows it. */
export type AutomationView = Readonly<{ automationId: string }> &
  AutomationTerms &
  Readonly<{ active: boolean }>;

export const automationView = ({ automationId, terms, active }: AutomationDocument): AutomationView => ({
  automationId,
  on: terms.on,
  then: terms.then,
  limitPerContact: terms.limitPerContact,
  active,
});

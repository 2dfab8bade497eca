import { AUTOMATIONS_IN_A_ROW_MAX, AutomationLimitError, AutomationsInARowError } from './contact.errors';
import type { AutomatedBy } from './contact.events';
import type { ActiveContact } from './contact.state';

/** On whose behalf an automation acts: which announcement made it act, and how often it may for one contact. */
export type AutomationRun = Readonly<{
  automationId: string;
  announcementId: string;
  /** Which of its actions, from 0 on. */
  action: number;
  /** Announcements that it acts on at most; null: without limit. */
  limitPerContact: number | null;
  /** The event that made the contact enter or leave; absent: the clock. */
  causedBy?: string | undefined;
}>;

/** What an automation does, it does once, whenever it is asked to again. */
export const isDone = (
  { automationId, announcementId, action }: AutomationRun,
  contact: ActiveContact,
): boolean => contact.automations.get(automationId)?.get(announcementId)?.has(action) === true;

/**
 * Marks a fact that an automation brings about. Throws AutomationLimitError, and AutomationsInARowError where automations have
 * set off one another.
 */
export const automatedBy = (run: AutomationRun, contact: ActiveContact): AutomatedBy => {
  const { automationId, announcementId, action, limitPerContact, causedBy } = run;
  const acted = contact.automations.get(automationId);
  const others = (acted?.size ?? 0) - (acted?.has(announcementId) ? 1 : 0);
  if (limitPerContact !== null && others >= limitPerContact) throw new AutomationLimitError(limitPerContact);
  const before = causedBy === undefined ? undefined : contact.automatedEvents.get(causedBy);
  const inARow = (before ?? 0) + 1;
  if (inARow > AUTOMATIONS_IN_A_ROW_MAX) throw new AutomationsInARowError();
  return { automationId, announcementId, action, inARow };
};

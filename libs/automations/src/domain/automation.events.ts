import { defineEvent, open, type DomainEvent, type EventDefinition } from '@app/kernel';

/** Everything on stream `automation-<uuid>`: what is done when somebody enters or leaves a segment. */

export const MEMBERSHIP_CHANGES = ['entered', 'left'] as const;
export type MembershipChange = (typeof MEMBERSHIP_CHANGES)[number];
export type Trigger = Readonly<{ segmentId: string; change: MembershipChange }>;

export type SendMessageAction = Readonly<{
  type: 'sendMessage';
  channel: 'inbox';
  /** `service`, or one that contacts consent to. */
  purpose: string;
  subject?: string;
  body: string;
}>;
export type CreditPointsAction = Readonly<{
  type: 'creditPoints';
  points: number;
  reason: string;
  /** Default: the main one. */
  pool?: string;
}>;
export type Action = SendMessageAction | CreditPointsAction;

export type AutomationTerms = Readonly<{
  on: Trigger;
  then: readonly Action[];
  /** So many entries (or leavings) of one contact are acted on; null: all of them. */
  limitPerContact: number | null;
}>;

type OfAutomation = { automationId: string; occurredAt: string };

export type AutomationCreated = DomainEvent<
  'automations.AutomationCreated.v1',
  OfAutomation & { terms: AutomationTerms; active: boolean }
>;
export type AutomationChanged = DomainEvent<
  'automations.AutomationChanged.v1',
  OfAutomation & { terms: Partial<AutomationTerms> }
>;
export type AutomationActivated = DomainEvent<'automations.AutomationActivated.v1', OfAutomation>;
export type AutomationDeactivated = DomainEvent<'automations.AutomationDeactivated.v1', OfAutomation>;
export type AutomationDeleted = DomainEvent<'automations.AutomationDeleted.v1', OfAutomation>;

export type AutomationEvent =
  AutomationCreated | AutomationChanged | AutomationActivated | AutomationDeactivated | AutomationDeleted;

/** On stream `automationprogress-main`: all announcements up to this revision of their stream were acted on, or came to nothing. */
export type AnnouncementsHandled = DomainEvent<
  'automations.AnnouncementsHandled.v1',
  { revision: number; occurredAt: string }
>;

const ofAutomation = { automationId: open, occurredAt: open } as const;

export const automationEventDefinitions: readonly EventDefinition[] = [
  defineEvent<AutomationCreated>({
    type: 'automations.AutomationCreated.v1',
    fields: { ...ofAutomation, terms: open, active: open },
  }),
  defineEvent<AutomationChanged>({
    type: 'automations.AutomationChanged.v1',
    fields: { ...ofAutomation, terms: open },
  }),
  defineEvent<AutomationActivated>({ type: 'automations.AutomationActivated.v1', fields: ofAutomation }),
  defineEvent<AutomationDeactivated>({ type: 'automations.AutomationDeactivated.v1', fields: ofAutomation }),
  defineEvent<AutomationDeleted>({ type: 'automations.AutomationDeleted.v1', fields: ofAutomation }),
  defineEvent<AnnouncementsHandled>({
    type: 'automations.AnnouncementsHandled.v1',
    fields: { revision: open, occurredAt: open },
  }),
];

export const automationStream = (automationId: string): string => `automation-${automationId}`;
export const PROGRESS_STREAM = 'automationprogress-main';

import { open, type RecordedEvent } from '@app/kernel';
import { defineProjection } from '@app/read-store';
import type { AutomationEvent, AutomationTerms } from '../domain/automation.events';

export type AutomationDocument = Readonly<{
  automationId: string;
  revision: number;
  terms: AutomationTerms;
  active: boolean;
  createdAt: string;
}>;

const change =
  <E extends AutomationEvent>(
    fold: (automation: AutomationDocument, data: E['data']) => Partial<AutomationDocument>,
  ) =>
  (automation: AutomationDocument | null, event: RecordedEvent<E>): AutomationDocument | null =>
    automation && { ...automation, ...fold(automation, event.data), revision: event.meta.revision };

type Of<T extends AutomationEvent['type']> = Extract<AutomationEvent, { type: T }>;

export const automationsProjection = defineProjection<AutomationDocument, AutomationEvent>({
  name: 'automations',
  version: 1,
  keys: ({ data }) => [data.automationId],
  indexes: [
    { key: { createdAt: 1, _id: 1 } },
    { key: { 'terms.on.segmentId': 1, 'terms.on.change': 1, _id: 1 } },
  ],
  fields: { automationId: open, revision: open, terms: open, active: open, createdAt: open },
  on: {
    'automations.AutomationCreated.v1': (_, { data, meta }) => ({
      automationId: data.automationId,
      revision: meta.revision,
      terms: data.terms,
      active: data.active,
      createdAt: data.occurredAt,
    }),
    'automations.AutomationChanged.v1': change<Of<'automations.AutomationChanged.v1'>>(({ terms }, data) => ({
      terms: { ...terms, ...data.terms },
    })),
    'automations.AutomationActivated.v1': change<Of<'automations.AutomationActivated.v1'>>(() => ({
      active: true,
    })),
    'automations.AutomationDeactivated.v1': change<Of<'automations.AutomationDeactivated.v1'>>(() => ({
      active: false,
    })),
    'automations.AutomationDeleted.v1': () => null,
  },
});

import { accessEventDefinitions } from '@app/access';
import { automationEventDefinitions, automationsReadModels } from '@app/automations';
import {
  contactEventDefinitions,
  contactsReadModels,
  pendingEmailClaims,
  programmeEventDefinitions,
} from '@app/contacts';
import type { EventDefinition } from '@app/kernel';
import { collectionOf, type ReadModels } from '@app/read-store';
import { privacyLogEventDefinitions, privacyLogReadModels } from '@app/privacy-log';
import { rewardEventDefinitions, rewardsReadModels } from '@app/rewards';
import {
  announcementEventDefinitions,
  segmentEventDefinitions,
  segmentGraphEventDefinitions,
  segmentsReadModels,
} from '@app/segments';
import { eventSources, inventoryOf, type InventoryItem, type InventorySource } from './inventory/inventory';

/** Every event type of every context: whoever opens the log must know what of them is personal. */
export const eventDefinitions: readonly EventDefinition[] = [
  ...accessEventDefinitions,
  ...contactEventDefinitions,
  ...programmeEventDefinitions,
  ...rewardEventDefinitions,
  ...segmentEventDefinitions,
  ...segmentGraphEventDefinitions,
  ...announcementEventDefinitions,
  ...automationEventDefinitions,
  ...privacyLogEventDefinitions,
];

/** What every context wants folded: the projector folds all of it, and `minPosition` waits for all of it. */
export const readModels: Required<ReadModels> = {
  projections: [
    ...contactsReadModels.projections,
    ...rewardsReadModels.projections,
    ...segmentsReadModels.projections,
    ...automationsReadModels.projections,
  ],
  journals: [...contactsReadModels.journals, ...rewardsReadModels.journals, ...segmentsReadModels.journals],
  ledgers: [...(privacyLogReadModels.ledgers ?? [])],
};

const folded = [...readModels.projections, ...readModels.journals, ...readModels.ledgers].map(
  (readModel): InventorySource => ({
    kind: 'readModel',
    name: collectionOf(readModel),
    fields: readModel.fields,
  }),
);

/** Every field that is stored anywhere, with what it means for a person. */
export const personalDataInventory: readonly InventoryItem[] = inventoryOf([
  ...eventSources(eventDefinitions),
  ...folded,
  { kind: 'working', ...pendingEmailClaims },
]);

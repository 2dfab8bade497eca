import { accessEventDefinitions } from '@app/access';
import { contactEventDefinitions, contactsReadModels, programmeEventDefinitions } from '@app/contacts';
import type { EventDefinition } from '@app/kernel';
import { rewardEventDefinitions, rewardsReadModels } from '@app/rewards';

/** Every event type of every context: this process writes them, and must know what of them is personal. */
export const eventDefinitions: readonly EventDefinition[] = [
  ...accessEventDefinitions,
  ...contactEventDefinitions,
  ...programmeEventDefinitions,
  ...rewardEventDefinitions,
];

/** What queries of this process read: `minPosition` waits for all of them. */
export const readModels = [contactsReadModels, rewardsReadModels].flatMap(({ projections, journals }) => [
  ...projections,
  ...journals,
]);

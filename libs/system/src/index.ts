import { accessEventDefinitions } from '@app/access';
import { contactEventDefinitions, contactsReadModels, programmeEventDefinitions } from '@app/contacts';
import type { EventDefinition } from '@app/kernel';
import type { ReadModels } from '@app/read-store';
import { privacyLogEventDefinitions, privacyLogReadModels } from '@app/privacy-log';
import { rewardEventDefinitions, rewardsReadModels } from '@app/rewards';

/** Every event type of every context: whoever opens the log must know what of them is personal. */
export const eventDefinitions: readonly EventDefinition[] = [
  ...accessEventDefinitions,
  ...contactEventDefinitions,
  ...programmeEventDefinitions,
  ...rewardEventDefinitions,
  ...privacyLogEventDefinitions,
];

/** What every context wants folded: the projector folds all of it, and `minPosition` waits for all of it. */
export const readModels: Required<ReadModels> = {
  projections: [...contactsReadModels.projections, ...rewardsReadModels.projections],
  journals: [...contactsReadModels.journals, ...rewardsReadModels.journals],
  ledgers: [...(privacyLogReadModels.ledgers ?? [])],
};

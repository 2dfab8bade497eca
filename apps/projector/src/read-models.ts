import { contactsReadModels } from '@app/contacts';
import type { ReadModels } from '@app/read-store';
import { rewardsReadModels } from '@app/rewards';

/** What every context wants folded. */
export const readModels: ReadModels = {
  projections: [...contactsReadModels.projections, ...rewardsReadModels.projections],
  journals: [...contactsReadModels.journals, ...rewardsReadModels.journals],
};

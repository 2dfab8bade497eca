import type { ReadModels } from '@app/read-store';
import { activityJournal } from './activity/activity.journal';
import { contactsProjection } from './contacts/contacts.projection';
import { emailClaimsProjection } from './email-claims/email-claims.projection';
import { erasuresProjection } from './erasures/erasures.projection';
import { suppressionsProjection } from './suppressions/suppressions.projection';

/** What the projector folds of this context. */
export const contactsReadModels: ReadModels = {
  projections: [contactsProjection, emailClaimsProjection, erasuresProjection, suppressionsProjection],
  journals: [activityJournal],
};

export { ContactsReadModule } from './contacts-read.module';
export {
  ACTIVITY_OF_OTHERS,
  activityJournal,
  type ActivityEntry,
  type ActivityList,
} from './activity/activity.journal';
export type { ActivityItem } from './activity/activity-item';
export type { ContactDetails } from './contacts/contact-details';
export type { ContactRow } from './contacts/contact-row';
export type { ContactDocument } from './contacts/contact.document';
export { contactsProjection } from './contacts/contacts.projection';
export { emailClaimsProjection } from './email-claims/email-claims.projection';
export { erasuresProjection, type ErasureDocument } from './erasures/erasures.projection';
export { suppressionsProjection } from './suppressions/suppressions.projection';

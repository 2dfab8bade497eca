export * from './domain/contact.events';
export * from './domain/programme.events';
export { contactDecider, type ContactCommand } from './domain/contact.decider';
export type { Contact } from './domain/contact.state';
export { registered } from './domain/decision-basics';
export type { AutomationRun } from './domain/automations.decisions';
export type { SendMessage } from './domain/messages.decisions';
export type {
  AbandonmentAnswer,
  AbandonRedemption,
  CancellationAnswer,
  CancelRedemption,
  RedeemReward,
  RedemptionAnswer,
} from './domain/redemptions.decisions';
export { ContactDecisions } from './application/contact-decisions';
export { EmailClaimer } from './application/email-claims/email-claimer';
export { pendingEmailClaims } from './application/email-claims/email-claim.document';
export { ErasurePurge, ErasurePurger } from './application/erasure/erasure-purge';
export { ErasureProcess } from './application/erasure/erasure-process';
export { ReceiptSigner } from './application/erasure/receipt-signer.port';
export { SuppressionSetting } from './application/erasure/suppression-tokens';
export { Suppressions } from './read-models/suppressions/suppressions';
export { DueErasures } from './automation/mongo.due-erasures';
export { proceedWithDueErasures } from './automation/when-erasure-is-due-then-proceed';
export { DuePoints } from './automation/mongo.due-points';
export { settleOverdueClaims } from './automation/when-claim-is-overdue-then-settle';
export { expireDuePoints } from './automation/when-points-are-due-then-expire';
export { ContactsAutomationModule, ContactsWriteModule } from './contacts-write.module';
export {
  ACTIVITY_OF_OTHERS,
  contactsProjection,
  contactsReadModels,
  type ContactDocument,
} from './read-models';
export { contactRuleFields } from './read-models/contacts/contact-columns';
export { ContactPresence } from './read-models/contacts/contact-presence';
export { visibleTo } from './read-models/contacts/contact-visibility';
export { ContactReads } from './read-models/contacts/mongo.contact-reads';
export { contactRow, ROW_FIELDS, type ContactRow } from './read-models/contacts/contact-row';
export {
  NOTHING_FILLING,
  type FillingSegments,
  type Segmented,
} from './read-models/contacts/filling-segments';
export { DerivedRecords } from './application/subject-access/derived-records.port';
export type { HeldFact } from './application/subject-access/held-fact';
export { RuleMatcher } from './read-models/list-contacts/rule-matcher.port';
export { checkVisible, type Reader } from './visibility';
export { ContactsReadModule } from './read-models/contacts-read.module';

export * from './domain/contact.events';
export * from './domain/programme.events';
export { contactDecider, type ContactCommand } from './domain/contact.decider';
export type { Contact } from './domain/contact.state';
export type { SendMessage } from './domain/messages.decisions';
export type {
  AbandonmentAnswer,
  AbandonRedemption,
  CancellationAnswer,
  CancelRedemption,
  RedeemReward,
  RedemptionAnswer,
} from './domain/redemptions.decisions';

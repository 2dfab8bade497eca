import type { CommandContext } from '@app/kernel';
import type { EmailClaimer } from '../application/email-claims/email-claimer';

const CLAIMS_A_ROUND_MAX = 1_000;

/**
 * Settles claims on e-mails that are past their deadline: those that the read model shows are dropped, those of crashed commands
 * are given up for good. Run it from time to time; rounds that overlap do no harm. Answers how many are gone.
 */
export const settleOverdueClaims = (claimer: EmailClaimer, context: CommandContext): Promise<number> =>
  claimer.settleOverdue(context, CLAIMS_A_ROUND_MAX);

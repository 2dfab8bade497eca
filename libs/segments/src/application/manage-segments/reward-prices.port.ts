/** What rewards cost, for the templates that are about one. */
export abstract class RewardPrices {
  /** Undefined: there is no such reward. */
  abstract priceOf(rewardId: string): Promise<Readonly<{ pool: string; points: number }> | undefined>;
}

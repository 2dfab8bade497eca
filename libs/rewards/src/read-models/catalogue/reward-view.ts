import type { RewardDocument } from './rewards.projection';

/** A reward as the API shows it. */
export type RewardView = Readonly<{
  rewardId: string;
  title: string;
  description?: string;
  price: Readonly<{ pool: string; points: number }>;
  validFrom?: string;
  validUntil?: string;
  stock: number | null;
  /** Pieces that nobody holds; null where stock is without limit. */
  remaining: number | null;
  limitPerContact: number | null;
  segmentId?: string;
  redemptionType: 'inStore' | 'code' | 'link';
  active: boolean;
}>;

const present = <Name extends string, Value>(name: Name, value: Value | null): { [N in Name]?: Value } =>
  (value === null ? {} : { [name]: value }) as { [N in Name]?: Value };

export const rewardView = ({
  rewardId,
  terms,
  active,
  reservations,
  confirmedCount,
}: RewardDocument): RewardView => ({
  rewardId,
  title: terms.title,
  ...present('description', terms.description),
  price: terms.price,
  ...present('validFrom', terms.validFrom),
  ...present('validUntil', terms.validUntil),
  stock: terms.stock,
  remaining: terms.stock === null ? null : Math.max(0, terms.stock - reservations.length - confirmedCount),
  limitPerContact: terms.limitPerContact,
  ...present('segmentId', terms.segmentId),
  redemptionType: terms.redemptionType,
  active,
});

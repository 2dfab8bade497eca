/**
 * A past instant, and which facts count: `occurred`, all that is known now and happened until then; `recorded`, all that had
 * been recorded by then. Either way it is then.
 */
export type PastInstant = Readonly<{ at: Date; axis: 'occurred' | 'recorded' }>;

type Dated = Readonly<{ data: object; meta: Readonly<{ recordedAt: string }> }>;

export const isBy = ({ data, meta }: Dated, { at, axis }: PastInstant): boolean => {
  const time = axis === 'recorded' ? meta.recordedAt : (data as { occurredAt?: unknown }).occurredAt;
  return typeof time === 'string' && time <= at.toISOString();
};

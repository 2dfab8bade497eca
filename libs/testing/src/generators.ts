import * as fc from 'fast-check';
import type { DomainEvent, RecordedEvent } from '@app/kernel';
import { recorded } from './recorded';

/** A history in log order: revisions from 0, positions that rise with gaps, as byte offsets do. */
export const anyHistory = <E extends DomainEvent>(
  event: fc.Arbitrary<E>,
  { lengthMin = 0, lengthMax = 30 }: { lengthMin?: number; lengthMax?: number } = {},
): fc.Arbitrary<RecordedEvent<E>[]> =>
  fc
    .array(fc.tuple(event, fc.integer({ min: 1, max: 1_000 })), {
      minLength: lengthMin,
      maxLength: lengthMax,
      size: 'max',
    })
    .map((steps) => {
      let position = 0n;
      return steps.map(([fact, gap], revision) =>
        recorded(fact, { revision, position: (position += BigInt(gap)) }),
      );
    });

/** Ways to cut anything into consecutive batches: call it with the events. */
export const anySplit = (): fc.Arbitrary<<T>(items: readonly T[]) => (readonly T[])[]> =>
  fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 10 }).map((sizes) => (items) => {
    const batches = [];
    for (let start = 0, turn = 0; start < items.length; turn += 1) {
      const size = sizes[turn % sizes.length] ?? 1;
      batches.push(items.slice(start, start + size));
      start += size;
    }
    return batches;
  });

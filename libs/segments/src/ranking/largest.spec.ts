import fc from 'fast-check';
import { Largest } from './largest';

it('knows the figure at a rank and all that are as large, whatever their order', () => {
  const anyFigures = fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 60 });
  fc.assert(
    fc.property(anyFigures, fc.integer({ min: 1, max: 20 }), (figures, rank) => {
      const largest = new Largest(rank);
      for (const figure of figures) largest.add(figure);
      const sorted = [...figures].sort((one, other) => other - one);
      const figure = sorted[Math.min(rank, sorted.length) - 1];
      expect(largest.result()).toEqual(
        figure === undefined ? null : { figure, count: sorted.filter((one) => one >= figure).length },
      );
    }),
    { numRuns: 2_000 },
  );
});

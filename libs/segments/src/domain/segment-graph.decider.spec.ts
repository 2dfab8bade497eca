import { DomainError } from '@app/kernel';
import { decisionsOf, recorded } from '@app/testing';
import fc from 'fast-check';
import { topologicalOrder } from './references';
import { segmentGraphDecider, type AdmitReferences, type SettleReferences } from './segment-graph.decider';
import type { ReferencesAdmitted, ReferencesSettled } from './segment-graph.events';
import { ACTIVE_SEGMENTS_MAX, REFERENCE_DEPTH_MAX } from './segment.errors';

const { given } = decisionsOf(segmentGraphDecider);
const now = '2026-03-01T12:00:00.000Z';

const admit = (
  segmentId: string,
  references: readonly string[] = [],
  fields: Partial<AdmitReferences> = {},
): AdmitReferences => ({
  type: 'AdmitReferences',
  admissionId: `c-${segmentId}`,
  segmentId,
  references,
  activates: true,
  now,
  ...fields,
});
const settle = (segmentId: string, fields: Partial<SettleReferences> = {}): SettleReferences => ({
  type: 'SettleReferences',
  admissionId: `c-${segmentId}`,
  segmentId,
  references: [],
  revision: 0,
  status: 'active',
  now,
  ...fields,
});
const admitted = (...args: Parameters<typeof admit>): ReferencesAdmitted => {
  const { type: _, now: occurredAt, ...data } = admit(...args);
  return { type: 'segments.ReferencesAdmitted.v1', data: { ...data, occurredAt } };
};
const settled = (...args: Parameters<typeof settle>): ReferencesSettled => {
  const { type: _, now: occurredAt, ...data } = settle(...args);
  return { type: 'segments.ReferencesSettled.v1', data: { ...data, occurredAt } };
};

describe('admitting a definition', () => {
  it('is recorded, once', () => {
    given().when(admit('a')).then(admitted('a'));
    given(admitted('a')).when(admit('a')).thenNothing();
    given(settled('a'))
      .when(admit('b', ['a']))
      .then(admitted('b', ['a']));
  });

  it('knows the segments that there are', () => {
    given()
      .when(admit('b', ['a']))
      .thenRefused('segments.unknown-reference');
    // It may never come to be.
    given(admitted('a'))
      .when(admit('b', ['a']))
      .thenRefused('segments.unknown-reference');
    given(settled('a', { status: 'deleted' }))
      .when(admit('b', ['a']))
      .thenRefused('segments.unknown-reference');
    given(settled('a', { status: 'inactive' }))
      .when(admit('b', ['a']))
      .then(admitted('b', ['a']));
  });

  it('sees a cycle with what is just being made', () => {
    given(settled('a'), settled('b'), admitted('a', ['b'], { admissionId: 'first' }))
      .when(admit('b', ['a']))
      .thenRefused('segments.cyclic-reference');
    given(
      settled('a'),
      settled('b'),
      admitted('a', ['b'], { admissionId: 'first' }),
      settled('a', {
        admissionId: 'first',
        revision: 0,
      }),
    )
      .when(admit('b', ['a']))
      .then(admitted('b', ['a']));
    given()
      .when(admit('a', ['a']))
      .thenRefused('segments.cyclic-reference');
  });

  it('counts both what a segment has and what it is to have', () =>
    given(
      settled('a'),
      settled('b'),
      settled('c', { references: ['b'] }),
      admitted('c', ['a'], { admissionId: 'e' }),
    )
      .when(admit('b', ['c']))
      .thenRefused('segments.cyclic-reference'));

  it('takes references of five edges', () => {
    const chain = Array.from({ length: REFERENCE_DEPTH_MAX + 1 }, (_, n) =>
      settled(`s${n}`, { references: n === 0 ? [] : [`s${n - 1}`] }),
    );
    given(...chain)
      .when(admit('top', [`s${REFERENCE_DEPTH_MAX - 1}`]))
      .then(admitted('top', [`s${REFERENCE_DEPTH_MAX - 1}`]));
    given(...chain)
      .when(admit('top', [`s${REFERENCE_DEPTH_MAX}`]))
      .thenRefused('segments.references-too-deep');
  });

  it('takes so many active segments', () => {
    const many = Array.from({ length: ACTIVE_SEGMENTS_MAX - 1 }, (_, n) => settled(`s${n}`));
    given(...many)
      .when(admit('last'))
      .then(admitted('last'));
    given(...many, admitted('last'))
      .when(admit('more'))
      .thenRefused('segments.too-many', {
        activeSegmentsMax: ACTIVE_SEGMENTS_MAX,
      });
    // Those that count already, and those that do not.
    given(...many, settled('last'))
      .when(admit('s0'))
      .then(admitted('s0'));
    given(...many, settled('last'), settled('off', { status: 'inactive' }))
      .when(admit('off', [], { activates: false }))
      .then(admitted('off', [], { activates: false }));
    given(...many, settled('last'), settled('s0', { status: 'inactive', revision: 1 }))
      .when(admit('more'))
      .then(admitted('more'));
  });
});

describe('settling a definition', () => {
  it('ends what was open, whatever came of it', () => {
    given(admitted('a', ['b']))
      .when(settle('a'))
      .then(settled('a'));
    const never = { revision: null, status: 'unknown' } as const;
    given(admitted('a')).when(settle('a', never)).then(settled('a', never));
    given(admitted('a'), settled('a', never)).when(settle('a', never)).thenNothing();
  });

  it('is done once, and never back', () => {
    given(settled('a', { revision: 3 }))
      .when(settle('a', { revision: 3 }))
      .thenNothing();
    given(
      settled('a', { revision: 3, references: ['b'] }),
      settled('b'),
      admitted('a', [], { admissionId: 'late' }),
      settled('a', { admissionId: 'late', revision: 2 }),
    )
      .when(admit('b', ['a']))
      .thenRefused('segments.cyclic-reference');
  });
});

it('lets nothing in that makes a cycle or goes too deep, in whatever order definitions are made and settled', () => {
  const anyStep = fc.oneof(
    fc.record({
      kind: fc.constant('admit' as const),
      id: fc.nat(5),
      to: fc.uniqueArray(fc.nat(5), { maxLength: 2 }),
    }),
    fc.record({ kind: fc.constant('write' as const), nth: fc.nat(3) }),
    fc.record({ kind: fc.constant('settle' as const), nth: fc.nat(3) }),
  );
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
      let graph = segmentGraphDecider.initialState();
      let position = 0;
      const run = (command: AdmitReferences | SettleReferences): boolean => {
        try {
          for (const event of segmentGraphDecider.decide(command, graph).events) {
            graph = segmentGraphDecider.evolve(graph, recorded(event, position++));
          }
          return true;
        } catch (error) {
          if (error instanceof DomainError) return false;
          throw error;
        }
      };
      const streams = new Map(
        Array.from({ length: 6 }, (_, n) => [`s${n}`, { revision: 0, references: [] as string[] }]),
      );
      for (const [id] of streams) run(settle(id, { admissionId: `made-${id}` }));
      const open: { admissionId: string; segmentId: string; references: string[] }[] = [];
      const written: typeof open = [];
      steps.forEach((step, n) => {
        if (step.kind === 'admit') {
          const made = {
            admissionId: `c${n}`,
            segmentId: `s${step.id}`,
            references: step.to.map((to) => `s${to}`),
          };
          if (run(admit(made.segmentId, made.references, made))) open.push(made);
        } else if (step.kind === 'write' && open.length > 0) {
          const [made] = open.splice(step.nth % open.length, 1) as [(typeof open)[number]];
          const { revision } = streams.get(made.segmentId)!;
          streams.set(made.segmentId, { revision: revision + 1, references: made.references });
          written.push(made);
        } else if (step.kind === 'settle' && written.length > 0) {
          const [made] = written.splice(step.nth % written.length, 1) as [(typeof open)[number]];
          run(settle(made.segmentId, { ...made, ...streams.get(made.segmentId) }));
        }
        const references = new Map([...streams].map(([id, stream]) => [id, stream.references]));
        const depths = new Map<string, number>();
        for (const id of topologicalOrder(references)) {
          const below = references.get(id)!.map((to) => depths.get(to) ?? Infinity);
          depths.set(id, Math.max(0, ...below.map((depth) => depth + 1)));
        }
        expect(Math.max(...depths.values())).toBeLessThanOrEqual(REFERENCE_DEPTH_MAX);
      });
    }),
    { numRuns: 300 },
  );
});

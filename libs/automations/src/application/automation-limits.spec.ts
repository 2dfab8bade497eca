import type { Outcome } from '@app/kernel';
import {
  AUTOMATIONS_MAX,
  AUTOMATIONS_ON_SEGMENT_MAX,
  TooManyAutomationsError,
} from '../domain/automation.errors';
import { AutomationCounts } from './automation-counts.port';
import { AutomationLimits } from './automation-limits';

/** A read model that sees what was made only when it is told to. */
class Lagging extends AutomationCounts {
  readonly written: { automationId: string; segmentId: string }[] = [];
  seen = 0;

  async without(automationIds: readonly string[], segmentId: string) {
    const known = this.written
      .slice(0, this.seen)
      .filter(({ automationId }) => !automationIds.includes(automationId));
    return { all: known.length, onSegment: known.filter((one) => one.segmentId === segmentId).length };
  }

  async position(): Promise<bigint> {
    return BigInt(this.seen);
  }
}

describe('automations', () => {
  let counts: Lagging;
  let limits: AutomationLimits;
  let named = 0;

  beforeEach(() => {
    counts = new Lagging();
    limits = new AutomationLimits(counts);
  });

  const make = (segmentId: string, automationId = `a${(named += 1)}`): Promise<Outcome> =>
    limits.within(automationId, segmentId, async () => {
      counts.written.push({ automationId, segmentId });
      return { answer: {}, revision: 0, position: BigInt(counts.written.length), replayed: false };
    });
  const refusal = async (making: Promise<Outcome>): Promise<unknown> => {
    try {
      return await making;
    } catch (error) {
      return error instanceof TooManyAutomationsError ? error.details : error;
    }
  };

  it.each([0, 1, AUTOMATIONS_ON_SEGMENT_MAX])(
    'are so many on a segment and no more, however far the read model is: %s',
    async (seen) => {
      const first = Array.from({ length: AUTOMATIONS_ON_SEGMENT_MAX }, () => make('s1'));
      await Promise.all(first);
      counts.seen = seen;
      expect(await refusal(make('s1'))).toEqual({ automationsOnSegmentMax: AUTOMATIONS_ON_SEGMENT_MAX });
      expect(await refusal(make('s2'))).toMatchObject({ replayed: false });
    },
  );

  it('that are moved count where they are moved to', async () => {
    await Promise.all(Array.from({ length: AUTOMATIONS_ON_SEGMENT_MAX - 1 }, () => make('s1')));
    await make('s2', 'moved');
    counts.seen = counts.written.length;
    await make('s1', 'moved');
    expect(await refusal(make('s1'))).toEqual({ automationsOnSegmentMax: AUTOMATIONS_ON_SEGMENT_MAX });
    // It is there already.
    expect(await refusal(make('s1', 'moved'))).toMatchObject({ replayed: false });
  });

  it('make room when they go', async () => {
    await Promise.all(Array.from({ length: AUTOMATIONS_ON_SEGMENT_MAX }, (_, n) => make('s1', `gone-${n}`)));
    limits.forget('gone-0');
    expect(await refusal(make('s1'))).toMatchObject({ replayed: false });
  });

  it('are so many in all', async () => {
    for (let n = 0; n < AUTOMATIONS_MAX; n += 1) {
      counts.written.push({ automationId: `other-${n}`, segmentId: `s${n}` });
    }
    counts.seen = AUTOMATIONS_MAX - 1;
    expect(await refusal(make('new'))).toMatchObject({ replayed: false });
    expect(await refusal(make('new'))).toEqual({ automationsMax: AUTOMATIONS_MAX });
  });
});

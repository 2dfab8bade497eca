import { parseRule, ruleHash } from '@app/rules';
import { readModelOf } from '@app/testing';
import type { SegmentEvent } from '../../domain/segment.events';
import { segmentsProjection, segmentVersionsProjection } from './segments.projection';

const segmentId = '0a6c2f4e-1111-4222-8333-944445555666';
const at = (minute: number): string => `2026-03-01T12:0${minute}:00.000Z`;
const of = (minute: number) => ({ segmentId, occurredAt: at(minute) });
const women = parseRule({ attr: 'profile.gender', op: 'eq', value: 'female' });
const top = parseRule({ ranked: { by: 'points.balance', top: 3, refresh: 'P1D' } });
const recordedAt = '2026-01-01T00:00:00.000Z';

const defined = (rule: typeof women | null): SegmentEvent => ({
  type: 'segments.SegmentDefined.v1',
  data: {
    ...of(0),
    name: 'Some',
    description: null,
    rule,
    ruleHash: rule && ruleHash(rule),
    template: null,
    version: 1,
  },
});
const changed: SegmentEvent = {
  type: 'segments.RuleChanged.v1',
  data: { ...of(2), rule: women, ruleHash: ruleHash(women), template: null, version: 2 },
};
const cutOff = (version: number, value: number | null): SegmentEvent => ({
  type: 'segments.CutOffRecorded.v1',
  data: { ...of(1), version, rule: top, cutOff: value, membersCount: 3, asOfPosition: '17' },
});
const renamed: SegmentEvent = { type: 'segments.SegmentRenamed.v1', data: { ...of(3), name: 'Others' } };
const deactivated: SegmentEvent = { type: 'segments.SegmentDeactivated.v1', data: of(4) };
const activated: SegmentEvent = { type: 'segments.SegmentActivated.v1', data: of(5) };
const deleted: SegmentEvent = { type: 'segments.SegmentDeleted.v1', data: of(6) };

describe('segments as they are defined', () => {
  const { given } = readModelOf(segmentsProjection);

  it('have their rule, its versions and the last event that changed who decides', () =>
    given(defined(top), changed, renamed).then(segmentId, {
      segmentId,
      revision: 2,
      name: 'Others',
      description: null,
      status: 'active',
      version: 2,
      rule: women,
      ruleHash: ruleHash(women),
      template: null,
      versions: [
        { version: 1, ruleHash: ruleHash(top), position: '0', at: recordedAt },
        { version: 2, ruleHash: ruleHash(women), position: '1', at: recordedAt },
      ],
      lastChange: { position: '1', at: recordedAt },
      createdAt: at(0),
      updatedAt: at(3),
    }));

  it('are to be ranked at once, and again when the refresh says so', () => {
    expect(given(defined(top)).document(segmentId)).toMatchObject({ rankAt: at(0) });
    const ranked = given(defined(top), cutOff(1, 40)).document(segmentId);
    expect(ranked).toMatchObject({
      rankAt: '2026-03-02T12:01:00.000Z',
      cutOff: { value: 40, membersCount: 3, asOfPosition: '17', position: '1' },
      lastChange: { position: '1' },
    });
  });

  it('take no cut-off of a version that decides no more', () => {
    const other = given(defined(top), changed, cutOff(1, 40)).document(segmentId);
    expect(other).not.toHaveProperty('cutOff');
    expect(other).not.toHaveProperty('rankAt');
    expect(other).toMatchObject({ lastChange: { position: '1' } });
  });

  it('are not ranked while they are inactive, and anew when they are active again', () => {
    const inactive = given(defined(top), cutOff(1, null), deactivated).document(segmentId);
    expect(inactive).toMatchObject({ status: 'inactive', cutOff: { value: null } });
    expect(inactive).not.toHaveProperty('rankAt');
    const again = given(defined(top), cutOff(1, null), deactivated, activated).document(segmentId);
    expect(again).toMatchObject({ status: 'active', rankAt: at(5), lastChange: { position: '3' } });
  });

  it('stay where they are deleted, for what was', () =>
    expect(given(defined(null), deleted).document(segmentId)).toMatchObject({
      status: 'deleted',
      rule: null,
      lastChange: { position: '1' },
    }));
});

describe('versions of segments', () => {
  it('keep each rule as it was', () => {
    const { document } = readModelOf(segmentVersionsProjection).given(
      ...([defined(top), changed] as Parameters<ReturnType<typeof readModelOf<object, never>>['given']>),
    );
    expect(document(`${segmentId} 1`)).toMatchObject({
      version: 1,
      rule: top,
      position: '0',
      at: recordedAt,
    });
    expect(document(`${segmentId} 2`)).toMatchObject({ version: 2, rule: women, position: '1' });
  });
});

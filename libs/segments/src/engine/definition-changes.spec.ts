import { parseRule, type Rule } from '@app/rules';
import { recorded } from '@app/testing';
import type { SegmentEvent } from '../domain/segment.events';
import { changeBy, type DefinitionChange } from './definition-changes';

const of = { segmentId: 's', occurredAt: '2026-03-01T12:00:00.000Z' };
const women = parseRule({ attr: 'profile.gender', op: 'eq', value: 'female' });
const top = parseRule({ ranked: { by: 'points.balance', top: 3 } });
const more = parseRule({ ranked: { by: 'points.balance', top: 5 } });

const told = (rule: Rule, version: number) => ({ ...of, rule, ruleHash: 'h', template: null, version });
const defined = (rule: Rule): SegmentEvent => ({
  type: 'segments.SegmentDefined.v1',
  data: { ...told(rule, 1), name: 'S', description: null },
});
const changed = (rule: Rule, version: number): SegmentEvent => ({
  type: 'segments.RuleChanged.v1',
  data: told(rule, version),
});
const ranked = (rule: Rule, version: number, cutOff: number): SegmentEvent => ({
  type: 'segments.CutOffRecorded.v1',
  data: { ...of, version, rule, cutOff, membersCount: 3, asOfPosition: '0' },
});
const off: SegmentEvent = { type: 'segments.SegmentDeactivated.v1', data: of };
const on: SegmentEvent = { type: 'segments.SegmentActivated.v1', data: of };

/** What each event changed; null: nothing. */
const changes = (...events: SegmentEvent[]): unknown[] => {
  let last: DefinitionChange | null = null;
  return events.map((event, position) => {
    const change = changeBy(last, recorded(event, position));
    last = change ?? last;
    return change && [change.kind, change.definition.version, change.definition.cutOff, change.isActive];
  });
};

describe('a ranking', () => {
  it('lets somebody in with its first cut-off', () =>
    expect(changes(defined(top), ranked(top, 1, 40), ranked(top, 1, 50))).toEqual([
      ['initial', 1, undefined, true],
      ['initial', 1, 40, true],
      ['clock', 1, 50, true],
    ]));

  it('takes the place of another rule with its first cut-off, so that nobody leaves for a moment', () => {
    expect(changes(defined(women), changed(top, 2), ranked(top, 2, 40))).toEqual([
      ['initial', 1, undefined, true],
      null,
      ['definition', 2, 40, true],
    ]);
    expect(changes(defined(top), ranked(top, 1, 40), changed(more, 2), ranked(more, 2, 30))).toEqual([
      ['initial', 1, undefined, true],
      ['initial', 1, 40, true],
      null,
      ['definition', 2, 30, true],
    ]);
  });

  it('makes room for another rule at once', () =>
    expect(changes(defined(top), ranked(top, 1, 40), changed(more, 2), changed(women, 3))).toEqual([
      ['initial', 1, undefined, true],
      ['initial', 1, 40, true],
      null,
      ['definition', 3, undefined, true],
    ]));

  it('that was changed while the segment was not active decides as soon as it is', () =>
    expect(changes(defined(women), off, changed(top, 2), on, ranked(top, 2, 40))).toEqual([
      ['initial', 1, undefined, true],
      ['deactivation', 1, undefined, false],
      ['definition', 2, undefined, false],
      ['initial', 2, undefined, true],
      ['initial', 2, 40, true],
    ]));
});

import { ruleHash, parseRule } from '@app/rules';
import { decisionsOf } from '@app/testing';
import {
  segmentDecider,
  type ChangeSegment,
  type DefineSegment,
  type DeleteSegment,
} from './segment.decider';
import type { SegmentEvent, SegmentDefined } from './segment.events';

const { given } = decisionsOf(segmentDecider);
const segmentId = '0a6c2f4e-1111-4222-8333-944445555666';
const now = '2026-03-01T12:00:00.000Z';
const of = { segmentId, occurredAt: now };
const women = parseRule({ attr: 'profile.gender', op: 'eq', value: 'female' });
const men = parseRule({ attr: 'profile.gender', op: 'eq', value: 'male' });
const nobody = parseRule({
  all: [
    { attr: 'profile.gender', op: 'eq', value: 'male' },
    { attr: 'profile.gender', op: 'eq', value: 'female' },
  ],
});
const inOther = (segment: string) => parseRule({ segment, op: 'in' });
const references = new Map<string, readonly string[]>();

const define = (fields: Partial<DefineSegment> = {}): DefineSegment => ({
  type: 'DefineSegment',
  segmentId,
  now,
  name: 'Women',
  rule: women,
  references,
  ...fields,
});
const change = (fields: Partial<ChangeSegment>): ChangeSegment => ({
  type: 'ChangeSegment',
  segmentId,
  now,
  references,
  ...fields,
});
const remove: DeleteSegment = { type: 'DeleteSegment', segmentId, now };
const defined = (data: Partial<SegmentDefined['data']> = {}): SegmentDefined => ({
  type: 'segments.SegmentDefined.v1',
  data: {
    ...of,
    name: 'Women',
    description: null,
    rule: women,
    ruleHash: ruleHash(women),
    template: null,
    version: 1,
    ...data,
  },
});
const manual = defined({ rule: null, ruleHash: null });
const changed = (version: number): SegmentEvent => ({
  type: 'segments.RuleChanged.v1',
  data: { ...of, rule: men, ruleHash: ruleHash(men), template: null, version },
});
const deactivated: SegmentEvent = { type: 'segments.SegmentDeactivated.v1', data: of };
const activated: SegmentEvent = { type: 'segments.SegmentActivated.v1', data: of };
const deleted: SegmentEvent = { type: 'segments.SegmentDeleted.v1', data: of };

describe('defining a segment', () => {
  it('is done by a rule', () => given().when(define()).then(defined()));
  it('is done by hand', () =>
    given()
      .when(define({ rule: null }))
      .then(manual));
  it('remembers the template', () => {
    const template = { name: 'byGender', params: { gender: 'female' } };
    given()
      .when(define({ template, description: 'All women' }))
      .then(defined({ template, description: 'All women' }));
  });
  it('answers version 1', () => given().when(define()).thenAnswer({ segmentId, version: 1 }));
  it('is done once', () => given(defined()).when(define()).thenRefused('segments.already-exists'));
  it('refuses what the linter calls an error', () =>
    given()
      .when(define({ rule: nobody }))
      .thenRefused('rules.contradictory'));
  it('refuses what refers to nothing', () =>
    given()
      .when(define({ rule: inOther('other') }))
      .thenRefused('segments.unknown-reference'));
  it('refuses what refers to itself', () =>
    given()
      .when(define({ rule: inOther(segmentId) }))
      .thenRefused('segments.cyclic-reference'));
});

describe('changing a segment', () => {
  it('renames it', () =>
    given(defined())
      .when(change({ name: 'Ladies' }))
      .then({ type: 'segments.SegmentRenamed.v1', data: { ...of, name: 'Ladies' } }));
  it('makes a new version of another rule', () =>
    given(defined(), changed(2))
      .when(change({ rule: women }))
      .then({
        type: 'segments.RuleChanged.v1',
        data: { ...of, rule: women, ruleHash: ruleHash(women), template: null, version: 3 },
      }));
  it('answers the new version', () =>
    given(defined())
      .when(change({ rule: men }))
      .thenAnswer({ version: 2 }));
  it('makes no version of the same rule', () => {
    given(defined())
      .when(change({ rule: women, name: 'Women', active: true }))
      .thenNothing();
    given(defined())
      .when(change({ rule: women }))
      .thenAnswer({ version: 1 });
  });
  it('activates and deactivates', () => {
    given(defined())
      .when(change({ active: false }))
      .then(deactivated);
    given(defined(), deactivated)
      .when(change({ active: true }))
      .then(activated);
    given(defined(), deactivated, activated)
      .when(change({ active: true }))
      .thenNothing();
  });
  it('does all at once, in order', () =>
    given(defined())
      .when(change({ name: 'Men', rule: men, active: false }))
      .then({ type: 'segments.SegmentRenamed.v1', data: { ...of, name: 'Men' } }, changed(2), deactivated));
  it('refuses what the linter calls an error', () =>
    given(defined())
      .when(change({ rule: nobody }))
      .thenRefused('rules.contradictory'));
  it('refuses a cycle', () =>
    given(defined())
      .when(change({ rule: inOther('other'), references: new Map([['other', [segmentId]]]) }))
      .thenRefused('segments.cyclic-reference'));
  it('gives a manual segment no rule', () =>
    given(manual)
      .when(change({ rule: men }))
      .thenRefused('segments.manual'));
  it('needs a segment', () => {
    given()
      .when(change({ active: false }))
      .thenRefused('segments.not-found');
    given(defined(), deleted)
      .when(change({ active: true }))
      .thenRefused('segments.not-found');
  });
});

describe('deleting a segment', () => {
  it('is recorded once', () => {
    given(defined()).when(remove).then(deleted);
    given(defined(), deleted).when(remove).thenNothing();
  });
  it('needs a segment', () => given().when(remove).thenRefused('segments.not-found'));
  it('is for good', () => given(defined(), deleted).when(define()).thenRefused('segments.already-exists'));
});

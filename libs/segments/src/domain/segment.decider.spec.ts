import { ruleHash, parseRule } from '@app/rules';
import { decisionsOf } from '@app/testing';
import {
  segmentDecider,
  type ChangeSegment,
  type DefineSegment,
  type DeleteSegment,
  type RecordCutOff,
} from './segment.decider';
import { CyclicReferenceError } from './segment.errors';
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
const granted = { rootPointer: '/rule/root', admission: 'granted' } as const;
const refusal = new CyclicReferenceError(['a', 'a']);
const top = parseRule({ ranked: { by: 'points.balance', top: 10 } });

const define = (fields: Partial<DefineSegment> = {}): DefineSegment => ({
  type: 'DefineSegment',
  segmentId,
  now,
  name: 'Women',
  rule: women,
  ...granted,
  ...fields,
});
const change = (fields: Partial<ChangeSegment>): ChangeSegment => ({
  type: 'ChangeSegment',
  segmentId,
  now,
  ...granted,
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
  it('points to where the rule was sent', () => {
    for (const [rootPointer, pointer] of [
      ['/rule', '/rule'],
      ['/rule/root', '/rule/root'],
    ] as const) {
      expect(() =>
        segmentDecider.decide(define({ rule: nobody, rootPointer }), { status: 'unknown' }),
      ).toThrow(
        expect.objectContaining({ pointer: expect.stringMatching(new RegExp(`^${pointer}(/all.*)?$`)) }),
      );
    }
  });
  it('is refused as the graph of all segments says', () =>
    given()
      .when(define({ admission: refusal }))
      .thenRefused('segments.cyclic-reference'));
  it('is not done without having asked it', () =>
    given()
      .when(define({ rule: null, admission: null }))
      .thenRefused('segments.busy'));
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
  it('is refused as the graph of all segments says, where it is asked at all', () => {
    for (const [admission, code] of [
      [refusal, 'segments.cyclic-reference'],
      [null, 'segments.busy'],
    ] as const) {
      given(defined())
        .when(change({ rule: men, admission }))
        .thenRefused(code);
      given(defined(), deactivated)
        .when(change({ active: true, admission }))
        .thenRefused(code);
      given(defined())
        .when(change({ rule: women, name: 'Women', active: false, admission }))
        .then(deactivated);
    }
  });
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

describe('recording a cut-off', () => {
  const ranked = defined({ rule: top, ruleHash: ruleHash(top) });
  const figures = { cutOff: 40, membersCount: 11, asOfPosition: '17' };
  const record = (version = 1): RecordCutOff => ({
    type: 'RecordCutOff',
    segmentId,
    now,
    version,
    ...figures,
  });

  it('says whom the ranking lets in', () => {
    const data = { ...of, version: 1, rule: top, ...figures };
    given(ranked).when(record()).then({ type: 'segments.CutOffRecorded.v1', data });
    given(ranked).when(record()).thenAnswer({ cutOff: 40, membersCount: 11, version: 1 });
  });
  it('is done again at each refresh, also with the same figures', () => {
    const data = { ...of, version: 1, rule: top, ...figures };
    const before: SegmentEvent = { type: 'segments.CutOffRecorded.v1', data };
    given(ranked, before).when(record()).then(before);
  });
  it('is for the rule that ranked', () => {
    given(ranked, { ...changed(2), data: { ...changed(2).data, rule: top } } as SegmentEvent)
      .when(record(1))
      .thenRefused('segments.version-changed');
    given(ranked, changed(2)).when(record(2)).thenRefused('segments.not-ranked');
  });
  it('is for ranked segments that are active', () => {
    given(defined()).when(record()).thenRefused('segments.not-ranked');
    given(manual).when(record()).thenRefused('segments.not-ranked');
    given(ranked, deactivated).when(record()).thenRefused('segments.inactive');
    given(ranked, deleted).when(record()).thenRefused('segments.not-found');
    given().when(record()).thenRefused('segments.not-found');
  });
});

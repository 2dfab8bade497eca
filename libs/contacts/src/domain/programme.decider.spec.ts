import { NOW, decisionsOf } from '@app/testing';
import { programmeDecider, type Programme } from './programme.decider';

const { given } = decisionsOf(programmeDecider);
const programme: Programme = {
  purchases: [{ currency: 'EUR', points: 1, perMinor: 100, expiresAfter: 'P1Y' }],
  checkIn: { points: 5, cooldown: 'PT12H' },
};
const change = (fields: Partial<Programme> = {}) =>
  ({ type: 'ChangeProgramme', now: NOW, programme: { ...programme, ...fields } }) as const;
const changed = {
  type: 'contacts.ProgrammeChanged.v1',
  data: { ...programme, occurredAt: NOW },
} as const;
const purchase = { currency: 'EUR', points: 1, perMinor: 100 };

describe('the programme', () => {
  it('is replaced as a whole', () => given().when(change()).then(changed));
  it('is not recorded again unchanged', () => given(changed).when(change()).thenNothing());
  it('can be emptied', () =>
    given(changed)
      .when(change({ purchases: [], checkIn: null }))
      .then({
        type: 'contacts.ProgrammeChanged.v1',
        data: { purchases: [], checkIn: null, occurredAt: NOW },
      }));
  it.each([
    ['two rules for a currency', { purchases: [purchase, purchase] }],
    ['no points', { purchases: [{ ...purchase, points: 0 }] }],
    ['parts of points', { checkIn: { points: 0.5, cooldown: 'PT1H' } }],
    ['too many points', { checkIn: { points: 1_000_001, cooldown: 'PT1H' } }],
    ['an amount of nothing', { purchases: [{ ...purchase, perMinor: 0 }] }],
    ['a time that is none', { purchases: [{ ...purchase, expiresAfter: '1 year' }] }],
    ['a cool-down that is none', { checkIn: { points: 1, cooldown: 'P' } }],
  ])('is refused with %s', (_, fields) =>
    given().when(change(fields)).thenRefused('contacts.invalid-programme'),
  );
});

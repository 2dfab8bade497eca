import * as fc from 'fast-check';
import { decisionsOf, recorded } from '@app/testing';
import { rewardDecider, remainingOf, type Reward, type RewardCommand } from './reward.decider';
import {
  InvalidTermsError,
  RewardAlreadyExistsError,
  RewardNotAvailableError,
  RewardNotFoundError,
  RewardOutOfStockError,
} from './reward.errors';
import type { ReleaseCause, RewardEvent, RewardTerms } from './reward.events';

const rewardId = 'r-1';
const now = '2026-03-01T10:00:00.000Z';
const deadline = '2026-03-01T10:01:00.000Z';
const terms: RewardTerms = {
  title: 'Coffee',
  description: null,
  price: { pool: 'main', points: 100 },
  validFrom: null,
  validUntil: null,
  stock: 1,
  limitPerContact: null,
  segmentId: null,
  redemptionType: 'inStore',
};
const created = (changes: Partial<RewardTerms> = {}): RewardEvent => ({
  type: 'rewards.RewardCreated.v1',
  data: { rewardId, terms: { ...terms, ...changes }, occurredAt: now },
});
/** Attempt `x1` is the first at redemption `x`. */
const attempt = (reservationId: string) => ({
  rewardId,
  contactId: 'c-1',
  redemptionId: reservationId.slice(0, 1),
  reservationId,
});
const reserved = (reservationId: string): RewardEvent => ({
  type: 'rewards.StockReserved.v1',
  data: { ...attempt(reservationId), deadline, occurredAt: now },
});
const confirmed = (reservationId: string): RewardEvent => ({
  type: 'rewards.StockConfirmed.v1',
  data: { ...attempt(reservationId), occurredAt: now },
});
const released = (
  redemptionId: string,
  cause: ReleaseCause,
  reservationIds: string[],
  wasConfirmed = false,
): RewardEvent => ({
  type: 'rewards.StockReleased.v1',
  data: {
    rewardId,
    contactId: 'c-1',
    redemptionId,
    cause,
    reservationIds,
    confirmed: wasConfirmed,
    occurredAt: now,
  },
});
const reserve = (reservationId: string): RewardCommand => ({
  type: 'ReserveStock',
  ...attempt(reservationId),
  deadline,
  now,
});
const confirm = (reservationId: string): RewardCommand => ({
  type: 'ConfirmStock',
  ...attempt(reservationId),
  now,
});
const release = (reservationId: string, cause: ReleaseCause): RewardCommand => ({
  type: 'ReleaseStock',
  ...attempt(reservationId),
  cause,
  now,
});
const giveBack = (redemptionId: string): RewardCommand => ({
  type: 'ReturnStock',
  rewardId,
  contactId: 'c-1',
  redemptionId,
  now,
});

const { given } = decisionsOf(rewardDecider);

describe('the catalogue', () => {
  const create: RewardCommand = { type: 'CreateReward', rewardId, terms, now };
  it('takes a new reward', () => given().when(create).then(created()));
  it('refuses the id of another', () => given(created()).when(create).thenRefused(RewardAlreadyExistsError));
  it('refuses a validity that ends before it begins', () =>
    given()
      .when({ ...create, terms: { ...terms, validFrom: now, validUntil: now } })
      .thenRefused(InvalidTermsError));
  it('records only what changes', () =>
    given(created())
      .when({ type: 'ChangeReward', rewardId, terms: { title: 'Tea', stock: 1 }, active: false, now })
      .then(
        { type: 'rewards.RewardChanged.v1', data: { rewardId, terms: { title: 'Tea' }, occurredAt: now } },
        { type: 'rewards.RewardDeactivated.v1', data: { rewardId, occurredAt: now } },
      ));
  it('does not know what was never created', () =>
    given().when({ type: 'DeactivateReward', rewardId, now }).thenRefused(RewardNotFoundError));
});

describe('stock', () => {
  it('sets a piece aside', () => given(created()).when(reserve('x1')).then(reserved('x1')));
  it('sets none aside where stock is without limit', () =>
    given(created({ stock: null }))
      .when(reserve('x1'))
      .thenNothing());
  it('is not given out twice', () =>
    given(created(), reserved('x1')).when(reserve('y1')).thenRefused(RewardOutOfStockError));
  it('is not given out twice after it was confirmed', () =>
    given(created(), reserved('x1'), confirmed('x1')).when(reserve('y1')).thenRefused(RewardOutOfStockError));
  it('comes back when a redemption was refused, which may be tried again', () =>
    given(created(), reserved('x1'), released('x', 'refused', ['x1']))
      .when(reserve('x2'))
      .then(reserved('x2')));
  it('comes back once', () =>
    given(created(), reserved('x1'), released('x', 'abandoned', ['x1']))
      .when(release('x1', 'abandoned'))
      .thenNothing());
  it('is confirmed once', () =>
    given(created(), reserved('x1'), confirmed('x1')).when(confirm('x1')).thenNothing());
  it('takes one piece for two attempts at one redemption', () =>
    given(created({ stock: 2 }), reserved('x1'), reserved('x2'), confirmed('x1'))
      .when(confirm('x2'))
      .then(released('x', 'superseded', ['x2'])));
  it('keeps the piece of the attempt that succeeded when the other is refused', () =>
    given(created({ stock: 2 }), reserved('x1'), reserved('x2'), confirmed('x2'))
      .when(release('x1', 'refused'))
      .then(released('x', 'refused', ['x1'])));
  it('comes back when a redemption is cancelled', () =>
    given(created(), reserved('x1'), confirmed('x1'))
      .when(giveBack('x'))
      .then(released('x', 'cancelled', [], true)));
  it('comes back when a redemption is cancelled before it was confirmed', () =>
    given(created(), reserved('x1'))
      .when(giveBack('x'))
      .then(released('x', 'cancelled', ['x1'])));
  it('is not taken by an attempt at a redemption that was cancelled since', () =>
    given(created(), released('x', 'cancelled', []), reserved('x1'))
      .when(confirm('x1'))
      .then(released('x', 'cancelled', ['x1'])));
  it('notes a cancellation that held no piece, once', () => {
    given(created())
      .when(giveBack('x'))
      .then(released('x', 'cancelled', []));
    given(created(), released('x', 'cancelled', []))
      .when(giveBack('x'))
      .thenNothing();
  });
  it.each([
    ['before it is valid', { validFrom: '2026-03-01T10:00:00.001Z' }],
    ['when it is valid no more', { validUntil: now }],
  ])('is refused %s', (_, changes) => {
    given(created(changes)).when(reserve('x1')).thenRefused(RewardNotAvailableError);
  });
  it('is refused while the reward is not active', () =>
    given(created(), { type: 'rewards.RewardDeactivated.v1', data: { rewardId, occurredAt: now } })
      .when(reserve('x1'))
      .thenRefused(RewardNotAvailableError));

  it('is never oversold, whatever comes in whatever order', () => {
    const id = fc.constantFrom('a1', 'a2', 'b1', 'b2', 'c1', 'd1');
    const cause = fc.constantFrom<ReleaseCause>('refused', 'abandoned');
    const command = fc.oneof(
      id.map(reserve),
      id.map(confirm),
      fc.tuple(id, cause).map(([reservationId, why]) => release(reservationId, why)),
      id.map((reservationId) => giveBack(reservationId.slice(0, 1))),
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3 }), fc.array(command, { maxLength: 30 }), (stock, commands) => {
        const history = [created({ stock })];
        const fold = () =>
          history
            .map((event, revision) => recorded(event, revision))
            .reduce(rewardDecider.evolve, rewardDecider.initialState());
        for (const each of commands) {
          try {
            history.push(...rewardDecider.decide(each, fold()).events);
          } catch (error) {
            expect(error).toBeInstanceOf(RewardOutOfStockError);
          }
          const state = fold() as Extract<Reward, { status: 'known' }>;
          expect(state.reserved.size + state.confirmed.size).toBeLessThanOrEqual(stock);
          expect(remainingOf(state)).toBe(stock - state.reserved.size - state.confirmed.size);
        }
      }),
    );
  });
});

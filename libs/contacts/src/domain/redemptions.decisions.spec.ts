import { CONTACT_ID, NOW, decisionsOf, facts, shares } from '@app/testing';
import { contactDecider } from './contact.decider';
import type { ContactEvent } from './contact.events';
import type { RedeemReward } from './redemptions.decisions';

const { given } = decisionsOf(contactDecider);
const of = { contactId: CONTACT_ID, now: NOW };
const redeem = (fields: Partial<RedeemReward> = {}): RedeemReward => ({
  type: 'RedeemReward',
  ...of,
  redemptionId: 'x1',
  rewardId: 'reward',
  code: 'CODE',
  redemptionType: 'code',
  pool: 'main',
  points: 10,
  limitPerContact: null,
  ...fields,
});
const cancel = { type: 'CancelRedemption', ...of, redemptionId: 'x1' } as const;
const abandon = { type: 'AbandonRedemption', ...of, redemptionId: 'x1', rewardId: 'reward' } as const;
const cancelled = (
  lots: Readonly<Record<string, number>>,
  points: number,
  balance: number,
): ContactEvent => ({
  type: 'contacts.RedemptionCancelled.v1',
  data: {
    contactId: CONTACT_ID,
    occurredAt: NOW,
    redemptionId: 'x1',
    rewardId: 'reward',
    pool: 'main',
    points,
    balance,
    lots: shares(lots),
  },
});
const abandoned: ContactEvent = {
  type: 'contacts.RedemptionAbandoned.v1',
  data: { contactId: CONTACT_ID, occurredAt: NOW, redemptionId: 'x1', rewardId: 'reward' },
};
const rich = [facts.registered(), facts.credited('e0', 25)];
const redeemed = facts.redeemed('x1', { e0: 10 }, 15);

describe('redeeming', () => {
  it('takes the price', () => {
    given(...rich)
      .when(redeem())
      .then(redeemed);
    given(...rich)
      .when(redeem())
      .thenAnswer({ redemptionId: 'x1', rewardId: 'reward', code: 'CODE', points: 10, balance: 15 });
  });
  it('may be free', () =>
    given(facts.registered())
      .when(redeem({ points: 0 }))
      .thenAnswer({ balance: 0 }));
  it('counts what has expired as gone', () =>
    given(facts.registered(), facts.credited('due', 10, { expiresAt: NOW }), facts.credited('e0', 10))
      .when(redeem())
      .then(facts.expired('expiry:due', NOW, { due: 10 }, 10), facts.redeemed('x1', { e0: 10 }, 0)));
  it('is refused beyond the balance', () =>
    given(...rich)
      .when(redeem({ points: 26 }))
      .thenRefused('contacts.insufficient-points', { balance: 25 }));
  it('is refused beyond the limit per contact, where cancelled ones do not count', () => {
    given(...rich, redeemed)
      .when(redeem({ redemptionId: 'x2', limitPerContact: 1 }))
      .thenRefused('contacts.redemption-limit', { limit: 1, redeemed: 1 });
    given(...rich, redeemed, cancelled({ e0: 10 }, 10, 25))
      .when(redeem({ redemptionId: 'x2', limitPerContact: 1 }))
      .thenAnswer({ redemptionId: 'x2' });
    given(...rich, redeemed)
      .when(redeem({ redemptionId: 'x2', rewardId: 'other', limitPerContact: 1 }))
      .thenAnswer({ redemptionId: 'x2' });
  });
  it('is refused under an id that was used, cancelled or given up', () => {
    given(...rich, redeemed)
      .when(redeem())
      .thenRefused('contacts.redemption-id-taken');
    given(...rich, redeemed, cancelled({ e0: 10 }, 10, 25))
      .when(redeem())
      .thenRefused('contacts.redemption-id-taken');
    given(...rich, abandoned)
      .when(redeem())
      .thenRefused('contacts.redemption-id-taken');
    given(abandoned, ...rich)
      .when(redeem())
      .thenRefused('contacts.redemption-id-taken');
  });
  it('is refused for an unknown contact', () => given().when(redeem()).thenRefused('contacts.not-found'));
  it('is known by its id', () =>
    expect(contactDecider.naturalKey?.ofCommand(redeem())).toBe('redemption:x1'));
});

describe('cancelling', () => {
  it('gives the points back', () => {
    given(...rich, redeemed)
      .when(cancel)
      .then(cancelled({ e0: 10 }, 10, 25));
    given(...rich, redeemed)
      .when(cancel)
      .thenAnswer({ pointsGivenBack: 10, balance: 25, rewardId: 'reward' });
  });
  it('leaves out what would have expired since', () =>
    given(
      facts.registered(),
      facts.credited('due', 10, { expiresAt: NOW }),
      facts.redeemed('x1', { due: 10 }),
    )
      .when(cancel)
      .then(cancelled({}, 0, 0)));
  it('again changes nothing and says the same', () => {
    given(...rich, redeemed, cancelled({ e0: 10 }, 10, 25))
      .when(cancel)
      .thenNothing();
    given(...rich, redeemed, cancelled({ e0: 10 }, 10, 25))
      .when(cancel)
      .thenAnswer({ pointsGivenBack: 10, balance: 25 });
  });
  it('is refused for what was not redeemed', () => {
    given(...rich)
      .when(cancel)
      .thenRefused('contacts.redemption-not-found');
    given(...rich, abandoned)
      .when(cancel)
      .thenRefused('contacts.redemption-not-found');
    given().when(cancel).thenRefused('contacts.not-found');
  });
});

describe('giving up a redemption', () => {
  it('says so on the stream, once, also where no contact came to be', () => {
    given(...rich)
      .when(abandon)
      .then(abandoned);
    given().when(abandon).then(abandoned);
    given(abandoned).when(abandon).thenNothing();
  });
  it('is not done where it came to be', () => {
    given(...rich, redeemed)
      .when(abandon)
      .thenNothing();
    given(...rich, redeemed)
      .when(abandon)
      .thenAnswer({ verdict: 'redeemed' });
    given(...rich, redeemed, cancelled({ e0: 10 }, 10, 25))
      .when(abandon)
      .thenAnswer({ verdict: 'cancelled' });
  });
});

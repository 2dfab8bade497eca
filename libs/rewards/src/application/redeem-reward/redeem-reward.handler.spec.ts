import { randomUUID } from 'node:crypto';
import { contactDecider, contactEventDefinitions, contactStream, type ContactEvent } from '@app/contacts';
import {
  DecisionRunner,
  EsdbEventStore,
  PayloadMac,
  StaleRevisionError,
  type EventStore,
} from '@app/event-store';
import { commandContext } from '@app/testing';
import {
  InMemoryLogClient,
  openTestKeys,
  testCodec,
  type TestKeys,
} from '../../../../event-store/src/event-store.suite';
import { NotInSegmentError, SegmentNotActiveError } from '../../domain/reward.errors';
import { rewardEventDefinitions, rewardStream, type RewardTerms } from '../../domain/reward.events';
import { InvalidTermsError } from '../../domain/reward.errors';
import { CreateRewardCommand } from '../manage-rewards/manage-reward.command';
import { CreateRewardHandler } from '../manage-rewards/manage-reward.handlers';
import type { RewardAudience, Standing } from '../reward-audience.port';
import { RewardStock } from '../reward-stock';
import { RedeemRewardCommand } from './redeem-reward.command';
import { RedeemRewardHandler } from './redeem-reward.handler';

const NOW = '2026-03-01T12:00:00.000Z';
const definitions = [...contactEventDefinitions, ...rewardEventDefinitions];

describe('a reward for the members of a segment', () => {
  let keys: TestKeys;
  let store: EventStore;
  let decisions: DecisionRunner;
  let contactId: string;
  let rewardId: string;
  /** What the audience is asked, and what it answers. */
  let asked: [string, number][];
  let answer: (segmentId: string, revision: number) => Standing | Promise<Standing>;

  const audience: RewardAudience = {
    exists: async (segmentId) => segmentId !== 'none',
    standingOf: async (_, segmentId, revision) => {
      asked.push([segmentId, revision]);
      return answer(segmentId, revision);
    },
  };
  const context = (more: object = {}) =>
    commandContext({ commandId: randomUUID(), now: NOW, deadlineMs: Date.now() + 10_000, ...more });

  beforeAll(async () => {
    keys = await openTestKeys();
  });
  afterAll(() => keys.close());

  beforeEach(async () => {
    store = new EsdbEventStore(new InMemoryLogClient(), testCodec(keys, definitions));
    decisions = new DecisionRunner(store, new PayloadMac(keys.secrets));
    [contactId, rewardId, asked] = [randomUUID(), randomUUID(), []];
    answer = () => 'member';
    const of = { contactId, occurredAt: NOW };
    const registered: ContactEvent = {
      type: 'contacts.ContactRegistered.v1',
      data: { ...of, source: 'app', profile: {} },
    };
    await store.append(contactStream(contactId), [registered], 'no-stream', context());
    await credit();
  });

  const credit = () =>
    decisions.run(
      contactDecider,
      contactStream(contactId),
      {
        type: 'CreditPoints',
        contactId,
        now: NOW,
        entryId: randomUUID(),
        pool: 'main',
        points: 10,
        reason: 'x',
      },
      context(),
    );
  const create = (terms: Partial<RewardTerms> = {}) =>
    new CreateRewardHandler(decisions, audience).execute(
      new CreateRewardCommand(
        rewardId,
        {
          title: 'A coffee',
          description: null,
          price: { pool: 'main', points: 5 },
          validFrom: null,
          validUntil: null,
          stock: 3,
          limitPerContact: null,
          segmentId: 's1',
          redemptionType: 'inStore',
          ...terms,
        },
        context(),
      ),
    );
  const redeem = (more: object = {}, redemptionId = randomUUID()) =>
    new RedeemRewardHandler(decisions, new RewardStock(decisions), audience).execute(
      new RedeemRewardCommand(contactId, rewardId, redemptionId, context(more)),
    );
  const typesOn = async (stream: string): Promise<string[]> => {
    const types: string[] = [];
    for await (const { type } of store.readStream(stream)) types.push(type.split('.')[1] as string);
    return types;
  };

  it('has to be for one that exists', async () => {
    await expect(create({ segmentId: 'none' })).rejects.toThrow(InvalidTermsError);
    await create();
  });

  it('is redeemed by a member, at the revision at which it is one', async () => {
    await create();
    const { revision } = await redeem();
    expect([asked, revision]).toEqual([[['s1', 1]], 2]);
    expect(await typesOn(rewardStream(rewardId))).toEqual([
      'RewardCreated',
      'StockReserved',
      'StockConfirmed',
    ]);
  });

  it('is refused to others, and nothing is set aside for them', async () => {
    await create();
    for (const [standing, error] of [
      ['notMember', NotInSegmentError],
      ['notActive', SegmentNotActiveError],
    ] as const) {
      answer = () => standing;
      await expect(redeem()).rejects.toThrow(error);
    }
    expect(await typesOn(rewardStream(rewardId))).toEqual(['RewardCreated']);
    expect(await typesOn(contactStream(contactId))).toEqual(['ContactRegistered', 'PointsCredited']);
  });

  it('is decided again where the contact changes in between', async () => {
    await create();
    answer = async (_, revision): Promise<Standing> => {
      if (revision === 1) await credit();
      return 'member';
    };
    expect((await redeem()).revision).toBe(3);
    expect(asked).toEqual([
      ['s1', 1],
      ['s1', 2],
    ]);
  });

  it('is refused where the contact is no member any more by then, and what was set aside comes back', async () => {
    await create();
    answer = async (_, revision): Promise<Standing> => {
      if (revision > 1) return 'notMember';
      await credit();
      return 'member';
    };
    await expect(redeem()).rejects.toThrow(NotInSegmentError);
    expect(await typesOn(rewardStream(rewardId))).toEqual([
      'RewardCreated',
      'StockReserved',
      'StockReleased',
    ]);
    expect(await typesOn(contactStream(contactId))).not.toContain('RewardRedeemed');
  });

  it('asks again where the read model is further than the revision', async () => {
    await create();
    let count = 0;
    answer = () => ((count += 1) < 3 ? 'moved' : 'member');
    await redeem();
    expect(asked).toHaveLength(3);
  });

  it('keeps to If-Match', async () => {
    await create();
    await expect(redeem({ expectedRevision: 0 })).rejects.toThrow(StaleRevisionError);
    expect(await typesOn(rewardStream(rewardId))).toEqual(['RewardCreated']);
    expect((await redeem({ expectedRevision: 1 })).revision).toBe(2);
  });

  it('answers a retry as before, member or not', async () => {
    await create({ stock: null });
    const redemptionId = randomUUID();
    const { answer: first } = await redeem({}, redemptionId);
    answer = () => 'notMember';
    expect(await redeem({}, redemptionId)).toMatchObject({ answer: first, replayed: true });
  });

  it('asks nobody where the reward is for everybody', async () => {
    await create({ segmentId: null });
    await redeem();
    expect(asked).toEqual([]);
  });
});

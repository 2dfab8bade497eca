import fc from 'fast-check';
import { DomainError } from '@app/kernel';
import { CONTACT_ID, decisionsOf, facts, folded, NOW, recorded } from '@app/testing';
import { contactDecider, type ContactCommand } from './contact.decider';
import type { ContactEvent } from './contact.events';
import type { ActiveContact, Contact } from './contact.state';
import { retainedUntil } from './erasure.decisions';

const { given } = decisionsOf(contactDecider);
const of = { contactId: CONTACT_ID, now: NOW };
const at = { contactId: CONTACT_ID, occurredAt: NOW, erasureId: 'e1' };
const LATER = '2026-03-08T12:00:00.000Z';

const requested = (executeAfter = NOW): ContactEvent => ({
  type: 'contacts.ErasureRequested.v1',
  data: { ...at, legalGround: 'noLongerNeeded', executeAfter },
});
const started = (releasedEmailClaim?: string): ContactEvent => ({
  type: 'contacts.ErasureStarted.v1',
  data: { ...at, ...(releasedEmailClaim !== undefined && { releasedEmailClaim }) },
});
const erased = (until?: string): ContactEvent => ({
  type: 'contacts.ContactErased.v1',
  data: { ...at, keyIds: ['p1'], held: [], ...(until !== undefined && { retainedUntil: until }) },
});
const completed: ContactEvent = {
  type: 'contacts.ErasureCompleted.v1',
  data: { ...at, valuesErased: 1, valuesRetained: 0, stores: [] },
};
const erase = (coolingOff: string): ContactCommand => ({
  type: 'EraseContact',
  ...of,
  erasureId: 'e1',
  legalGround: 'noLongerNeeded',
  coolingOff,
});

/** Every command that somebody can send, and whether it is taken while processing is restricted. */
const COMMANDS: readonly (readonly [ContactCommand, boolean])[] = [
  [{ type: 'RegisterContact', ...of, source: 'app', profile: {}, consents: [] }, false],
  [{ type: 'ChangeContactDetails', ...of, patch: { firstName: 'A' } }, false],
  [{ type: 'SetConsent', ...of, choice: { purpose: 'news', granted: false, source: 'app' } }, true],
  [{ type: 'RegisterDevice', ...of, deviceId: 'd', platform: 'ios', device: {} }, false],
  [{ type: 'RemoveDevice', ...of, deviceId: 'd' }, false],
  [{ type: 'CreditPoints', ...of, entryId: 'x', pool: 'main', points: 1, reason: 'r' }, false],
  [{ type: 'DebitPoints', ...of, entryId: 'x', pool: 'main', points: 1, reason: 'r' }, false],
  [{ type: 'ReversePoints', ...of, entryId: 'x', reversedEntryId: 'c1' }, false],
  [
    {
      type: 'RecordPurchase',
      ...of,
      purchaseId: 'p',
      invoiceNumber: 'i',
      amount: { minor: 1, currency: 'EUR' },
      earning: [],
    },
    false,
  ],
  [{ type: 'ReturnPurchase', ...of, purchaseId: 'p' }, false],
  [{ type: 'CheckIn', ...of, checkInId: 'k', earning: null }, false],
  [
    {
      type: 'RedeemReward',
      ...of,
      redemptionId: 'x',
      rewardId: 'r',
      code: 'C',
      redemptionType: 'code',
      pool: 'main',
      points: 1,
      limitPerContact: null,
    },
    false,
  ],
  [{ type: 'CancelRedemption', ...of, redemptionId: 'x' }, false],
  [
    {
      type: 'SendMessage',
      ...of,
      messageId: 'm',
      channel: 'inbox',
      purpose: 'service',
      content: { body: 'b' },
    },
    false,
  ],
  [{ type: 'RestrictProcessing', ...of, restricted: false }, true],
  [{ type: 'ObjectToProfiling', ...of, objected: true }, false],
  [erase('P0D'), true],
  [{ type: 'CancelErasure', ...of }, true],
];

const codeOf = (command: ContactCommand, state: Contact): string | null => {
  try {
    contactDecider.decide(command, state);
    return null;
  } catch (error) {
    expect(error).toBeInstanceOf(DomainError);
    return (error as DomainError).code;
  }
};

describe('asking for an erasure', () => {
  it('starts it at once without cooling-off', () =>
    given(facts.registered({ emailClaim: 'hash', claimId: 'c' }))
      .when(erase('P0D'))
      .then(requested(), started('hash')));

  it('lets it cool off', () => {
    given(facts.registered()).when(erase('P7D')).then(requested(LATER));
    given(facts.registered()).when(erase('P7D')).thenAnswer({ state: 'coolingOff', executeAfter: LATER });
  });

  it('is refused for nobody, twice, and beyond a month', () => {
    given().when(erase('P0D')).thenRefused('contacts.not-found');
    given(facts.registered(), requested(LATER))
      .when(erase('P0D'))
      .thenRefused('contacts.erasure-pending', { executeAfter: LATER });
    given(facts.registered(), requested(), started()).when(erase('P0D')).thenRefused('contacts.erased');
    given(facts.registered()).when(erase('P32D')).thenRefused('contacts.cooling-off-too-long');
  });

  it('can be taken back while it cools off, and then asked for again', () => {
    const cancel: ContactCommand = { type: 'CancelErasure', ...of };
    const cancelled: ContactEvent = { type: 'contacts.ErasureCancelled.v1', data: at };
    given(facts.registered()).when(cancel).thenRefused('contacts.no-erasure-pending');
    given(facts.registered(), requested(LATER)).when(cancel).then(cancelled);
    given(facts.registered(), requested(), started()).when(cancel).thenRefused('contacts.erased');
    given(facts.registered(), requested(LATER), cancelled).when(erase('P0D')).then(requested(), started());
  });
});

describe('the fence', () => {
  const coolingOff = [facts.registered(), facts.credited('c1', 10), requested(LATER)];
  const stages: readonly (readonly [string, readonly ContactEvent[]])[] = [
    ['executing', [facts.registered(), requested(), started()]],
    ['erased', [facts.registered(), requested(), started(), erased()]],
    ['completed', [facts.registered(), requested(), started(), erased(), completed]],
  ];

  it.each(stages)('refuses every command once it is %s', (_, history) => {
    const state = folded(contactDecider, history);
    for (const [command] of COMMANDS) {
      expect([command.type, codeOf(command, state)]).toEqual([command.type, 'contacts.erased']);
    }
  });

  it('lets commands through while it cools off', () => {
    const state = folded(contactDecider, coolingOff);
    for (const [command] of COMMANDS) expect(codeOf(command, state)).not.toBe('contacts.erased');
    given(...coolingOff)
      .when({ type: 'DebitPoints', ...of, entryId: 'x', pool: 'main', points: 4, reason: 'r' })
      .thenAnswer({ balance: 6 });
  });

  it('answers what the system asks by itself without an event', () => {
    const behind = [facts.registered({ emailClaim: 'h', claimId: 'c' }), requested(), started('h')];
    given(...behind)
      .when({ type: 'ExpirePoints', ...of })
      .thenNothing();
    given(...behind)
      .when({ type: 'AbandonEmailClaim', ...of, claimId: 'c' })
      .thenAnswer({ verdict: 'released' });
    given(...behind)
      .when({ type: 'AbandonEmailClaim', ...of, claimId: 'other' })
      .thenNothing();
    given(...behind)
      .when({ type: 'AbandonRedemption', ...of, redemptionId: 'x', rewardId: 'r' })
      .thenNothing();
  });
});

describe('restricted processing', () => {
  const restricted: ContactEvent = {
    type: 'contacts.ProcessingRestricted.v1',
    data: { contactId: CONTACT_ID, occurredAt: NOW, reason: 'contested' },
  };

  it('takes nothing but consents, an erasure and its own lifting', () => {
    const state = folded(contactDecider, [facts.registered(), facts.credited('c1', 10), restricted]);
    for (const [command, taken] of COMMANDS) {
      if (command.type === 'RegisterContact') continue;
      expect([command.type, codeOf(command, state) === 'contacts.processing-restricted']).toEqual([
        command.type,
        !taken,
      ]);
    }
  });

  it('keeps points from expiring until it is lifted', () => {
    const due = facts.credited('c1', 10, { expiresAt: '2026-02-01T00:00:00.000Z' });
    const lifted: ContactEvent = {
      type: 'contacts.RestrictionLifted.v1',
      data: { contactId: CONTACT_ID, occurredAt: NOW },
    };
    const expire: ContactCommand = { type: 'ExpirePoints', ...of };
    given(facts.registered(), due, restricted).when(expire).thenNothing();
    given(facts.registered(), due, restricted, lifted).when(expire).thenAnswer({ expired: 10 });
  });

  it('is recorded once', () => {
    given(facts.registered())
      .when({ type: 'RestrictProcessing', ...of, restricted: true, reason: 'contested' })
      .then(restricted);
    given(facts.registered(), restricted)
      .when({ type: 'RestrictProcessing', ...of, restricted: true })
      .thenNothing();
    given(facts.registered())
      .when({ type: 'RestrictProcessing', ...of, restricted: false })
      .thenNothing();
  });
});

describe('carrying an erasure out', () => {
  it('starts when the cooling-off is over and not before', () => {
    given(facts.registered(), requested(LATER))
      .when({ type: 'StartErasure', ...of })
      .thenNothing();
    given(facts.registered(), requested(LATER))
      .when({ type: 'StartErasure', ...of, now: LATER })
      .then({ ...started(), data: { ...at, occurredAt: LATER } } as ContactEvent);
  });

  it('forfeits what is left in every pool; what is due expires', () =>
    given(
      facts.registered(),
      facts.credited('c1', 10, { expiresAt: '2026-02-01T00:00:00.000Z' }),
      facts.credited('c2', 5, { balance: 15 }),
      facts.credited('c3', 7, { pool: 'vip' }),
      requested(),
      started(),
    )
      .when({ type: 'ForfeitPoints', ...of })
      .then(
        facts.expired('expiry:c1', '2026-02-01T00:00:00.000Z', { c1: 10 }, 5),
        {
          type: 'contacts.PointsForfeited.v1',
          data: { ...at, entryId: 'forfeit:e1:main', pool: 'main', points: 5, balance: 0 },
        },
        {
          type: 'contacts.PointsForfeited.v1',
          data: { ...at, entryId: 'forfeit:e1:vip', pool: 'vip', points: 7, balance: 0 },
        },
      ));

  it('keeps what is in the books for seven years from the end of the calendar year', () => {
    const until = (...history: readonly ContactEvent[]) =>
      retainedUntil(folded(contactDecider, history) as ActiveContact, NOW);
    expect(until(facts.registered())).toBeNull();
    expect(until(facts.registered(), facts.purchased('p', 0))).toBe('2034-01-01T00:00:00.000Z');
    const long = { occurredAt: '1997-05-01T00:00:00.000Z' };
    expect(until(facts.registered(), facts.purchased('p', 0, long))).toBeNull();
  });

  it('destroys what was kept when its time is up, once', () => {
    const kept = [facts.registered(), requested(), started(), erased('2034-01-01T00:00:00.000Z'), completed];
    const command = { type: 'RecordRetainedDestroyed', ...of, keyIds: ['r1'] } as const;
    given(...kept)
      .when(command)
      .thenNothing();
    given(...kept)
      .when({ ...command, now: '2034-01-01T00:00:00.000Z' })
      .then({
        type: 'contacts.RetainedDataDestroyed.v1',
        data: { ...at, occurredAt: '2034-01-01T00:00:00.000Z', keyIds: ['r1'] },
      });
  });

  it('comes to the same end however often, and in whatever order, its steps are run', () => {
    const steps: readonly ContactCommand[] = [
      { type: 'StartErasure', ...of },
      { type: 'ForfeitPoints', ...of },
      { type: 'SuppressContact', ...of, suppressionTokens: ['t'] },
      { type: 'RecordErased', ...of, keyIds: ['p1'], retainedUntil: null, held: [] },
      { type: 'CompleteErasure', ...of, valuesErased: 1, valuesRetained: 0, stores: [] },
      { type: 'RecordRetainedDestroyed', ...of, keyIds: ['r1'] },
    ];
    fc.assert(
      fc.property(fc.array(fc.nat({ max: steps.length - 1 }), { maxLength: 30 }), (order) => {
        const history: ContactEvent[] = [facts.registered(), facts.credited('c1', 10), requested()];
        let state = folded(contactDecider, history);
        const written: string[] = [];
        // The steps in any order, and then in theirs, as a recovery would run them.
        for (const index of [...order, ...steps.keys()]) {
          const { events } = contactDecider.decide(steps[index] as ContactCommand, state);
          for (const event of events) {
            written.push(event.type);
            state = contactDecider.evolve(state, recorded(event));
          }
        }
        expect(new Set(written).size).toBe(written.length);
        expect(written.at(-1)).toBe('contacts.ErasureCompleted.v1');
        const { erasure } = state as ActiveContact;
        expect(erasure?.stage).toBe('completed');
      }),
      { numRuns: 300 },
    );
  });
});

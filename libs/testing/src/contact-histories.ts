import type { Channel, ContactEvent, LotShare, Profile } from '@app/contacts';
import type { RecordedEvent } from '@app/kernel';
import fc from 'fast-check';

/**
 * Histories of contacts as the write side could have written them: balances never negative, shares of lots that add up,
 * returns of what was bought, cancellations of what was redeemed. Times go forward in the log; what happened may be back-dated.
 */

const FIRST_NAMES = ['Anna', 'ánna', 'Anna-Lena', 'Zoë', 'Ölaf', 'bob', 'Bob', '李', 'Émile'];
const LAST_NAMES = ['Berg', 'berg', 'von der Berg', "O'Brien", 'Müller', 'Muller', 'Ødegaard', 'Ng', '😀'];
const CITIES = ['Wien', 'wien', 'Graz', 'Linz', 'Sankt Pölten'];
const POOLS = ['main', 'main', 'main', 'vip', 'a_b-1'];
const CURRENCIES = ['EUR', 'EUR', 'USD'];
const LOCATIONS = ['l1', 'l2', undefined];
const CHANNELS: readonly Channel[] = ['email', 'push', 'sms', 'inbox'];
const TAGS = ['vip', 'staff', '$gt', 'a.b'];

const maybe = <T>(values: readonly T[]): fc.Arbitrary<T | undefined> => fc.constantFrom(...values, undefined);
/** Leaves out what is undefined, as JSON does. */
const given = <T extends object>(fields: T): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;

const digits = (length: number) =>
  fc.integer({ min: 0, max: 10 ** length - 1 }).map((n) => String(n).padStart(length, '0'));

const optionalFields = {
  firstName: maybe(FIRST_NAMES),
  lastName: maybe(LAST_NAMES),
  phone: fc.option(
    digits(4).map((end) => `+43 664 ${end}`),
    { nil: undefined },
  ),
  birthday: maybe(['1950-01-31', '1988-02-29', '1990-05-17', '2001-12-31', '2010-07-01']),
  gender: maybe(['female', 'male', 'other', 'unspecified'] as const),
  language: maybe(['de', 'en', 'it']),
  tags: fc.option(fc.uniqueArray(fc.constantFrom(...TAGS), { maxLength: 3 }), { nil: undefined }),
};

/** A profile without e-mail, which is unique among contacts. */
const profileArbitrary = fc
  .record({
    ...optionalFields,
    city: maybe(CITIES),
    country: maybe(['AT', 'DE', 'IT']),
    customFields: fc.option(
      fc.record({
        size: maybe([41, 42, '41']),
        likes: maybe(['tea', ['tea', 'cake'], [], '2024-01-31', true]),
      }),
      { nil: undefined },
    ),
  })
  .map(({ city, country, customFields, ...fields }): Profile => {
    const address = given({ city, country });
    return given({
      ...fields,
      ...(Object.keys(address).length > 0 && { address }),
      ...(customFields !== undefined && { customFields: given(customFields) }),
    }) as Profile;
  });

type Step = Readonly<{
  kind:
    | 'change'
    | 'consent'
    | 'device'
    | 'credit'
    | 'debit'
    | 'expire'
    | 'reverse'
    | 'checkIn'
    | 'purchase'
    | 'return'
    | 'redeem'
    | 'cancel'
    | 'message'
    | 'abandon';
  pool: string;
  currency: string;
  points: number;
  minor: number;
  pick: number;
  backDatedDays: number;
  /** Days until points expire; 0: never. */
  expiryDays: number;
  yes: boolean;
  location: string | undefined;
  channel: Channel;
  profile: Profile;
}>;

const stepArbitrary: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(
    'change',
    'consent',
    'device',
    'credit',
    'credit',
    'debit',
    'expire',
    'reverse',
    'checkIn',
    'purchase',
    'purchase',
    'return',
    'redeem',
    'cancel',
    'message',
    'abandon',
  ),
  pool: fc.constantFrom(...POOLS),
  currency: fc.constantFrom(...CURRENCIES),
  points: fc.integer({ min: 0, max: 50 }),
  minor: fc.integer({ min: 1, max: 5_000 }),
  pick: fc.nat({ max: 1_000 }),
  backDatedDays: fc.constantFrom(0, 0, 0, 1, 400),
  expiryDays: fc.constantFrom(0, 0, 3, 30, 365),
  yes: fc.boolean(),
  location: fc.constantFrom(...LOCATIONS),
  channel: fc.constantFrom(...CHANNELS),
  profile: profileArbitrary,
});

const DAY_MS = 86_400_000;
const STEP_MS = 2 * DAY_MS;
/** A whole number of steps. */
const START_MS = 9_862 * STEP_MS;

type Lot = { entryId: string; pool: string; points: number; expiresAt?: string };
type Movement = { entryId: string; pool: string; points: number; shares: readonly LotShare[] };

const MOVES_POINTS: ReadonlySet<Step['kind']> = new Set([
  'credit',
  'debit',
  'reverse',
  'checkIn',
  'purchase',
  'return',
  'redeem',
  'cancel',
]);

/** An event and when it was written. */
type Written = Readonly<{ event: ContactEvent; nowMs: number }>;

/** A contact in the making: what the next step may do depends on what the others did. */
class HistoryWriter {
  readonly written: Written[] = [];
  private nowMs = START_MS;
  private readonly balances = new Map<string, number>();
  private readonly lots = new Map<string, Lot>();
  private readonly credits: Movement[] = [];
  private readonly debits: Movement[] = [];
  private readonly purchases: { purchaseId: string; minor: number; currency: string; movement: Movement }[] =
    [];
  private readonly redemptions: (Movement & { rewardId: string })[] = [];
  private readonly devices: string[] = [];
  private serial = 0;

  constructor(private readonly contactId: string) {}

  register(profile: Profile): void {
    this.record({
      type: 'contacts.ContactRegistered.v1',
      data: {
        contactId: this.contactId,
        occurredAt: new Date(this.nowMs).toISOString(),
        source: 'app',
        profile,
        ...(profile.email !== undefined && {
          emailClaim: `hash-${profile.email}`,
          claimId: this.id('claim'),
        }),
      },
    });
  }

  /** Does nothing where the contact's history has nothing to apply the step to. */
  apply(step: Step, nowMs: number): void {
    this.nowMs = nowMs;
    if (MOVES_POINTS.has(step.kind)) for (const pool of this.balances.keys()) this.expireDue(pool);
    const at = {
      contactId: this.contactId,
      occurredAt: new Date(nowMs - step.backDatedDays * DAY_MS).toISOString(),
    };
    const expiry =
      step.expiryDays === 0 ? {} : { expiresAt: new Date(nowMs + step.expiryDays * DAY_MS).toISOString() };
    const place = step.location === undefined ? {} : { locationId: step.location };
    const { pool } = step;
    switch (step.kind) {
      case 'change': {
        const { firstName, address, tags } = step.profile;
        const patch = {
          firstName: firstName ?? null,
          tags: tags ?? null,
          address: { city: address?.city ?? null },
        };
        this.record({
          type: 'contacts.ContactDetailsChanged.v1',
          data: { ...at, changed: ['firstName', 'tags', 'address.city'], profile: patch },
        });
        return;
      }
      case 'consent': {
        const channel = step.pick % 4 === 0 ? {} : { channel: step.channel };
        const consent = { ...at, ...channel, purpose: 'marketing', source: 'app' };
        this.record(
          step.yes
            ? { type: 'contacts.ConsentGranted.v1', data: consent }
            : { type: 'contacts.ConsentWithdrawn.v1', data: consent },
        );
        return;
      }
      case 'device': {
        const known = this.devices[step.pick % (this.devices.length + 1)];
        if (known !== undefined && step.yes) {
          this.devices.splice(this.devices.indexOf(known), 1);
          this.record({ type: 'contacts.DeviceRemoved.v1', data: { ...at, deviceId: known } });
          return;
        }
        const deviceId = known ?? this.id('device');
        if (known === undefined) this.devices.push(deviceId);
        this.record({
          type: 'contacts.DeviceRegistered.v1',
          data: {
            ...at,
            deviceId,
            platform: 'ios',
            pushable: true,
            device: { model: 'phone', pushToken: 'secret' },
          },
        });
        return;
      }
      case 'credit': {
        const points = step.points + 1;
        const entryId = this.id('entry');
        const balance = this.earn({ entryId, pool, points, ...expiry });
        this.credits.push({ entryId, pool, points, shares: [{ entryId, points }] });
        this.record({
          type: 'contacts.PointsCredited.v1',
          data: { ...at, entryId, pool, points, balance, reason: 'gift', note: 'for you', ...expiry },
        });
        return;
      }
      case 'debit': {
        const movement = this.take(pool, step.points, this.id('entry'));
        if (movement === null) return;
        this.debits.push(movement);
        const { entryId, points, shares: lots } = movement;
        this.record({
          type: 'contacts.PointsDebited.v1',
          data: { ...at, entryId, pool, points, balance: this.balance(pool), reason: 'fee', lots },
        });
        return;
      }
      case 'expire':
        this.expireDue(pool);
        return;
      case 'reverse': {
        if (step.yes) {
          const [debit] = this.debits.splice(step.pick % (this.debits.length || 1), 1);
          if (debit === undefined) return;
          const back = this.giveBack(debit);
          this.record({
            type: 'contacts.PointsReversed.v1',
            data: {
              ...at,
              entryId: this.id('entry'),
              reversedEntryId: debit.entryId,
              pool: debit.pool,
              points: back.points,
              balance: this.balance(debit.pool),
              lots: back.shares,
            },
          });
          return;
        }
        const [credit] = this.credits.splice(step.pick % (this.credits.length || 1), 1);
        if (credit === undefined) return;
        const left = this.takeWhatIsLeft(credit, this.id('entry'));
        if (left.points === 0) return;
        this.record({
          type: 'contacts.PointsReversed.v1',
          data: {
            ...at,
            entryId: left.entryId,
            reversedEntryId: credit.entryId,
            pool: credit.pool,
            points: -left.points,
            balance: this.balance(credit.pool),
            lots: left.shares,
          },
        });
        return;
      }
      case 'checkIn': {
        const checkInId = this.id('check-in');
        const balance = this.earn({ entryId: checkInId, pool, points: step.points, ...expiry });
        this.record({
          type: 'contacts.CheckedIn.v1',
          data: { ...at, ...place, checkInId, pool, points: step.points, balance, ...expiry },
        });
        return;
      }
      case 'purchase': {
        const purchaseId = this.id('purchase');
        const points = step.yes ? step.points : 0;
        const balance = this.earn({ entryId: purchaseId, pool, points, ...expiry });
        const { minor, currency } = step;
        const movement = { entryId: purchaseId, pool, points, shares: [{ entryId: purchaseId, points }] };
        this.purchases.push({ purchaseId, minor, currency, movement });
        this.record({
          type: 'contacts.PurchaseRecorded.v1',
          data: {
            ...at,
            ...place,
            purchaseId,
            invoiceNumber: `invoice of ${purchaseId}`,
            amount: { minor, currency },
            pool,
            points,
            balance,
            ...expiry,
          },
        });
        return;
      }
      case 'return': {
        const [purchase] = this.purchases.splice(step.pick % (this.purchases.length || 1), 1);
        if (purchase === undefined) return;
        const { purchaseId, minor, currency, movement } = purchase;
        const left = this.takeWhatIsLeft(movement, purchaseId);
        this.record({
          type: 'contacts.PurchaseReturned.v1',
          data: {
            ...at,
            purchaseId,
            amount: { minor, currency },
            pool: movement.pool,
            points: left.points,
            balance: this.balance(movement.pool),
            lots: left.shares,
          },
        });
        return;
      }
      case 'redeem': {
        const movement = this.take(pool, step.points, this.id('redemption'));
        if (movement === null) return;
        const { entryId: redemptionId, points, shares: lots } = movement;
        const rewardId = `reward-${step.pick % 3}`;
        this.redemptions.push({ ...movement, rewardId });
        this.record({
          type: 'contacts.RewardRedeemed.v1',
          data: {
            ...at,
            redemptionId,
            rewardId,
            code: 'CODE',
            redemptionType: 'inStore',
            pool,
            points,
            balance: this.balance(pool),
            lots,
          },
        });
        return;
      }
      case 'cancel': {
        const [redemption] = this.redemptions.splice(step.pick % (this.redemptions.length || 1), 1);
        if (redemption === undefined) return;
        const { entryId: redemptionId, points, shares: lots } = this.giveBack(redemption);
        const { rewardId } = redemption;
        this.record({
          type: 'contacts.RedemptionCancelled.v1',
          data: {
            ...at,
            redemptionId,
            rewardId,
            pool: redemption.pool,
            points,
            balance: this.balance(redemption.pool),
            lots,
          },
        });
        return;
      }
      case 'message':
        this.record({
          type: 'contacts.MessageSent.v1',
          data: {
            ...at,
            messageId: this.id('message'),
            channel: step.channel,
            purpose: 'service',
            content: { subject: 'Hello', body: 'A secret' },
          },
        });
        return;
      case 'abandon':
        this.record(
          step.yes
            ? { type: 'contacts.EmailClaimAbandoned.v1', data: { ...at, claimId: this.id('claim') } }
            : {
                type: 'contacts.RedemptionAbandoned.v1',
                data: { ...at, redemptionId: this.id('redemption'), rewardId: 'reward-0' },
              },
        );
    }
  }

  /** As the write side does before points of a pool move. */
  private expireDue(pool: string): void {
    const now = new Date(this.nowMs).toISOString();
    const due = [...this.lots.values()].filter(
      (lot) => lot.pool === pool && lot.points > 0 && lot.expiresAt !== undefined && lot.expiresAt <= now,
    );
    for (const lot of due) {
      const lots = [{ entryId: lot.entryId, points: lot.points }];
      const { entryId, points } = this.takeShares(pool, lots, this.id('expiry'));
      const occurredAt = lot.expiresAt ?? now;
      this.record({
        type: 'contacts.PointsExpired.v1',
        data: {
          contactId: this.contactId,
          occurredAt,
          entryId,
          pool,
          points,
          balance: this.balance(pool),
          lots,
        },
      });
    }
  }

  private record(event: ContactEvent): void {
    this.written.push({ event, nowMs: this.nowMs });
  }

  private id(kind: string): string {
    this.serial += 1;
    return `${kind}-${this.contactId}-${this.serial}`;
  }

  private balance(pool: string): number {
    return this.balances.get(pool) ?? 0;
  }

  private earn(lot: Lot): number {
    if (lot.points > 0) this.lots.set(lot.entryId, { ...lot });
    this.balances.set(lot.pool, this.balance(lot.pool) + lot.points);
    return this.balance(lot.pool);
  }

  /** Points of the lots that expire first; null where there are none to take. */
  private take(pool: string, upTo: number, entryId: string): Movement | null {
    let wanted = Math.min(upTo, this.balance(pool));
    if (wanted === 0) return null;
    const open = [...this.lots.values()].filter((lot) => lot.pool === pool && lot.points > 0);
    open.sort((one, other) => ((one.expiresAt ?? '~') < (other.expiresAt ?? '~') ? -1 : 1));
    const shares: LotShare[] = [];
    for (const lot of open) {
      const points = Math.min(wanted, lot.points);
      if (points > 0) shares.push({ entryId: lot.entryId, points });
      wanted -= points;
    }
    return this.takeShares(pool, shares, entryId);
  }

  private takeShares(pool: string, shares: readonly LotShare[], entryId: string): Movement {
    let points = 0;
    for (const share of shares) {
      const lot = this.lots.get(share.entryId);
      if (lot !== undefined) lot.points -= share.points;
      points += share.points;
    }
    this.balances.set(pool, this.balance(pool) - points);
    return { entryId, pool, points, shares };
  }

  private takeWhatIsLeft({ pool, shares }: Movement, entryId: string): Movement {
    const left = shares
      .map((share) => ({ entryId: share.entryId, points: this.lots.get(share.entryId)?.points ?? 0 }))
      .filter(({ points }) => points > 0);
    return this.takeShares(pool, left, entryId);
  }

  /** What has expired since stays expired. */
  private restorable({ shares, ...movement }: Movement): Movement {
    const now = new Date(this.nowMs).toISOString();
    const back = shares.filter(({ entryId }) => (this.lots.get(entryId)?.expiresAt ?? '~') > now);
    return { ...movement, shares: back, points: back.reduce((sum, { points }) => sum + points, 0) };
  }

  private giveBack(movement: Movement): Movement {
    const { pool, shares, points, entryId } = this.restorable(movement);
    for (const share of shares) {
      const lot = this.lots.get(share.entryId);
      if (lot !== undefined) lot.points += share.points;
    }
    this.balances.set(pool, this.balance(pool) + points);
    return { entryId, pool, shares, points };
  }
}

/** Contact ids that read as UUIDs and sort by their number. */
export const contactIdOf = (index: number): string =>
  `${String(index).padStart(8, '0')}-0000-4000-8000-000000000000`;

const writtenHistories = (contactId: string, stepsMax: number): fc.Arbitrary<readonly Written[]> =>
  fc
    .record({
      profile: profileArbitrary,
      withEmail: fc.boolean(),
      steps: fc.array(stepArbitrary, { maxLength: stepsMax }),
    })
    .map(({ profile, withEmail, steps }) => {
      const writer = new HistoryWriter(contactId);
      const email = withEmail ? { email: `C${contactId.slice(0, 8)}@Example.org` } : {};
      writer.register({ ...profile, ...email });
      steps.forEach((step, index) => writer.apply(step, START_MS + (index + 1) * STEP_MS));
      return writer.written;
    });

/** One contact's stream, oldest first; some have an e-mail, with its claim. */
export const contactHistories = (
  contactId: string,
  stepsMax = 20,
): fc.Arbitrary<readonly RecordedEvent<ContactEvent>[]> =>
  writtenHistories(contactId, stepsMax).map((history) => logOf(history));

/** The streams of several contacts as the log holds them: mixed, each in its own order. */
export const contactLogs = ({
  contactsMax,
  stepsMax,
}: Readonly<{ contactsMax: number; stepsMax: number }>): fc.Arbitrary<
  readonly RecordedEvent<ContactEvent>[]
> =>
  fc
    .integer({ min: 1, max: contactsMax })
    .chain((count) =>
      fc.tuple(
        fc.tuple(
          ...Array.from({ length: count }, (_, index) => writtenHistories(contactIdOf(index), stepsMax)),
        ),
        fc.array(fc.nat({ max: STEP_MS - 1 }), { minLength: 1, maxLength: 50 }),
      ),
    )
    .map(([histories, delays]) => {
      // What one command wrote stays together.
      const delayed = histories.flatMap((history, contact) =>
        history.map(({ event, nowMs }) => ({
          event,
          nowMs: nowMs + (delays[(contact * 7 + nowMs / STEP_MS) % delays.length] ?? 0),
        })),
      );
      return logOf(delayed.sort((one, other) => one.nowMs - other.nowMs));
    });

const logOf = (written: readonly Written[]): RecordedEvent<ContactEvent>[] =>
  recordedLog(
    written.map(({ event }) => event),
    written.map(({ nowMs }) => new Date(nowMs).toISOString()),
  );

/** Events with the places in stream and log that appending them in this order would have given them; nothing is sealed. */
export const recordedLog = (
  events: readonly ContactEvent[],
  recordedAt: readonly string[] = [],
): RecordedEvent<ContactEvent>[] => {
  const revisions = new Map<string, number>();
  return events.map((event, index) => {
    const stream = `contact-${event.data.contactId}`;
    const revision = revisions.get(stream) ?? 0;
    revisions.set(stream, revision + 1);
    return {
      ...event,
      meta: {
        eventId: `event-${index}`,
        stream,
        revision,
        // Positions of a real log have gaps.
        position: BigInt(index + 1) * 10n,
        recordedAt: recordedAt[index] ?? event.data.occurredAt,
        commandId: `command-${index}`,
        correlationId: `correlation-${index}`,
        actor: { id: 'key-1', role: 'operator', method: 'api-key' },
      },
    };
  });
};

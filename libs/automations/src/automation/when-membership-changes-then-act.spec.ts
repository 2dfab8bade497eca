import { randomUUID } from 'node:crypto';
import {
  ContactDecisions,
  contactDecider,
  contactEventDefinitions,
  contactStream,
  type ContactEvent,
} from '@app/contacts';
import {
  DecisionRunner,
  EsdbEventStore,
  EventStoreUnavailableError,
  PayloadMac,
  type EventStore,
} from '@app/event-store';
import type { RecordedEvent } from '@app/kernel';
import { ANNOUNCEMENT_STREAM, announcementEventDefinitions, type AnnouncementEvent } from '@app/segments';
import { commandContext, FixedClock } from '@app/testing';
import fc from 'fast-check';
import {
  InMemoryLogClient,
  openTestKeys,
  testCodec,
  type TestKeys,
} from '../../../event-store/src/event-store.suite';
import { automationDecider, type AutomationCommand } from '../domain/automation.decider';
import {
  automationEventDefinitions,
  automationStream,
  type AutomationTerms,
} from '../domain/automation.events';
import {
  MembershipAutomations,
  type MembershipAutomationsParts,
  type Refusal,
} from './when-membership-changes-then-act';

const NOW = '2026-03-01T12:00:00.000Z';
const SEGMENT = randomUUID();
const definitions = [
  ...contactEventDefinitions,
  ...announcementEventDefinitions,
  ...automationEventDefinitions,
];
const credit = { type: 'creditPoints', points: 5, reason: 'hi' } as const;
const service = { type: 'sendMessage', channel: 'inbox', purpose: 'service', body: 'Hello' } as const;
const newsletter = { ...service, purpose: 'newsletter' } as const;

const context = () => commandContext({ commandId: randomUUID(), now: NOW, deadlineMs: Date.now() + 10_000 });

/** A log in memory, and what works on it in one process. */
class World {
  readonly refusals: Refusal[] = [];
  readonly store: EventStore;
  readonly automationIds: string[] = [];
  private readonly announced = new Map<string, number>();
  readonly parts: MembershipAutomationsParts;
  private readonly runner: DecisionRunner;

  constructor(keys: TestKeys) {
    this.store = new EsdbEventStore(new InMemoryLogClient(), testCodec(keys, definitions));
    this.runner = new DecisionRunner(this.store, new PayloadMac(keys.secrets));
    this.parts = {
      events: this.store,
      decisions: this.runner,
      contacts: new ContactDecisions(this.runner),
      automations: { listeningTo: async () => this.automationIds },
      gate: { position: async () => (await this.store.head()) ?? 0n },
      clock: new FixedClock(NOW),
      onRefusal: (refusal) => this.refusals.push(refusal),
    };
  }

  async automation(terms: Partial<AutomationTerms> = {}, active = true): Promise<string> {
    const automationId = randomUUID();
    const all: AutomationTerms = {
      on: { segmentId: SEGMENT, change: 'entered' },
      then: [credit],
      limitPerContact: null,
      ...terms,
    };
    await this.automate({ type: 'CreateAutomation', automationId, terms: all, active, now: NOW });
    this.automationIds.push(automationId);
    return automationId;
  }

  async automate(command: AutomationCommand): Promise<void> {
    await this.runner.run(automationDecider, automationStream(command.automationId), command, context());
  }

  async contact(...more: readonly ContactEvent[]): Promise<string> {
    const contactId = randomUUID();
    const registered: ContactEvent = {
      type: 'contacts.ContactRegistered.v1',
      data: { contactId, occurredAt: NOW, source: 'app', profile: {} },
    };
    const events = [registered, ...more].map(
      (event) => ({ ...event, data: { ...event.data, contactId } }) as ContactEvent,
    );
    await this.store.append(contactStream(contactId), events, 'no-stream', context());
    return contactId;
  }

  async announce(contactId: string, kind: 'Entered' | 'Left' = 'Entered', eventId?: string): Promise<void> {
    const count = (this.announced.get(contactId) ?? 0) + 1;
    this.announced.set(contactId, count);
    const event: AnnouncementEvent = {
      type: `segments.Segment${kind}.v1`,
      data: {
        contactId,
        segmentId: SEGMENT,
        version: 1,
        at: NOW,
        cause: { kind: 'event', at: NOW, position: '1', ...(eventId !== undefined && { eventId }) },
        stayId: `${contactId} ${count}`,
        occurredAt: NOW,
      },
    };
    await this.store.record(ANNOUNCEMENT_STREAM, [{ event, context: context() }], Date.now() + 5_000);
  }

  async done(contactId: string): Promise<readonly RecordedEvent<ContactEvent>[]> {
    const events: RecordedEvent<ContactEvent>[] = [];
    for await (const event of this.store.readStream(contactStream(contactId))) {
      const { type } = event;
      if (type === 'contacts.PointsCredited.v1' || type === 'contacts.MessageSent.v1')
        events.push(event as RecordedEvent<ContactEvent>);
    }
    return events;
  }

  async count(contactId: string): Promise<Readonly<{ credits: number; messages: number }>> {
    const events = await this.done(contactId);
    const credits = events.filter(({ type }) => type === 'contacts.PointsCredited.v1').length;
    return { credits, messages: events.length - credits };
  }
}

class Killed extends Error {}

/** As a process that is killed at its n-th call sees everything: before it, or after it took effect. */
const mortal = (
  parts: MembershipAutomationsParts,
  killedAt: number,
  before: boolean,
): MembershipAutomationsParts => {
  let calls = 0;
  const wrap = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (_, name) => {
        const member = Reflect.get(target, name) as (...args: unknown[]) => unknown;
        // What is read is looked at in pieces: it takes effect nowhere.
        if (name === 'readStream') return member.bind(target);
        return async (...args: unknown[]) => {
          calls += 1;
          const call = calls;
          if (call > killedAt || (call === killedAt && before)) throw new Killed();
          const answer = await Reflect.apply(member, target, args);
          if (call === killedAt) throw new Killed();
          return answer;
        };
      },
    });
  const { events, decisions, contacts, automations, gate } = parts;
  return {
    ...parts,
    events: wrap(events),
    decisions: wrap(decisions),
    contacts: wrap(contacts),
    automations: wrap(automations),
    gate: wrap(gate),
  };
};

describe('automations on memberships', () => {
  let keys: TestKeys;
  let world: World;

  beforeAll(async () => {
    keys = await openTestKeys();
  });
  afterAll(() => keys.close());
  beforeEach(() => {
    world = new World(keys);
  });
  const act = () => new MembershipAutomations(world.parts).round();

  it('act once on each announcement, whoever is killed between whatever steps', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ killedAt: fc.integer({ min: 1, max: 40 }), before: fc.boolean() }), {
          maxLength: 8,
        }),
        fc.array(fc.nat(2), { minLength: 1, maxLength: 8 }),
        fc.option(fc.integer({ min: 1, max: 3 })),
        fc.integer({ min: 1, max: 4 }),
        async (kills, entries, limitPerContact, batchMax) => {
          world = new World(keys);
          await world.automation({ then: [credit, service], limitPerContact });
          await world.automation({ on: { segmentId: SEGMENT, change: 'left' } });
          const contactIds = [await world.contact(), await world.contact(), await world.contact()];
          for (const entry of entries) await world.announce(contactIds[entry] as string);
          for (const { killedAt, before } of kills) {
            const executor = new MembershipAutomations(mortal(world.parts, killedAt, before), batchMax);
            await executor.round().catch((error: unknown) => {
              if (!(error instanceof Killed)) throw error;
            });
          }
          await new MembershipAutomations(world.parts, batchMax).round();
          for (const [index, contactId] of contactIds.entries()) {
            const entered = entries.filter((entry) => entry === index).length;
            const expected = Math.min(entered, limitPerContact ?? Infinity);
            expect(await world.count(contactId)).toEqual({ credits: expected, messages: expected });
          }
        },
      ),
      { numRuns: 60 },
    ));

  it('keep to the limit with two processes at work at once', async () => {
    await world.automation({ limitPerContact: 2 });
    const contactIds = await Promise.all([world.contact(), world.contact()]);
    for (let n = 0; n < 5; n += 1) for (const contactId of contactIds) await world.announce(contactId);
    const other = new DecisionRunner(world.store, new PayloadMac(keys.secrets));
    const elsewhere = { ...world.parts, decisions: other, contacts: new ContactDecisions(other) };
    await Promise.all([act(), new MembershipAutomations(elsewhere, 3).round()]);
    for (const contactId of contactIds) expect((await world.count(contactId)).credits).toBe(2);
  });

  it('say which automation did it, for what', async () => {
    const automationId = await world.automation();
    const contactId = await world.contact();
    await world.announce(contactId);
    expect(await act()).toBe(1);
    const [event] = await world.done(contactId);
    const announcement = await world.store.lastOf(ANNOUNCEMENT_STREAM);
    expect(event).toMatchObject({
      data: {
        points: 5,
        pool: 'main',
        reason: 'hi',
        automation: { automationId, announcementId: announcement?.meta.eventId, action: 0, inARow: 1 },
      },
      meta: {
        actor: { id: automationId, role: 'system', method: 'internal' },
        causationId: announcement?.meta.eventId,
        correlationId: announcement?.meta.correlationId,
        command: { name: 'CreditPoints', action: 'contact.command' },
      },
    });
  });

  it('act on what they listen to, and on nothing from before they did', async () => {
    const contactId = await world.contact();
    await world.announce(contactId);
    const automationId = await world.automation({}, false);
    await world.announce(contactId);
    const change = (terms: Partial<AutomationTerms>, active?: boolean) =>
      world.automate({ type: 'ChangeAutomation', automationId, terms, active, now: NOW });
    await change({}, true);
    await world.announce(contactId, 'Left');
    await act();
    expect((await world.count(contactId)).credits).toBe(0);
    await world.announce(contactId);
    await change({ on: { segmentId: SEGMENT, change: 'left' } });
    await world.announce(contactId, 'Left');
    await act();
    expect((await world.count(contactId)).credits).toBe(1);
  });

  it('do nothing more once they are stopped, not even the rest of what they had begun', async () => {
    const automationId = await world.automation({ then: [credit, service, service] });
    const contactId = await world.contact();
    await world.announce(contactId);
    await world.announce(contactId);
    const stop = () =>
      world.automate({ type: 'ChangeAutomation', automationId, terms: {}, active: false, now: NOW });
    const { contacts } = world.parts;
    const stopped = {
      ...world.parts,
      contacts: {
        run: async (...args: Parameters<typeof contacts.run>) => {
          const outcome = await contacts.run(...args);
          await stop();
          return outcome;
        },
      } as typeof contacts,
    };
    await new MembershipAutomations(stopped).round();
    expect(await world.count(contactId)).toEqual({ credits: 1, messages: 0 });
  });

  it('leave what is refused, and do not come back to it', async () => {
    const automationId = await world.automation({ then: [newsletter, credit] });
    const restricted = await world.contact({
      type: 'contacts.ProcessingRestricted.v1',
      data: { contactId: '', occurredAt: NOW },
    });
    const willing = await world.contact();
    const nobody = randomUUID();
    for (const contactId of [restricted, willing, nobody]) await world.announce(contactId);
    expect(await act()).toBe(1);
    expect(world.refusals.map(({ contactId, action, code }) => [contactId, action, code]).sort()).toEqual(
      [
        [restricted, 0, 'contacts.processing-restricted'],
        [restricted, 1, 'contacts.processing-restricted'],
        [willing, 0, 'contacts.no-consent'],
        [nobody, 0, 'contacts.not-found'],
        [nobody, 1, 'contacts.not-found'],
      ].sort(),
    );
    expect(world.refusals[0]?.automationId).toBe(automationId);
    const consent: ContactEvent = {
      type: 'contacts.ConsentGranted.v1',
      data: { contactId: willing, occurredAt: NOW, purpose: 'newsletter', source: 'app' },
    };
    await world.store.append(contactStream(willing), [consent], 1, context());
    await act();
    expect(await world.count(willing)).toEqual({ credits: 1, messages: 0 });
    await world.announce(willing);
    await act();
    expect(await world.count(willing)).toEqual({ credits: 2, messages: 1 });
  });

  it('try again what could not be done for want of a store', async () => {
    await world.automation();
    const contactId = await world.contact();
    await world.announce(contactId);
    const away = { run: () => Promise.reject(new EventStoreUnavailableError(new Error())) };
    const executor = new MembershipAutomations({ ...world.parts, contacts: away });
    await expect(executor.round()).rejects.toThrow(EventStoreUnavailableError);
    expect(world.refusals).toEqual([]);
    expect(await act()).toBe(1);
  });

  it('wait until automations that were made before an announcement are known', async () => {
    await world.automation();
    const contactId = await world.contact();
    await world.announce(contactId);
    const behind = new MembershipAutomations({ ...world.parts, gate: { position: async () => 1n } });
    expect(await behind.step()).toEqual({ handled: 0, done: 0 });
    expect(await act()).toBe(1);
  });

  it('come to an end where they set off one another', async () => {
    await world.automation();
    const contactId = await world.contact();
    for (let n = 0; n < 8; n += 1) {
      const last = (await world.done(contactId)).at(-1);
      await world.announce(contactId, 'Entered', last?.meta.eventId);
      await act();
    }
    expect((await world.count(contactId)).credits).toBe(5);
    expect(world.refusals.map(({ code }) => code)).toEqual(Array(3).fill('contacts.automations-in-a-row'));
    const { state } = await world.parts.decisions.read(contactDecider, contactStream(contactId));
    expect(state.status === 'active' && state.ledger.pools.get('main')?.balance).toBe(25);
  });
});

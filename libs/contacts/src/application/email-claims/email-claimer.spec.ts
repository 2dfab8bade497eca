import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedEventStore, type EmbeddedEventStore } from '@app/embedded-eventstoredb';
import { startEmbeddedMongo, type EmbeddedMongo } from '@app/embedded-mongodb';
import {
  DecisionRunner,
  EsdbClient,
  EsdbEventStore,
  EventCatalog,
  EventCodec,
  PayloadMac,
  type EventStore,
} from '@app/event-store';
import { addMillis, type CommandContext } from '@app/kernel';
import { LocalKeyRing, Sealer } from '@app/personal-data';
import {
  collectionOf,
  MongoReadStore,
  openReadDatabase,
  ProjectionRunner,
  ReadGate,
  type ReadDatabase,
} from '@app/read-store';
import { commandContext, Crash, Death, eventually } from '@app/testing';
import { contactDecider } from '../../domain/contact.decider';
import { EmailTakenError } from '../../domain/contact.errors';
import { contactEventDefinitions, contactStream } from '../../domain/contact.events';
import { emailClaimsProjection } from '../../read-models';
import { ChangeContactDetailsCommand } from '../change-contact-details/change-contact-details.command';
import { ChangeContactDetailsHandler } from '../change-contact-details/change-contact-details.handler';
import { ContactDecisions } from '../contact-decisions';
import { RegisterContactCommand } from '../register-contact/register-contact.command';
import { RegisterContactHandler } from '../register-contact/register-contact.handler';
import { EmailClaimer } from './email-claimer';
import type { EmailClaims } from './email-claims.port';
import { EmailHash } from './email-hash';
import { MongoEmailClaims } from './mongo.email-claims';

/** Nothing was in the log when the processes started, so they need not wait for the read model. */
const built = { wait: async () => 0n } as unknown as ReadGate;

describe('e-mail claims, on an event store and a document store', () => {
  let directory: string;
  let eventServer: EmbeddedEventStore;
  let documentServer: EmbeddedMongo;
  let keyRing: LocalKeyRing;
  let client: EsdbClient;
  let events: EventStore;
  let database: ReadDatabase;
  let claims: EmailClaims;
  let now: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'regulars-claims-'));
    eventServer = await startEmbeddedEventStore({ dataDir: join(directory, 'events') });
    documentServer = await startEmbeddedMongo({ dataDir: join(directory, 'documents') });
    keyRing = await LocalKeyRing.open(join(directory, 'keys'));
    client = new EsdbClient(eventServer.connectionString);
    const codec = new EventCodec(new EventCatalog(contactEventDefinitions), new Sealer(keyRing));
    events = new EsdbEventStore(client, codec);
    database = await openReadDatabase({ url: documentServer.url, dbName: 'regulars' });
    claims = new MongoEmailClaims(database.db);
  });

  afterAll(async () => {
    await database?.close();
    await client?.close();
    await keyRing?.close();
    await documentServer?.close();
    await eventServer?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  beforeEach(() => {
    now = new Date().toISOString();
  });

  /** One api process, with what it knows of streams to itself. */
  const startProcess = (death = new Death(), store: EventStore = events) => {
    const runner = new DecisionRunner(death.on(store), new PayloadMac(keyRing.secrets));
    const claimer = new EmailClaimer(death.on(claims), runner, store, built);
    const decisions = new ContactDecisions(runner);
    const hash = new EmailHash(keyRing.secrets);
    const register = new RegisterContactHandler(decisions, runner, claimer, hash);
    const change = new ChangeContactDetailsHandler(runner, decisions, claimer, hash);
    const context = (fields: Partial<CommandContext> = {}) =>
      commandContext({ commandId: randomUUID(), now, deadlineMs: Date.now() + 10_000, ...fields });
    return {
      register: (contactId: string, email: string, fields: Partial<CommandContext> = {}) =>
        register.execute(
          new RegisterContactCommand(contactId, 'app', { profile: { email } }, context(fields)),
        ),
      change: (contactId: string, email: string | null, fields: Partial<CommandContext> = {}) =>
        change.execute(new ChangeContactDetailsCommand(contactId, { email }, context(fields))),
      sweep: () => claimer.settleOverdue(context(), 1_000),
    };
  };

  /** Lets the read model reach the end of the log. */
  const project = async () => {
    const head = await events.head();
    if (head === null) return;
    const runner = new ProjectionRunner({
      name: 'claims',
      events,
      store: new MongoReadStore(database.db),
      readModels: { projections: [emailClaimsProjection], journals: [] },
    });
    const stop = new AbortController();
    const running = runner.run(stop.signal);
    await eventually('the read model is there', () => (runner.status().position ?? -1n) >= head);
    stop.abort();
    await running;
  };

  /** By the log, whatever anybody remembers. */
  const holdersOf = async (contactIds: readonly string[], email: string) => {
    const hash = new EmailHash(keyRing.secrets).of(email);
    const fresh = new DecisionRunner(events, new PayloadMac(keyRing.secrets));
    const held: string[] = [];
    for (const contactId of contactIds) {
      const { state } = await fresh.read(contactDecider, contactStream(contactId));
      if (state.status === 'active' && state.emailClaim === hash) held.push(contactId);
    }
    return held;
  };

  const outcomeOf = (work: Promise<unknown>): Promise<'done' | 'taken' | 'crashed'> =>
    work.then(
      () => 'done',
      (error: unknown) => {
        if (error instanceof EmailTakenError) return 'taken';
        if (error instanceof Crash) return 'crashed';
        throw error;
      },
    );
  const newEmail = () => `${randomUUID()}@example.org`;
  const pendingCount = () => database.db.collection('pending_email_claims').countDocuments();
  const pass = (ms: number) => {
    now = addMillis(now, ms);
  };
  const settleAll = async () => {
    pass(61_000);
    await project();
    await startProcess().sweep();
    pass(61_000);
    await startProcess().sweep();
  };
  afterEach(settleAll);

  it('names the collection that the projector folds', () =>
    expect(collectionOf(emailClaimsProjection)).toBe('email_claims_v1'));

  it('give an e-mail to one contact, however it is written', async () => {
    const process = startProcess();
    const [one, two] = [randomUUID(), randomUUID()];
    const email = newEmail();
    await process.register(one, email);
    await expect(process.register(two, email.toUpperCase())).rejects.toThrow(EmailTakenError);
    await project();
    await expect(process.register(two, email)).rejects.toThrow(EmailTakenError);
    await settleAll();
    expect(await pendingCount()).toBe(0);
    await expect(process.register(two, email)).rejects.toThrow(EmailTakenError);
    expect(await holdersOf([one, two], email)).toEqual([one]);
  });

  it('move with a change, and free the old e-mail before the read model has seen it', async () => {
    const process = startProcess();
    const [one, two] = [randomUUID(), randomUUID()];
    const [first, second] = [newEmail(), newEmail()];
    await process.register(one, first);
    await process.change(one, second);
    await process.register(two, first);
    await expect(process.change(two, second)).rejects.toThrow(EmailTakenError);
    await expect(process.change(one, first)).rejects.toThrow(EmailTakenError);
    await process.change(one, second.toUpperCase());
    await process.change(two, null);
    await process.change(one, first);
    expect(await holdersOf([one, two], first)).toEqual([one]);
    expect(await holdersOf([one, two], second)).toEqual([]);
    await settleAll();
    expect(await pendingCount()).toBe(0);
  });

  it('stay past their deadline until the read model shows the holder', async () => {
    const process = startProcess();
    const [one, two] = [randomUUID(), randomUUID()];
    const email = newEmail();
    await process.register(one, email);
    pass(61_000);
    expect(await process.sweep()).toBe(0);
    await expect(process.register(two, email)).rejects.toThrow(EmailTakenError);
    pass(61_000);
    await expect(process.register(two, email)).rejects.toThrow(EmailTakenError);
    await settleAll();
    expect(await pendingCount()).toBe(0);
    await expect(process.register(two, email)).rejects.toThrow(EmailTakenError);
    expect(await holdersOf([one, two], email)).toEqual([one]);
  });

  it('of a contact that goes away from its e-mail and back outlast a read model that is behind', async () => {
    const process = startProcess();
    const [one, two] = [randomUUID(), randomUUID()];
    const email = newEmail();
    await process.register(one, email);
    await settleAll();
    await process.change(one, null);
    await process.change(one, email);
    pass(61_000);
    // The read model still shows the claim of the registration, which was released since.
    await process.sweep();
    // It gets as far as the release.
    const hash = new EmailHash(keyRing.secrets).of(email);
    await database.db.collection<{ _id: string }>('email_claims_v1').deleteOne({ _id: hash });
    await expect(process.register(two, email)).rejects.toThrow(EmailTakenError);
    await project();
    await expect(process.register(two, email)).rejects.toThrow(EmailTakenError);
    expect(await holdersOf([one, two], email)).toEqual([one]);
  });

  it('answer a retry as before, also when somebody else has the e-mail by now', async () => {
    const process = startProcess();
    const [one, two] = [randomUUID(), randomUUID()];
    const email = newEmail();
    const retried = { commandId: randomUUID(), repeatable: true };
    await process.register(one, email, retried);
    expect(await process.register(one, email, retried)).toMatchObject({ replayed: true });
    await process.change(one, null);
    await process.register(two, email);
    expect(await process.register(one, email, retried)).toMatchObject({ replayed: true });
    await expect(
      process.register(randomUUID(), email, { commandId: randomUUID(), repeatable: true }),
    ).rejects.toThrow(EmailTakenError);
  });

  it('are dropped with a refusal', async () => {
    const process = startProcess();
    const [one, two] = [randomUUID(), randomUUID()];
    const email = newEmail();
    await process.register(one, newEmail());
    await expect(process.register(one, email)).rejects.toMatchObject({ code: 'contacts.already-registered' });
    await expect(process.change(one, email, { expectedRevision: 7 })).rejects.toThrow('Revision 7');
    await process.register(two, email);
    await expect(process.change(randomUUID(), newEmail())).rejects.toMatchObject({
      code: 'contacts.not-found',
    });
  });

  it('let one of many at once through, from two processes', async () => {
    const processes = [startProcess(), startProcess()];
    const contactIds = Array.from({ length: 12 }, () => randomUUID());
    const email = newEmail();
    const outcomes = await Promise.all(
      contactIds.map((id, n) => outcomeOf(processes[n % 2]!.register(id, email))),
    );
    expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(1);
    expect(await holdersOf(contactIds, email)).toHaveLength(1);
  });

  it('let the same command through once, sent to two processes at once', async () => {
    const contactId = randomUUID();
    const email = newEmail();
    const same = { commandId: randomUUID(), repeatable: true };
    const outcomes = await Promise.all(
      [startProcess(), startProcess()].map((process) => process.register(contactId, email, same)),
    );
    // Either one is told that it was answered before, or both have sent the very same append.
    expect(outcomes.map(({ answer, revision }) => [answer, revision])).toEqual([
      [{ contactId }, 0],
      [{ contactId }, 0],
    ]);
    expect(await holdersOf([contactId], email)).toEqual([contactId]);
  });

  it('given up while their command was asleep make it claim anew, or find the e-mail taken', async () => {
    const email = newEmail();
    const [sleeper, other] = [randomUUID(), randomUUID()];
    let wake = (): void => undefined;
    let fellAsleep = (): void => undefined;
    const asleep = new Promise<void>((resolve) => (fellAsleep = resolve));
    const awake = new Promise<void>((resolve) => (wake = resolve));
    const sleepy = new Proxy(events, {
      get: (target, name) => {
        const member = Reflect.get(target, name) as (...args: unknown[]) => unknown;
        if (name !== 'append') return member.bind(target);
        return async (...args: unknown[]) => {
          fellAsleep();
          await awake;
          return Reflect.apply(member, target, args);
        };
      },
    });
    const slow = outcomeOf(startProcess(new Death(), sleepy).register(sleeper, email));
    await asleep;
    expect(await outcomeOf(startProcess().register(other, email))).toBe('taken');
    pass(61_000);
    expect(await outcomeOf(startProcess().register(other, email))).toBe('done');
    wake();
    expect(await slow).toBe('taken');
    expect(await holdersOf([sleeper, other], email)).toEqual([other]);
  });

  it('given up for nobody else let their command go on', async () => {
    const email = newEmail();
    const contactId = randomUUID();
    let wake = (): void => undefined;
    const awake = new Promise<void>((resolve) => (wake = resolve));
    let appends = 0;
    const sleepy = new Proxy(events, {
      get: (target, name) => {
        const member = Reflect.get(target, name) as (...args: unknown[]) => unknown;
        if (name !== 'append') return member.bind(target);
        return async (...args: unknown[]) => {
          appends += 1;
          await awake;
          return Reflect.apply(member, target, args);
        };
      },
    });
    const slow = startProcess(new Death(), sleepy).register(contactId, email);
    await eventually('the append is on its way', () => appends > 0);
    pass(61_000);
    expect(await startProcess().sweep()).toBe(1);
    wake();
    await slow;
    expect(await holdersOf([contactId], email)).toEqual([contactId]);
  });

  describe.each(['before', 'after'] as const)('of a process that dies %s', (when) => {
    /** Lets a process die at each of its writes in turn, until it gets through. */
    const atEveryWrite = async (scenario: (death: Death, place: string) => Promise<void>) => {
      let places = 0;
      for (let at = 1; ; at += 1) {
        const death = new Death(at, when);
        await scenario(death, `${when} write ${at}`);
        if (death.count < at) break;
        places += 1;
      }
      return places;
    };

    it('a write of a registration keep the e-mail for one contact, and for no dead one', async () => {
      const places = await atEveryWrite(async (death, place) => {
        const email = newEmail();
        const [dying, other, later] = [randomUUID(), randomUUID(), randomUUID()];
        const all = [dying, other, later];
        await outcomeOf(startProcess(death).register(dying, email));
        await outcomeOf(startProcess().register(other, email));
        expect((await holdersOf(all, email)).length).toBeLessThanOrEqual(1);
        pass(61_000);
        await startProcess().sweep();
        await project();
        const held = await holdersOf(all, email);
        expect([place, await outcomeOf(startProcess().register(later, email))]).toEqual([
          place,
          held.length === 0 ? 'done' : 'taken',
        ]);
        expect(await holdersOf(all, email)).toHaveLength(1);
        await settleAll();
        expect([place, await pendingCount()]).toEqual([place, 0]);
      });
      expect(places).toBe(2);
    });

    it('a write of a refused registration keep nobody from the e-mail for long', async () => {
      const registered = randomUUID();
      await startProcess().register(registered, newEmail());
      const places = await atEveryWrite(async (death, place) => {
        const email = newEmail();
        const other = randomUUID();
        await outcomeOf(startProcess(death).register(registered, email)).catch((error: Error) => error);
        pass(61_000);
        expect([place, await outcomeOf(startProcess().register(other, email))]).toEqual([place, 'done']);
        expect(await holdersOf([registered, other], email)).toEqual([other]);
      });
      expect(places).toBeGreaterThanOrEqual(2);
    });

    it('a write of a change keep old and new e-mail each for one contact', async () => {
      const places = await atEveryWrite(async (death, place) => {
        const [old, young] = [newEmail(), newEmail()];
        const [dying, one, two] = [randomUUID(), randomUUID(), randomUUID()];
        const all = [dying, one, two];
        await startProcess().register(dying, old);
        await outcomeOf(startProcess(death).change(dying, young));
        const moved = (await holdersOf(all, young)).length === 1;
        expect([place, await outcomeOf(startProcess().register(one, old))]).toEqual([
          place,
          moved ? 'done' : 'taken',
        ]);
        pass(61_000);
        expect([place, await outcomeOf(startProcess().register(two, young))]).toEqual([
          place,
          moved ? 'taken' : 'done',
        ]);
        expect(await holdersOf(all, old)).toHaveLength(1);
        expect(await holdersOf(all, young)).toHaveLength(1);
        await settleAll();
        expect([place, await pendingCount()]).toEqual([place, 0]);
      });
      expect(places).toBe(2);
    });

    it('a write of a recovery leave the rest to the next one', async () => {
      const places = await atEveryWrite(async (death, place) => {
        const email = newEmail();
        const [dead, other] = [randomUUID(), randomUUID()];
        await outcomeOf(startProcess(new Death(1, 'after')).register(dead, email));
        pass(61_000);
        await outcomeOf(startProcess(death).register(other, email));
        expect((await holdersOf([dead, other], email)).length).toBeLessThanOrEqual(1);
        pass(61_000);
        await project();
        const held = await holdersOf([dead, other], email);
        const retried = outcomeOf(startProcess().register(randomUUID(), email));
        expect([place, await retried]).toEqual([place, held.length === 0 ? 'done' : 'taken']);
        await settleAll();
        expect([place, await pendingCount()]).toEqual([place, 0]);
      });
      expect(places).toBeGreaterThanOrEqual(4);
    });
  });

  it('wait for a read model that is still being built', async () => {
    await startProcess().register(randomUUID(), newEmail());
    const behind = new ReadGate({ positions: async () => new Map() } as never, [emailClaimsProjection], {
      waitMs: 50,
    });
    const runner = new DecisionRunner(events, new PayloadMac(keyRing.secrets));
    const claimer = new EmailClaimer(claims, runner, events, behind);
    const register = new RegisterContactHandler(
      new ContactDecisions(runner),
      runner,
      claimer,
      new EmailHash(keyRing.secrets),
    );
    const registration = { profile: { email: newEmail() } };
    await expect(
      register.execute(
        new RegisterContactCommand(randomUUID(), 'app', registration, commandContext({ now })),
      ),
    ).rejects.toMatchObject({ kind: 'unavailable' });
  });
});

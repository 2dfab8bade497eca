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
import { addMillis, canonicalInstant, type CommandContext, type RecordedEvent } from '@app/kernel';
import { LocalKeyRing, Sealer } from '@app/personal-data';
import {
  collectionOf,
  MongoReadStore,
  openReadDatabase,
  ProjectionRunner,
  ReadBehindError,
  ReadGate,
  type ReadDatabase,
} from '@app/read-store';
import { commandContext, Crash, Death, eventually } from '@app/testing';
import { DueErasures } from '../../automation/mongo.due-erasures';
import { ErasureTakeUp } from '../../automation/when-process-starts-then-take-up-erasures';
import { proceedWithDueErasures } from '../../automation/when-erasure-is-due-then-proceed';
import type { ContactCommand } from '../../domain/contact.decider';
import { contactEventDefinitions, contactStream, type ContactEvent } from '../../domain/contact.events';
import { contactsReadModels, type ErasureDocument } from '../../read-models';
import { DocumentsPurger } from '../../read-models/erasures/documents.purger';
import { Suppressions } from '../../read-models/suppressions/suppressions';
import { ContactDecisions } from '../contact-decisions';
import { EmailClaimer } from '../email-claims/email-claimer';
import { EmailHash } from '../email-claims/email-hash';
import { MongoEmailClaims } from '../email-claims/mongo.email-claims';
import { RegisterContactCommand } from '../register-contact/register-contact.command';
import { RegisterContactHandler } from '../register-contact/register-contact.handler';
import { ErasureBackground } from './erasure-background';
import { CoalescedPurge } from './erasure-purge';
import { ErasureProcess } from './erasure-process';
import { SuppressionTokens } from './suppression-tokens';
import { ErasureNotVerifiedError, verifyErased } from './verify-erased';

const START = '2026-03-01T12:00:00.000Z';
/** Its own for each contact, written one way when it is registered, and another when it is asked for. */
const phoneOf = (contactId: string): string =>
  `+43 (664) ${[...contactId.replaceAll('-', '')]
    .map((digit) => parseInt(digit, 16) % 10)
    .join('')
    .slice(0, 12)}`;
const RETENTION_ENDS = '2034-01-01T00:00:00.000Z';

describe('an erasure, on an event store, a key ring and a document store', () => {
  let directory: string;
  let eventServer: EmbeddedEventStore;
  let documentServer: EmbeddedMongo;
  let keyRing: LocalKeyRing;
  let client: EsdbClient;
  let events: EventStore;
  let database: ReadDatabase;
  let gate: ReadGate;
  const projecting = new AbortController();
  let projected: Promise<void>;
  let now = START;
  const clock = { now: () => new Date(now) };

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'regulars-erasure-'));
    eventServer = await startEmbeddedEventStore({ dataDir: join(directory, 'events') });
    documentServer = await startEmbeddedMongo({ dataDir: join(directory, 'documents') });
    keyRing = await LocalKeyRing.open(join(directory, 'keys'));
    client = new EsdbClient(eventServer.connectionString);
    const codec = new EventCodec(new EventCatalog(contactEventDefinitions), new Sealer(keyRing));
    events = new EsdbEventStore(client, codec);
    database = await openReadDatabase({ url: documentServer.url, dbName: 'regulars' });
    const store = new MongoReadStore(database.db);
    gate = new ReadGate(store, [...contactsReadModels.projections, ...contactsReadModels.journals]);
    const runner = new ProjectionRunner({ name: 'contacts', events, store, readModels: contactsReadModels });
    projected = runner.run(projecting.signal);
  });

  afterAll(async () => {
    projecting.abort();
    await projected;
    await database?.close();
    await client?.close();
    await keyRing?.close();
    await documentServer?.close();
    await eventServer?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  beforeEach(() => {
    now = START;
  });

  const context = (fields: Partial<CommandContext> = {}): CommandContext =>
    commandContext({ commandId: randomUUID(), now, deadlineMs: Date.now() + 10_000, ...fields });

  /** One process, with what it knows of streams to itself. */
  const startProcess = (death = new Death(), suppress = true) => {
    const runner = new DecisionRunner(death.on(events), new PayloadMac(keyRing.secrets));
    const decisions = new ContactDecisions(runner);
    const claims = death.on(new MongoEmailClaims(database.db));
    const hash = new EmailHash(keyRing.secrets);
    const claimer = new EmailClaimer(claims, runner, events, gate);
    const tokens = new SuppressionTokens(keyRing.secrets, { enabled: suppress });
    const suppressions = new Suppressions(tokens, hash, database.db);
    const purge = death.on(new CoalescedPurge([new DocumentsPurger(database.db)], 5));
    const process = new ErasureProcess(
      decisions,
      runner,
      death.on(events),
      death.on(keyRing),
      death.on(gate),
      claims,
      tokens,
      purge,
      clock,
    );
    const handler = new RegisterContactHandler(decisions, runner, claimer, hash);
    return {
      suppressions,
      process,
      register: (contactId: string, email: string) =>
        handler.execute(
          new RegisterContactCommand(
            contactId,
            'app',
            { profile: { firstName: 'Canary', email, phone: phoneOf(contactId) } },
            context(),
          ),
        ),
      run: (command: ContactCommand) => decisions.run(command, context(), {}),
    };
  };

  /** Somebody with everything that an erasure has to see to; answers with the e-mail. */
  const aContact = async (contactId: string, { buys = false } = {}): Promise<string> => {
    const { register, run } = startProcess();
    const email = `${randomUUID()}@example.org`;
    const of = { contactId, now };
    await register(contactId, email);
    await run({
      type: 'CreditPoints',
      ...of,
      entryId: 'c',
      pool: 'main',
      points: 50,
      reason: 'gift',
      note: 'n',
    });
    await run({ type: 'CreditPoints', ...of, entryId: 'v', pool: 'vip', points: 7, reason: 'gift' });
    await run({
      type: 'RegisterDevice',
      ...of,
      deviceId: 'd',
      platform: 'ios',
      device: { model: 'Phone 9', pushToken: 'token' },
    });
    if (buys) {
      await run({
        type: 'RecordPurchase',
        ...of,
        purchaseId: 'p',
        invoiceNumber: 'R-1',
        amount: { minor: 1_250, currency: 'EUR' },
        earning: [],
      });
    }
    return email;
  };

  const erase = (contactId: string, coolingOff = 'P0D'): ContactCommand => ({
    type: 'EraseContact',
    contactId,
    now,
    erasureId: randomUUID(),
    legalGround: 'noLongerNeeded',
    coolingOff,
  });

  const streamOf = async (contactId: string): Promise<RecordedEvent<ContactEvent>[]> => {
    const stream: RecordedEvent<ContactEvent>[] = [];
    for await (const event of events.readStream(contactStream(contactId)))
      stream.push(event as RecordedEvent<ContactEvent>);
    return stream;
  };
  const typesOf = async (contactId: string): Promise<string[]> =>
    (await streamOf(contactId)).map(({ type }) => type.split('.')[1] ?? '');
  const documentOf = async <Doc extends object>(name: string, id: string): Promise<Doc | null> => {
    await gate.wait((await events.head()) ?? undefined);
    const readModel = contactsReadModels.projections.find((projection) => projection.name === name);
    if (readModel === undefined) throw new Error(`There is no read model ${name}.`);
    const documents = database.db.collection<Doc & { _id: string }>(collectionOf(readModel));
    return documents.findOne({ _id: id } as never) as never;
  };
  const hashOf = (email: string) => new EmailHash(keyRing.secrets).of(email);

  const STEPS = [
    'ErasureRequested',
    'ErasureStarted',
    'PointsForfeited',
    'PointsForfeited',
    'ContactSuppressed',
    'ContactSuppressed',
    'ContactErased',
    'ErasureCompleted',
  ];

  /** Everything that an erasure promises, whatever happened on the way. */
  const expectErased = async (contactId: string, email: string): Promise<void> => {
    const types = (await typesOf(contactId)).filter((type) => STEPS.includes(type));
    expect(types).toEqual(STEPS);
    expect((await verifyErased(events.readStream(contactStream(contactId)), false)).valuesErased).toBe(5);
    expect(await documentOf('contacts', contactId)).toMatchObject({
      erasure: 'erased',
      profile: {},
      search: [],
      sort: {},
      devices: [],
      points: { main: 0, vip: 0 },
    });
    // The place of a removed claim stays, and says nothing.
    expect(
      (await documentOf<{ contactId?: string }>('email_claims', hashOf(email)))?.contactId,
    ).toBeUndefined();
    expect(await database.db.collection('pending_email_claims').countDocuments({ contactId })).toBe(0);
    expect(await startProcess().suppressions.isSuppressed({ email: email.toUpperCase() })).toBe(true);
    expect(
      await startProcess().suppressions.isSuppressed({
        phone: phoneOf(contactId).replace('+', '00').replace(/[() ]/g, ''),
      }),
    ).toBe(true);
    expect(await documentOf<ErasureDocument>('erasures', contactId)).toMatchObject({
      state: 'completed',
      forfeited: { main: 50, vip: 7 },
      suppressionTokens: 2,
      keys: [{}, {}],
      stores: [{ store: 'documents', before: 1, after: 0 }],
      valuesErased: 5,
      valuesRetained: 0,
      nextStepAt: null,
    });
    for (const keyClass of ['personal', 'retained'] as const) {
      await expect(keyRing.keyForSealing(contactId, keyClass)).rejects.toMatchObject({ kind: 'gone' });
    }
  };

  it('goes through all its steps, and leaves the e-mail to a new contact', async () => {
    const contactId = randomUUID();
    const email = await aContact(contactId);
    const { process, run, register } = startProcess();
    await run(erase(contactId));
    await process.proceed(contactId, context());
    await expectErased(contactId, email);
    const again = randomUUID();
    await register(again, email);
    expect(await typesOf(again)).toEqual(['ContactRegistered']);
    const [registered] = await streamOf(again);
    expect(
      JSON.stringify(registered, (_, value: unknown) => (typeof value === 'bigint' ? '' : value)),
    ).not.toContain(contactId);
  });

  it('is finished by the next process wherever one dies', async () => {
    const survivor = new Death();
    const first = randomUUID();
    await aContact(first);
    const whole = startProcess(survivor);
    await whole.run(erase(first));
    await whole.process.proceed(first, context());
    const writes = survivor.count;
    expect(writes).toBeGreaterThanOrEqual(9);
    for (let at = 2; at <= writes; at += 1) {
      for (const when of ['before', 'after'] as const) {
        const contactId = randomUUID();
        const email = await aContact(contactId);
        const dying = startProcess(new Death(at, when));
        await dying.run(erase(contactId));
        await expect(dying.process.proceed(contactId, context())).rejects.toThrow(Crash);
        await startProcess().process.proceed(contactId, context());
        await expectErased(contactId, email);
      }
    }
  });

  it('comes to one end when several processes carry it out at once', async () => {
    const contactId = randomUUID();
    const email = await aContact(contactId);
    await startProcess().run(erase(contactId));
    await Promise.all(
      [startProcess(), startProcess(), startProcess()].map(({ process }) =>
        process.proceed(contactId, context()),
      ),
    );
    await expectErased(contactId, email);
  });

  it('waits while it cools off; the automation carries it out when its time has come', async () => {
    const [contactId, kept] = [randomUUID(), randomUUID()];
    const email = await aContact(contactId);
    await aContact(kept);
    const { process, run } = startProcess();
    await run(erase(contactId, 'P7D'));
    await run(erase(kept, 'P7D'));
    await process.proceed(contactId, context());
    await run({
      type: 'CreditPoints',
      contactId,
      now,
      entryId: 'x',
      pool: 'main',
      points: 1,
      reason: 'gift',
    });
    await run({ type: 'DebitPoints', contactId, now, entryId: 'y', pool: 'main', points: 1, reason: 'gift' });
    await run({ type: 'CancelErasure', contactId: kept, now });
    await gate.wait((await events.head()) ?? undefined);
    const due = new DueErasures(database.db, clock);
    expect(await proceedWithDueErasures(due, process, context())).toBe(0);
    now = '2026-03-08T12:00:00.000Z';
    expect(await proceedWithDueErasures(due, process, context())).toBe(1);
    await expectErased(contactId, email);
    expect(await documentOf('erasures', kept)).toMatchObject({ state: 'cancelled', nextStepAt: null });
    expect((await documentOf<{ profile: object }>('contacts', kept))?.profile).toMatchObject({
      firstName: 'Canary',
    });
  });

  it('is taken up at once by a process that starts, and after a while by those that run', async () => {
    const contactId = randomUUID();
    const email = await aContact(contactId);
    const running = new DueErasures(database.db, clock);
    now = addMillis(START, 60_000);
    await startProcess(new Death(2, 'before')).run(erase(contactId));
    await gate.wait((await events.head()) ?? undefined);
    expect(await running.contactIds(now, 10)).toEqual([]);
    expect(await running.contactIds(addMillis(now, 30_000), 10)).toEqual([contactId]);
    now = addMillis(now, 1_000);
    const { process } = startProcess();
    const background = new ErasureBackground(process);
    const due = new DueErasures(database.db, clock);
    const takeUp = new ErasureTakeUp(due, background, events, gate, clock);
    takeUp.onApplicationBootstrap();
    await eventually('it is complete', async () => (await typesOf(contactId)).includes('ErasureCompleted'));
    takeUp.beforeApplicationShutdown();
    await background.beforeApplicationShutdown();
    await expectErased(contactId, email);
    expect(await due.contactIds(now, 10)).toEqual([]);
  });

  it('waits, where a process has started, until the read models are at the end of the log', async () => {
    const asked: string[] = [];
    let behind = 2;
    const late = {
      wait: async () => {
        behind -= 1;
        if (behind >= 0) throw new ReadBehindError(0n, 1n);
        return 1n;
      },
    } as unknown as ReadGate;
    const due = {
      contactIds: async () => {
        expect(behind).toBe(-1);
        return ['one'];
      },
    } as unknown as DueErasures;
    const background = {
      start: (contactId: string) => asked.push(contactId),
    } as unknown as ErasureBackground;
    const takeUp = new ErasureTakeUp(due, background, events, late, clock);
    takeUp.onApplicationBootstrap();
    await eventually('it is taken up', () => asked.length > 0);
    expect(asked).toEqual(['one']);
  });

  it('keeps what is in the books until its time is up, under a key of its own', async () => {
    const contactId = randomUUID();
    await aContact(contactId, { buys: true });
    const { process, run } = startProcess();
    await run(erase(contactId));
    await process.proceed(contactId, context());
    expect(await documentOf('erasures', contactId)).toMatchObject({
      state: 'partlyRetained',
      keys: [{}],
      valuesErased: 5,
      valuesRetained: 1,
      retainedUntil: RETENTION_ENDS,
      nextStepAt: RETENTION_ENDS,
    });
    const invoice = async () =>
      (await streamOf(contactId)).flatMap((event) =>
        event.type === 'contacts.PurchaseRecorded.v1' ? [event.data.invoiceNumber] : [],
      );
    expect(await invoice()).toEqual(['R-1']);
    expect(await documentOf('contacts', contactId)).toMatchObject({
      spend: { EUR: 1_250 },
      counts: { purchases: 1 },
    });
    const due = new DueErasures(database.db, clock);
    now = '2033-12-31T23:59:59.999Z';
    expect(await proceedWithDueErasures(due, process, context())).toBe(0);
    now = canonicalInstant(RETENTION_ENDS);
    expect(await proceedWithDueErasures(due, process, context())).toBe(1);
    expect(await invoice()).toEqual([null]);
    expect(await documentOf('erasures', contactId)).toMatchObject({
      state: 'completed',
      keys: [{}, {}],
      retainedDestroyedAt: RETENTION_ENDS,
      nextStepAt: null,
    });
  });

  it('leaves no token where that is switched off', async () => {
    const contactId = randomUUID();
    const email = await aContact(contactId);
    const { process, run, suppressions } = startProcess(new Death(), false);
    await run(erase(contactId));
    await process.proceed(contactId, context());
    expect(await typesOf(contactId)).not.toContain('ContactSuppressed');
    await gate.wait((await events.head()) ?? undefined);
    expect(await suppressions.isSuppressed({ email, phone: phoneOf(contactId) })).toBe(false);
  });

  it('is not said to be complete while a value opens', async () => {
    const contactId = randomUUID();
    await aContact(contactId);
    await expect(verifyErased(events.readStream(contactStream(contactId)), true)).rejects.toThrow(
      ErasureNotVerifiedError,
    );
    const { run } = startProcess();
    await run(erase(contactId));
    // Somebody says so whose key ring has lost the destruction.
    const of = { contactId, now };
    await run({ type: 'RecordErased', ...of, keyIds: [], retainedUntil: null, held: [] });
    await expect(startProcess().process.proceed(contactId, context())).rejects.toThrow(
      ErasureNotVerifiedError,
    );
    expect(await typesOf(contactId)).not.toContain('ErasureCompleted');
  });

  it('shares one purge among many', async () => {
    const contactIds = Array.from({ length: 20 }, () => randomUUID());
    let purges = 0;
    const purge = new CoalescedPurge(
      [
        {
          store: 'files',
          held: async () => 0,
          purge: async (ids) => {
            purges += 1;
            expect(ids).toHaveLength(contactIds.length);
            return 'tape';
          },
        },
      ],
      5,
    );
    const results = await Promise.all(
      contactIds.map((contactId) => purge.purge(contactId, [{ store: 'files', records: 2 }])),
    );
    expect(purges).toBe(1);
    expect(results[7]).toEqual([{ store: 'files', before: 2, after: 0, remains: 'tape' }]);
  });

  it('does not lose an erasure to a purge that fails', async () => {
    let failures = 1;
    const purge = new CoalescedPurge(
      [
        {
          store: 'files',
          held: async () => 0,
          purge: async () => {
            failures -= 1;
            if (failures >= 0) throw new Error('The disk is away.');
            return undefined;
          },
        },
      ],
      5,
    );
    await expect(purge.purge('one', [])).rejects.toThrow('The disk is away.');
    expect(await purge.purge('one', [])).toEqual([{ store: 'files', before: 0, after: 0 }]);
  });

  it('of nobody, or of somebody who lives on, does nothing', async () => {
    const contactId = randomUUID();
    await startProcess().process.proceed(contactId, context());
    expect(await typesOf(contactId)).toEqual([]);
    await aContact(contactId);
    const before = await typesOf(contactId);
    await startProcess().process.proceed(contactId, context());
    expect(await typesOf(contactId)).toEqual(before);
    await eventually('it is shown', async () => (await documentOf('contacts', contactId)) !== null);
  });
});

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Global, Module, type DynamicModule } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { startEmbeddedEventStore, type EmbeddedEventStore } from '@app/embedded-eventstoredb';
import { startEmbeddedMongo, type EmbeddedMongo } from '@app/embedded-mongodb';
import { EventStoreModule } from '@app/event-store';
import { AccessLog, Authenticator, createHttpApplication, HttpModule, Readiness } from '@app/http';
import { addMillis, Clock, SystemClock } from '@app/kernel';
import { MessagingModule } from '@app/messaging';
import { PersonalDataModule } from '@app/personal-data';
import { openReadDatabase, READ_DB, ReadGate, type ReadDatabase } from '@app/read-store';
import { KeptAccessLog } from '@app/testing';
import {
  ContactDecisions,
  contactEventDefinitions,
  ContactsWriteModule,
  programmeEventDefinitions,
} from './index';

class TestModule {
  static on(eventStore: string, database: ReadDatabase, keysDir: string): DynamicModule {
    return {
      module: TestModule,
      imports: [
        SurroundingsModule.with(database),
        PersonalDataModule.forRoot({ keysDir }),
        EventStoreModule.forRoot({
          connectionString: eventStore,
          definitions: [...contactEventDefinitions, ...programmeEventDefinitions],
        }),
        CqrsModule.forRoot(),
        HttpModule,
        ContactsWriteModule,
        MessagingModule,
      ],
    };
  }
}
Module({})(TestModule);

/** Everybody is the operator, and the read models, of which commands need none, are always there. */
class SurroundingsModule {
  static with(database: ReadDatabase): DynamicModule {
    const providers = [
      { provide: Clock, useClass: SystemClock },
      { provide: Readiness, useValue: { report: async () => ({ ready: true, parts: {}, lag: null }) } },
      {
        provide: Authenticator,
        useValue: { authenticate: () => ({ id: 'till-1', role: 'operator', method: 'api-key' }) },
      },
      { provide: AccessLog, useClass: KeptAccessLog },
      { provide: READ_DB, useValue: database.db },
      { provide: ReadGate, useValue: { wait: async () => 0n } },
    ];
    return { module: SurroundingsModule, providers, exports: providers.map(({ provide }) => provide) };
  }
}
Global()(SurroundingsModule);
Module({})(SurroundingsModule);

const quiet = { log: () => undefined, error: () => undefined, warn: () => undefined };
type Body = Record<string, unknown>;

describe('commands on contacts over HTTP', () => {
  let directory: string;
  let eventServer: EmbeddedEventStore;
  let documentServer: EmbeddedMongo;
  let database: ReadDatabase;
  let app: NestFastifyApplication;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'regulars-contacts-'));
    eventServer = await startEmbeddedEventStore({ dataDir: join(directory, 'events') });
    documentServer = await startEmbeddedMongo({ dataDir: join(directory, 'documents') });
    database = await openReadDatabase({ url: documentServer.url, dbName: 'regulars' });
    app = await createHttpApplication(
      TestModule.on(eventServer.connectionString, database, join(directory, 'keys')),
      { logger: quiet },
    );
  });

  afterAll(async () => {
    await app?.close();
    await database?.close();
    await documentServer?.close();
    await eventServer?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const call = async (
    method: 'POST' | 'PATCH' | 'PUT' | 'DELETE' | 'GET',
    path: string,
    payload?: object,
    headers = {},
  ) => {
    const response = await app.inject({
      method,
      url: `/v1${path}`,
      headers: { authorization: 'Bearer key', ...headers },
      ...(payload && { payload }),
    });
    return { status: response.statusCode, headers: response.headers, body: response.json<Body>() };
  };
  const post = (path: string, payload?: object, headers = {}) => call('POST', path, payload, headers);
  const register = async (profile: object = {}) => {
    const { status, body } = await post('/contacts', { profile });
    expect(status).toBe(201);
    return `/contacts/${body['contactId'] as string}`;
  };
  const pointers = (body: Body) => (body['errors'] as { pointer: string }[]).map(({ pointer }) => pointer);
  const newEmail = () => `${randomUUID()}@example.org`;

  describe('registering', () => {
    it('answers where the contact is, at which revision and position', async () => {
      const contactId = randomUUID();
      const { status, headers, body } = await post('/contacts', {
        contactId,
        registeredAt: '1997-01-01T00:00:00Z',
        profile: {
          firstName: 'Ada',
          lastName: 'Berg',
          email: newEmail(),
          phone: '+43 (664) 123-45/67',
          birthday: '1990-02-28',
          gender: 'female',
          language: 'de',
          address: { street: 'Ring 1', postalCode: '1010', city: 'Wien', country: 'AT' },
          customFields: { size: 41, vip: true, note: '', likes: ['tea', 'cake'] },
          tags: ['regular'],
        },
        consents: [{ purpose: 'news', granted: true, source: 'form' }],
      });
      expect(status).toBe(201);
      expect(body).toEqual({ contactId, revision: 1, position: expect.stringMatching(/^\d+$/) as string });
      expect(headers).toMatchObject({ location: `/v1/contacts/${contactId}`, etag: '"1"' });
    });

    it('makes one contact of a command that is sent again', async () => {
      const key = { 'idempotency-key': randomUUID() };
      const profile = { email: newEmail() };
      const first = await post('/contacts', { profile }, key);
      const second = await post('/contacts', { profile }, key);
      expect(second.body).toEqual(first.body);
      expect(second.headers['idempotency-replayed']).toBe('true');
      expect((await post('/contacts', { profile: {} }, key)).status).toBe(422);
    });

    describe('under a key with ids of the client’s own', () => {
      const keyed = () => ({ 'idempotency-key': randomUUID() });
      const email = newEmail();
      beforeAll(() => register({ email }));

      it('makes one contact of a key: another id, or none, is another payload', async () => {
        const [key, contactId] = [keyed(), randomUUID()];
        const first = await post('/contacts', { contactId, profile: {} }, key);
        expect(first).toMatchObject({ status: 201, body: { contactId } });
        for (const other of [{ contactId: randomUUID() }, {}]) {
          const refused = await post('/contacts', { ...other, profile: {} }, key);
          expect(refused).toMatchObject({ status: 422, body: { code: 'idempotency.payload-differs' } });
        }
        const again = await post('/contacts', { contactId, profile: {} }, key);
        expect([again.status, again.body, again.headers['idempotency-replayed']]).toEqual([
          201,
          first.body,
          'true',
        ]);
        const none = keyed();
        expect((await post('/contacts', { profile: {} }, none)).status).toBe(201);
        expect((await post('/contacts', { contactId, profile: {} }, none)).status).toBe(409);
        expect((await post('/contacts', { contactId: randomUUID(), profile: {} }, none)).status).toBe(422);
      });

      it('lets one of several that race through', async () => {
        const key = keyed();
        const answers = await Promise.all(
          Array.from({ length: 8 }, () => post('/contacts', { contactId: randomUUID(), profile: {} }, key)),
        );
        expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(7).fill(422)]);
      });

      it('does not remember a refusal', async () => {
        const [key, contactId] = [keyed(), randomUUID()];
        expect((await post('/contacts', { contactId, profile: { email } }, key)).status).toBe(409);
        const other = { contactId: randomUUID(), profile: {} };
        expect((await post('/contacts', other, key)).status).toBe(201);
        expect((await post('/contacts', { contactId, profile: {} }, key)).status).toBe(422);
      });

      it('goes on after a crash in between', async () => {
        const [key, contactId] = [keyed(), randomUUID()];
        const decisions = app.get(ContactDecisions);
        const run = decisions.run.bind(decisions) as (...args: unknown[]) => Promise<unknown>;
        const crash = jest.spyOn(decisions, 'run').mockImplementation(async (...args) => {
          if (args[0].type === 'RegisterContact') throw new Error('killed');
          return run(...args) as never;
        });
        expect((await post('/contacts', { contactId, profile: {} }, key)).status).toBe(500);
        crash.mockRestore();
        expect((await post('/contacts', { contactId: randomUUID(), profile: {} }, key)).status).toBe(422);
        const first = await post('/contacts', { contactId, profile: {} }, key);
        expect(first).toMatchObject({ status: 201, body: { contactId, revision: 0 } });
        expect((await post('/contacts', { contactId, profile: {} }, key)).body).toEqual(first.body);
      });
    });

    it('refuses an id that is taken, an e-mail that is taken, an invitation that is not there', async () => {
      const email = newEmail();
      const contact = await register({ email });
      const contactId = contact.split('/')[2];
      expect(await post('/contacts', { contactId, profile: {} })).toMatchObject({
        status: 409,
        body: { code: 'contacts.already-registered' },
      });
      const taken = await post('/contacts', { profile: { email: email.toUpperCase() } });
      expect(taken).toMatchObject({ status: 409, body: { code: 'contacts.email-taken' } });
      expect(JSON.stringify(taken.body)).not.toContain(contactId);
      expect(await post('/contacts', { profile: {}, invitationCode: 'x' })).toMatchObject({
        status: 422,
        body: { code: 'contacts.unknown-invitation' },
      });
    });

    const tomorrow = addMillis(new Date().toISOString(), 2 * 86_400_000);
    it.each<[string, object]>([
      ['/profile', {}],
      ['/profile', { profile: null }],
      ['/profile/email', { profile: { email: 'nobody' } }],
      ['/profile/email', { profile: { email: `${'a'.repeat(60)}@${'b'.repeat(200)}.org` } }],
      ['/profile/email', { profile: { email: { $gt: '' } } }],
      ['/profile/email', { profile: { email: null } }],
      ['/profile/phone', { profile: { phone: 'call me' } }],
      ['/profile/phone', { profile: { phone: '1'.repeat(21) } }],
      ['/profile/birthday', { profile: { birthday: '2001-02-29' } }],
      ['/profile/birthday', { profile: { birthday: '1899-12-31' } }],
      ['/profile/birthday', { profile: { birthday: tomorrow.slice(0, 10) } }],
      ['/profile/gender', { profile: { gender: 'yes' } }],
      ['/profile/language', { profile: { language: 'DE' } }],
      ['/profile/address/country', { profile: { address: { country: 'Austria' } } }],
      ['/profile/address/planet', { profile: { address: { planet: 'Earth' } } }],
      ['/profile/firstName', { profile: { firstName: 'x'.repeat(101) } }],
      ['/profile/firstName', { profile: { firstName: '' } }],
      ['/profile/customFields', { profile: { customFields: { '1st': 1 } } }],
      ['/profile/customFields', { profile: { customFields: { a: { $gt: 1 } } } }],
      ['/profile/customFields', { profile: { customFields: { a: null } } }],
      [
        '/profile/customFields',
        { profile: { customFields: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`f${n}`, n])) } },
      ],
      ['/profile/tags', { profile: { tags: Array.from({ length: 51 }, (_, n) => `t${n}`) } }],
      ['/profile/tags', { profile: { tags: ['x'.repeat(65)] } }],
      ['/contactId', { profile: {}, contactId: 'me' }],
      ['/registeredAt', { profile: {}, registeredAt: '2020-01-01' }],
      ['/consents/0/source', { profile: {}, consents: [{ purpose: 'news', granted: true }] }],
    ])('refuses what is wrong at %s', async (pointer, payload) => {
      const { status, body } = await post('/contacts', payload);
      expect(status).toBe(422);
      expect(pointers(body)).toContain(pointer);
    });

    it('refuses a time to come, and names it', async () => {
      const { status, body } = await post('/contacts', { profile: {}, registeredAt: tomorrow });
      expect({ status, code: body['code'] }).toEqual({ status: 422, code: 'contacts.in-the-future' });
    });
  });

  describe('changing', () => {
    it('takes a merge patch, under If-Match', async () => {
      const contact = await register({ firstName: 'Ada', email: newEmail() });
      const patch = { profile: { firstName: null, address: { city: 'Graz' }, customFields: { size: null } } };
      const changed = await call('PATCH', contact, patch, { 'if-match': '"0"' });
      expect(changed).toMatchObject({ status: 200, body: { revision: 1 }, headers: { etag: '"1"' } });
      expect((await call('PATCH', contact, patch, { 'if-match': '"0"' })).status).toBe(412);
      expect(await call('PATCH', contact, { profile: {} })).toMatchObject({
        status: 422,
        body: { code: 'contacts.nothing-to-change' },
      });
      expect((await call('PATCH', `/contacts/${randomUUID()}`, patch)).status).toBe(404);
    });

    it('moves an e-mail, and refuses one that is taken', async () => {
      const [mine, yours] = [newEmail(), newEmail()];
      const contact = await register({ email: mine });
      await register({ email: yours });
      expect((await call('PATCH', contact, { profile: { email: yours } })).status).toBe(409);
      expect((await call('PATCH', contact, { profile: { email: mine.toUpperCase() } })).status).toBe(200);
      expect((await call('PATCH', contact, { profile: { email: null } })).status).toBe(200);
      await register({ email: mine });
      expect((await call('PATCH', contact, { profile: { email: mine } })).status).toBe(409);
    });
  });

  describe('points', () => {
    it('are credited, debited and reversed', async () => {
      const contact = await register();
      const credit = await post(`${contact}/points/credits`, {
        points: 100,
        reason: 'welcome',
        note: 'Hello',
      });
      expect(credit).toMatchObject({
        status: 201,
        body: { pool: 'main', points: 100, balance: 100, revision: 1 },
      });
      const debit = await post(`${contact}/points/debits`, { points: 30, reason: 'fee' });
      expect(debit).toMatchObject({ status: 201, body: { points: 30, balance: 70 } });
      expect(await post(`${contact}/points/debits`, { points: 71, reason: 'fee' })).toMatchObject({
        status: 409,
        body: { code: 'contacts.insufficient-points', balance: 70, points: 71, pool: 'main' },
      });
      const reversal = `${contact}/points/${debit.body['entryId'] as string}/reversal`;
      expect(await post(reversal)).toMatchObject({ status: 201, body: { points: 30, balance: 100 } });
      expect(await post(reversal)).toMatchObject({
        status: 409,
        body: { code: 'contacts.already-reversed' },
      });
      expect((await post(`${contact}/points/${randomUUID()}/reversal`)).status).toBe(404);
    });

    it('answer a repeated command as before, and 422 with another payload', async () => {
      const contact = await register();
      const key = { 'idempotency-key': '"once"' };
      const credit = { points: 10, reason: 'gift' };
      const first = await post(`${contact}/points/credits`, credit, key);
      const again = await post(`${contact}/points/credits`, credit, key);
      expect(again.body).toEqual(first.body);
      expect((await post(`${contact}/points/credits`, { ...credit, points: 11 }, key)).status).toBe(422);
      expect((await post(`${contact}/points/debits`, credit, key)).body).toMatchObject({ balance: 0 });
    });

    it.each<[string, object]>([
      ['/points', { points: 1_000_000_001 }],
      ['/points', { points: 0.5 }],
      ['/reason', { reason: 'Because I say so' }],
      ['/pool', { pool: 'a.b' }],
      ['/pool', { pool: '__proto__' }],
      ['/note', { note: 'x'.repeat(1_001) }],
      ['/expiresAt', { expiresAt: 'never' }],
      ['/occurredAt', { occurredAt: 1 }],
    ])('are refused with what is wrong at %s', async (pointer, fields) => {
      const contact = await register();
      const { status, body } = await post(`${contact}/points/credits`, {
        points: 1,
        reason: 'gift',
        ...fields,
      });
      expect(status).toBe(422);
      expect(pointers(body)).toEqual([pointer]);
    });
  });

  describe('the programme', () => {
    const programme = {
      purchases: [{ currency: 'EUR', points: 1, perMinor: 100, expiresAfter: 'P1Y' }],
      checkIn: { points: 5, cooldown: 'PT1H' },
    };
    const changeTo = (fields: object = {}) => call('PUT', '/programme', { ...programme, ...fields });

    it('is what was put, at once, and what is earned follows it', async () => {
      expect(await changeTo()).toMatchObject({ status: 200, body: programme });
      expect(await call('GET', '/programme')).toMatchObject({
        status: 200,
        body: { ...programme, asOfPosition: '0' },
      });
      const contact = await register();
      const purchase = {
        invoiceNumber: '2026-1',
        amount: { minor: 1_299, currency: 'EUR' },
        locationId: 'l1',
        items: [{ sku: 's-1', quantity: 2, amount: { minor: 600, currency: 'EUR' } }],
      };
      const bought = await post(`${contact}/purchases`, purchase);
      expect(bought).toMatchObject({ status: 201, body: { pointsEarned: 12, balance: 12, pool: 'main' } });
      const again = await post(`${contact}/purchases`, purchase);
      expect(again.body).toEqual(bought.body);
      const otherwise = { ...purchase, amount: { minor: 1, currency: 'EUR' } };
      expect((await post(`${contact}/purchases`, otherwise)).status).toBe(409);
      expect(await post(`${contact}/check-ins`, { checkInId: 'c-1', locationId: 'l1' })).toMatchObject({
        status: 201,
        body: { checkInId: 'c-1', pointsEarned: 5, balance: 17 },
      });
      expect(await post(`${contact}/check-ins`, { locationId: 'l1' })).toMatchObject({
        status: 201,
        body: { checkInId: expect.any(String) as string, pointsEarned: 0, balance: 17 },
      });
      const back = `${contact}/purchases/${bought.body['purchaseId'] as string}/return`;
      expect(await post(back, { reason: 'damaged' })).toMatchObject({
        status: 201,
        body: { pointsTakenBack: 12, balance: 5 },
      });
      expect((await post(back)).status).toBe(409);
      await changeTo({ purchases: [], checkIn: null });
      expect(await post(`${contact}/purchases`, { ...purchase, invoiceNumber: '2026-2' })).toMatchObject({
        body: { pointsEarned: 0, balance: 5 },
      });
    });

    it.each<[object, number]>([
      [{ checkIn: undefined }, 422],
      [{ checkIn: { points: 5, cooldown: 'an hour' } }, 422],
      [{ purchases: [...programme.purchases, ...programme.purchases] }, 422],
      [{ purchases: [{ currency: 'euro', points: 1, perMinor: 100 }] }, 422],
    ])('is refused: %j', async (fields, status) => expect((await changeTo(fields)).status).toBe(status));
  });

  it.each<[string, object]>([
    ['/invoiceNumber', { invoiceNumber: 'x'.repeat(201) }],
    ['/amount/minor', { amount: { minor: -1, currency: 'EUR' } }],
    ['/amount/currency', { amount: { minor: 1, currency: 'eur' } }],
    ['/items', { items: Array.from({ length: 201 }, () => ({ sku: 's', quantity: 1 })) }],
    ['/items/0/quantity', { items: [{ sku: 's', quantity: 0 }] }],
  ])('a purchase is refused with what is wrong at %s', async (pointer, fields) => {
    const purchase = { invoiceNumber: '1', amount: { minor: 1, currency: 'EUR' }, ...fields };
    const { status, body } = await post(`/contacts/${randomUUID()}/purchases`, purchase);
    expect(status).toBe(422);
    expect(pointers(body)).toContain(pointer);
  });

  it('a contact whose erasure has begun is gone for commands that come again, too', async () => {
    const profile = { firstName: 'Once' };
    const keys = Array.from({ length: 4 }, () => ({ 'idempotency-key': randomUUID() }));
    const { body } = await post('/contacts', { profile }, keys[0]);
    const contact = `/contacts/${body['contactId'] as string}`;
    const sale = { invoiceNumber: 'i-1', amount: { minor: 100, currency: 'EUR' } };
    const commands: readonly (() => ReturnType<typeof call>)[] = [
      () => post('/contacts', { profile }, keys[0]),
      () => post(`${contact}/points/credits`, { points: 1, reason: 'gift' }, keys[1]),
      () => post(`${contact}/purchases`, sale, keys[2]),
      () => post(`${contact}/purchases`, sale),
      () => call('PATCH', contact, { profile }, { 'if-match': '"0"' }),
      () => call('DELETE', contact),
      () => call('DELETE', contact, undefined, { 'if-match': '"0"' }),
    ];
    const erase = (): ReturnType<typeof call> => call('DELETE', contact, undefined, keys[3]);
    for (const send of commands.slice(1, 4)) expect((await send()).status).toBe(201);
    const erasure = await erase();
    expect(erasure.status).toBe(202);
    for (const send of commands) {
      const again = await send();
      expect(again).toMatchObject({ status: 410, body: { code: 'contacts.erased' } });
      expect(again.headers['idempotency-replayed']).toBeUndefined();
    }
    expect(await erase()).toMatchObject({
      status: 202,
      body: erasure.body,
      headers: { 'idempotency-replayed': 'true' },
    });
  });

  it('consents, devices and messages go together', async () => {
    const contact = await register();
    const message = { channel: 'inbox', purpose: 'news', subject: 'New', body: 'We have cake.' };
    expect(await post(`${contact}/messages`, message)).toMatchObject({
      status: 409,
      body: { code: 'contacts.no-consent', purpose: 'news', channel: 'inbox' },
    });
    const consent = await call('PUT', `${contact}/consents/news`, {
      granted: true,
      source: 'app',
      wordingVersion: '3',
    });
    expect(consent).toMatchObject({ status: 200, body: { purpose: 'news', granted: true, revision: 1 } });
    expect(
      (await call('PUT', `${contact}/consents/No%20News`, { granted: true, source: 'app' })).status,
    ).toBe(422);
    expect(await post(`${contact}/messages`, message)).toMatchObject({
      status: 202,
      body: { messageId: expect.any(String) as string, channel: 'inbox' },
    });
    expect((await post(`${contact}/messages`, { ...message, purpose: 'service' })).status).toBe(202);
    expect(await post(`${contact}/messages`, { ...message, channel: 'push' })).toMatchObject({
      status: 409,
      body: { code: 'messaging.no-gateway', channel: 'push' },
    });
    expect(await post(`${contact}/messages`, { ...message, templateId: 't' })).toMatchObject({
      status: 422,
      body: { code: 'messaging.unknown-template' },
    });
    expect((await post(`${contact}/messages`, { ...message, body: '' })).status).toBe(422);
    const device = await post(`${contact}/devices`, { platform: 'ios', model: 'Phone 9', pushToken: 'abc' });
    expect(device).toMatchObject({ status: 201, body: { deviceId: expect.any(String) as string } });
    const path = `${contact}/devices/${device.body['deviceId'] as string}`;
    expect((await call('DELETE', path)).status).toBe(200);
    expect((await call('DELETE', path)).status).toBe(404);
  });

  it('every command on an unknown contact is a 404, and writes nothing', async () => {
    const contact = `/contacts/${randomUUID()}`;
    const calls = [
      post(`${contact}/points/credits`, { points: 1, reason: 'gift' }),
      post(`${contact}/points/debits`, { points: 1, reason: 'gift' }),
      post(`${contact}/check-ins`, {}),
      post(`${contact}/purchases`, { invoiceNumber: '1', amount: { minor: 1, currency: 'EUR' } }),
      post(`${contact}/messages`, { channel: 'inbox', purpose: 'service', body: 'Hello' }),
      post(`${contact}/devices`, { platform: 'ios' }),
      call('PUT', `${contact}/consents/news`, { granted: true, source: 'app' }),
      call('PATCH', contact, { profile: { email: newEmail() } }),
    ];
    for (const { status, body } of await Promise.all(calls)) {
      expect({ status, code: body['code'] }).toEqual({ status: 404, code: 'contacts.not-found' });
    }
    expect(
      (await post('/contacts', { profile: {}, contactId: contact.split('/')[2] })).body['revision'],
    ).toBe(0);
  });
});

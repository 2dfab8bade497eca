import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Body,
  Controller,
  Delete,
  Get,
  Global,
  HttpCode,
  Injectable,
  Module,
  Patch,
  Post,
  Query,
  Res,
  StreamableFile,
} from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApiProduces } from '@nestjs/swagger';
import {
  DomainError,
  SystemClock,
  Clock,
  type Actor,
  type CommandContext,
  type Outcome,
  type Role,
} from '@app/kernel';
import { Secrets } from '@app/personal-data';
import { IdempotencyConflictError, StaleRevisionError, UnknownOutcomeError } from '@app/event-store';
import { ReadBehindError } from '@app/read-store';
import { eventually, KeptAccessLog } from '@app/testing';
import {
  Access,
  AccessLog,
  Authenticator,
  Context,
  createHttpApplication,
  CursorCodec,
  HttpModule,
  IsCalendarDate,
  IsFlag,
  IsForeignKey,
  IsJsonObject,
  IsListOf,
  IsListOfValues,
  IsNested,
  IsOneOf,
  IsRecordOf,
  IsRfc3339,
  IsSlug,
  IsText,
  IsUuid,
  IsWholeNumber,
  Location,
  MinPosition,
  MoneyDto,
  newEntityId,
  PageQueryDto,
  Public,
  Readiness,
  rules,
  SseStreams,
  UndeclaredAccessError,
  UuidParam,
  type HttpReply,
} from './index';

class ItemDto {
  @IsForeignKey() readonly sku!: string;
  @IsWholeNumber({ min: 1, max: 1000, optional: true }) readonly count: number = 1;
}

class ProfileDto {
  @IsText({ max: 100, optional: true, nullable: true }) readonly firstName?: string | null;
  @IsCalendarDate({ optional: true, nullable: true }) readonly birthday?: string | null;
}

class ThingDto {
  @IsWholeNumber({ min: 1, max: 1_000_000_000 }) readonly points!: number;
  @IsSlug() readonly reason!: string;
  @IsRfc3339({ optional: true }) readonly occurredAt?: string;
  @IsUuid({ optional: true }) readonly thingId?: string;
  @IsNested(() => MoneyDto, { optional: true }) readonly amount?: MoneyDto;
  @IsNested(() => ProfileDto, { optional: true }) readonly profile?: ProfileDto;
  @IsListOf(() => ItemDto, { max: 3, optional: true }) readonly items?: ItemDto[];
  @IsListOfValues(rules.slug, { max: 3, optional: true }) readonly tags?: string[];
  @IsRecordOf(rules.text({ max: 10 }), { keys: /^[a-z]{1,10}$/, max: 2, optional: true })
  readonly extra?: Record<string, string>;
  @IsOneOf(['a', 'b'], { optional: true }) readonly choice?: string;
}

class ListDto extends PageQueryDto {
  @IsFlag({ optional: true }) readonly count?: boolean;
  @IsJsonObject({ optional: true }) readonly filter?: object;
  @IsListOfValues(rules.slug, { max: 3, optional: true }) readonly tag?: string[];
}

class OverdraftError extends DomainError {
  readonly code = 'things.overdraft';
  readonly kind = 'conflict';
  override readonly pointer = '/points';
  override readonly details = { balance: 7 };
}

const failures: Record<string, () => Error> = {
  overdraft: () => new OverdraftError('The balance is 7.'),
  stale: () => new StaleRevisionError(1, 2),
  reused: () => new IdempotencyConflictError(),
  unknown: () => new UnknownOutcomeError('?'),
  behind: () => new ReadBehindError(1n, 2n),
  bug: () => new TypeError('canary@example.com'),
};

class ThingErasedError extends DomainError {
  readonly code = 'things.erased';
  readonly kind = 'gone';
}

class UnknownContactError extends DomainError {
  readonly code = 'contacts.not-found';
  readonly kind = 'not-found';
}

const accessLog = new KeptAccessLog();
/** Ends the operator's key while it is set. */
let revoked = false;

let seen: unknown;
let replayed = false;
let unchanged = false;
let refusal: Error | undefined;
let rows: object[] = [];

@Controller('contacts')
class ThingsController {
  constructor(private readonly streams: SseStreams) {}

  @Post()
  @Access({ roles: ['operator'], action: 'contact.command', command: 'MakeThing' })
  @Location('/v1/contacts/:thingId')
  make(@Body() body: ThingDto, @Context() context: CommandContext): Outcome {
    seen = { body, context };
    return {
      answer: { thingId: newEntityId(context, 'thing') },
      revision: 7,
      position: 2n ** 60n,
      replayed,
      ...(unchanged && { unchanged }),
    };
  }

  @Patch(':thingId')
  @Access({ roles: ['operator'], action: 'contact.command', command: 'ChangeThing' })
  change(
    @UuidParam('thingId') thingId: string,
    @Body() body: ThingDto,
    @Context() context: CommandContext,
  ): Outcome {
    if (refusal) throw refusal;
    seen = { thingId, body, context };
    return { answer: {}, revision: 8, position: 1n, replayed: false };
  }

  @Delete(':thingId')
  @HttpCode(200)
  @Access({ roles: [], action: 'contact.command', command: 'DropThing' })
  drop(@UuidParam('thingId') thingId: string, @Context() context: CommandContext): Outcome {
    seen = { thingId, context };
    return { answer: {}, revision: 8, position: 1n, replayed: false };
  }

  @Get()
  @Access({ roles: ['operator', 'analyst'], action: 'contact.list' })
  list(@Query() query: ListDto, @MinPosition() minPosition?: bigint): object {
    seen = { query, minPosition };
    return { items: rows, nextCursor: null, asOfPosition: String(minPosition ?? 0n) };
  }

  @Get('live')
  @ApiProduces('text/event-stream')
  @Access({ roles: ['operator'], action: 'activity.view' })
  async live(@Res() reply: HttpReply): Promise<void> {
    const stream = await this.streams.start(reply);
    await stream.send({ id: '12', event: 'item', data: { line: 'a\nb' } });
  }

  @Get('failing/:how')
  @Public()
  async fail(@Query('how') how: string): Promise<never> {
    if (how === 'slow') await sleep(10_000, undefined, { ref: false });
    throw failures[how]!();
  }

  @Get(':thingId')
  @Access({ roles: ['operator'], action: 'contact.view' })
  read(@UuidParam('thingId') thingId: string): object {
    if (refusal) throw refusal;
    return { thingId, revision: 3 };
  }

  @Get(':contactId/file')
  @ApiProduces('text/plain')
  @Access({ roles: ['operator'], action: 'contact.export' })
  file(@UuidParam('contactId') contactId: string): StreamableFile {
    if (refusal) throw refusal;
    return new StreamableFile(Buffer.from(`file of ${contactId}`), { type: 'text/plain' });
  }

  @Get(':contactId/profile')
  @Access({ roles: ['operator'], action: 'contact.view' })
  profile(@UuidParam('contactId') contactId: string): object {
    return { contactId, profile: { firstName: 'canary', address: { city: 'canary' } }, asOfPosition: '1' };
  }

  @Get('tree/tile')
  @Access({ roles: ['auditor'], action: 'log.read', unlogged: true })
  tile(): string {
    return 'tile';
  }
}

@Controller('contacts')
class UndeclaredController {
  @Get('undeclared')
  read(): object {
    return {};
  }
}

const ROLES: readonly Role[] = ['operator', 'analyst', 'auditor', 'admin'];

@Injectable()
class KeyedByRole extends Authenticator {
  authenticate(key: string): Actor | null {
    if (revoked && key === 'key-of-operator') return null;
    const role = ROLES.find((name) => key === `key-of-${name}`);
    return role ? { id: `id-of-${role}`, role, method: 'api-key' } : null;
  }
}

@Global()
@Module({
  providers: [
    { provide: Authenticator, useClass: KeyedByRole },
    { provide: Clock, useClass: SystemClock },
    { provide: AccessLog, useValue: accessLog },
    { provide: Secrets, useValue: { derive: (label: string) => Buffer.alloc(32, label) } },
    { provide: Readiness, useValue: { report: async () => ({ ready: true, parts: {}, lag: '0' }) } },
  ],
  exports: [Authenticator, AccessLog, Clock, Secrets, Readiness],
})
class ProvidersModule {}

@Module({ imports: [ProvidersModule, HttpModule], controllers: [ThingsController] })
class TestModule {}

@Module({ imports: [ProvidersModule, HttpModule], controllers: [UndeclaredController] })
class UndeclaredModule {}

const logged: unknown[] = [];
const log = (message: unknown): void => void logged.push(message);
const logger = { log: () => undefined, error: log, warn: log, fatal: log };

const ID = '0b8f7a4e-8f0e-4f1c-9d7e-0a4b5c6d7e8f';
const good = { points: 5, reason: 'welcome' };
const operator = { authorization: 'Bearer key-of-operator' };

describe('the HTTP application', () => {
  let app: NestFastifyApplication;

  beforeAll(async () => {
    app = await createHttpApplication(TestModule, { logger, requestTimeMs: 300 });
    await app.listen(0, '127.0.0.1');
  });
  afterAll(() => app.close());
  beforeEach(() => {
    seen = undefined;
    replayed = false;
    unchanged = false;
    refusal = undefined;
    rows = [];
    accessLog.records.length = 0;
    logged.length = 0;
  });

  type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT';
  const call = async (
    method: Method,
    url: string,
    payload?: object | string | Buffer,
    headers: Record<string, string> = {},
  ) => {
    const answer = await app.inject({
      method,
      url,
      headers: {
        ...operator,
        ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(payload === undefined ? {} : { payload: payload as object }),
    });
    const body = answer.body === '' ? undefined : (answer.json() as Record<string, unknown>);
    if (answer.statusCode >= 400) {
      expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
      expect(body).toMatchObject({
        type: expect.stringMatching(/^https:\/\/.+/),
        title: expect.any(String),
        status: answer.statusCode,
        detail: expect.any(String),
        instance: url.split('?')[0],
        code: expect.any(String),
        requestId: expect.any(String),
      });
      if (![500].includes(answer.statusCode))
        expect(seen === undefined || url.includes('failing')).toBe(true);
    }
    return { status: answer.statusCode, headers: answer.headers, body };
  };
  const make = (payload: object | string | Buffer, headers?: Record<string, string>) =>
    call('POST', '/v1/contacts', payload, headers);

  describe('the privacy log', () => {
    const records = () => accessLog.records;
    const auditor = { authorization: 'Bearer key-of-auditor' };

    it('is told who saw whom, and the names of what was shown, before the answer leaves', async () => {
      await call('GET', `/v1/contacts/${ID.toUpperCase()}/profile`, undefined, {
        'regulars-on-behalf-of': 'till-3',
        'regulars-purpose': 'support',
        'x-request-id': ID,
      });
      expect(records()).toEqual([
        {
          // Not the request's id, which this client chose.
          recordId: expect.not.stringContaining(ID),
          actor: { id: 'id-of-operator', role: 'operator', method: 'api-key' },
          onBehalfOf: 'till-3',
          purpose: 'support',
          correlationId: ID,
          at: expect.stringMatching(/^\d{4}-.*Z$/),
          action: 'contact.view',
          outcome: 'allowed',
          subjects: [ID],
          subjectCount: 1,
          fields: ['profile.firstName', 'profile.address'],
          network: '127.0.0.0/24',
        },
      ]);
    });

    it('holds the people of a list, its filter unreadable, and how many rows', async () => {
      rows = Array.from({ length: 120 }, (_, n) => ({
        contactId: ID.replace(/^.{4}/, n.toString(16).padStart(4, '0')),
        email: 'canary',
      }));
      await call('GET', '/v1/contacts?filter={"name":"canary"}&limit=5');
      await call('GET', '/v1/contacts?limit=7&filter={"name":"canary"}');
      await call('GET', '/v1/contacts?filter={"name":"other"}');
      const [first, again, other] = records();
      expect(first).toMatchObject({
        subjectCount: 120,
        rows: 120,
        fields: ['email'],
        action: 'contact.list',
      });
      expect(first?.subjects).toHaveLength(100);
      expect(first?.subjectsHash).toMatch(/^[A-Za-z0-9+/]{43}=$/);
      expect(first?.query).toMatch(/^[A-Za-z0-9_-]{22}$/);
      expect(again?.query).toBe(first?.query);
      expect(other?.query).not.toBe(first?.query);
      expect(JSON.stringify(records())).not.toContain('canary');
    });

    it('is told of what was denied, to commands and to reads alike', async () => {
      expect((await call('DELETE', `/v1/contacts/${ID}`)).status).toBe(403);
      expect((await call('GET', `/v1/contacts/${ID}/profile`, undefined, auditor)).status).toBe(403);
      expect(records()).toMatchObject([
        { outcome: 'denied', action: 'contact.command', command: 'DropThing', subjects: [] },
        { outcome: 'denied', action: 'contact.view', actor: { role: 'auditor' }, subjects: [ID], fields: [] },
      ]);
    });

    it('leaves commands to their events, but for those that left none', async () => {
      await make(good);
      expect(records()).toEqual([]);
      replayed = true;
      await make(good);
      replayed = false;
      unchanged = true;
      await make(good);
      expect(records()).toMatchObject([
        { outcome: 'allowed', command: 'MakeThing' },
        { outcome: 'allowed', command: 'MakeThing' },
      ]);
    });

    it.each<[string, () => Error, number]>([
      ['a rule', () => new OverdraftError('The balance is 7.'), 409],
      ['another revision', () => new StaleRevisionError(1, 2), 412],
      ['an erasure', () => new ThingErasedError('It is gone.'), 410],
    ])('is told of a command that %s refused', async (_, error, status) => {
      refusal = error();
      expect((await call('PATCH', `/v1/contacts/${ID}`, good)).status).toBe(status);
      expect(records()).toMatchObject([{ outcome: 'failed', command: 'ChangeThing' }]);
    });

    it.each<[string, () => Error]>([
      ['nobody is there', () => new UnknownContactError('There is no such contact.')],
      ['nobody knows', () => new UnknownOutcomeError('?')],
      ['a store is away', () => new ReadBehindError(1n, 2n)],
    ])('is told nothing of a command where %s', async (_, error) => {
      refusal = error();
      await call('PATCH', `/v1/contacts/${ID}`, good);
      await call('PATCH', `/v1/contacts/${ID}`, { points: 'x' });
      expect(records()).toEqual([]);
    });

    it('is told of a look at what is not there', async () => {
      refusal = new UnknownContactError('There is no such contact.');
      await call('GET', `/v1/contacts/${ID}`);
      expect(records()).toMatchObject([{ outcome: 'failed', action: 'contact.view' }]);
    });

    it('is told of files, feeds and HEAD, and of nothing that has no key', async () => {
      await app.inject({ method: 'GET', url: `/v1/contacts/${ID}/file`, headers: operator });
      await app.inject({ method: 'HEAD', url: `/v1/contacts/${ID}/profile`, headers: operator });
      expect(records()).toMatchObject([
        { action: 'contact.export', outcome: 'allowed', subjects: [ID] },
        { action: 'contact.view', outcome: 'allowed', subjects: [ID] },
      ]);
      accessLog.records.length = 0;
      const none = { authorization: 'Bearer nobody' };
      expect((await call('GET', '/v1/contacts', undefined, none)).status).toBe(401);
      await app.inject({ url: '/health/live' });
      await app.inject({ url: '/v1/nowhere', headers: operator });
      expect(records()).toEqual([]);
      const figures = await app.inject({ url: '/metrics' });
      expect(figures.body).toMatch(/^regulars_unauthenticated_requests_total [1-9]/m);
    });

    it('is not told of parts of its own tree, unless they are denied', async () => {
      const read = async (headers: Record<string, string>) =>
        (await app.inject({ url: '/v1/contacts/tree/tile', headers })).statusCode;
      expect([await read(auditor), await read(operator)]).toEqual([200, 403]);
      expect(records()).toMatchObject([{ outcome: 'denied', action: 'log.read' }]);
    });

    it('keeps everything back that it cannot record', async () => {
      accessLog.failure = new ReadBehindError(1n, 2n);
      try {
        for (const path of ['/profile', '/file']) {
          const answer = await app.inject({ url: `/v1/contacts/${ID}${path}`, headers: operator });
          expect([
            answer.statusCode,
            answer.body.includes('canary') || answer.body.includes('file of'),
          ]).toEqual([503, false]);
          expect(answer.headers['content-type']).toContain('application/problem+json');
        }
        expect((await app.inject({ url: '/v1/contacts/live', headers: operator })).statusCode).toBe(503);
        expect((await app.inject({ url: '/v1/contacts/live', headers: auditor })).statusCode).toBe(503);
      } finally {
        accessLog.failure = undefined;
      }
    });
  });

  it('ends a live feed when its key has ended', async () => {
    const answer = await fetch(`${await app.getUrl()}/v1/contacts/live`, { headers: operator });
    expect(answer.status).toBe(200);
    expect(accessLog.records).toMatchObject([{ action: 'activity.view', outcome: 'allowed' }]);
    revoked = true;
    try {
      // Ends by itself: the feed has nothing more to send.
      expect(await answer.text()).toContain('id: 12');
      await eventually('the feed is closed', () => app.get(SseStreams).size === 0);
    } finally {
      revoked = false;
    }
  });

  describe('a command', () => {
    it('is answered with revision, position, ETag and Location', async () => {
      const { status, headers, body } = await make(good);
      expect(status).toBe(201);
      expect(body).toEqual({ thingId: expect.any(String), revision: 7, position: '1152921504606846976' });
      expect(headers).toMatchObject({ etag: '"7"', location: `/v1/contacts/${String(body?.['thingId'])}` });
      expect(headers['idempotency-replayed']).toBeUndefined();
    });

    it('says when its answer is that of an earlier one', async () => {
      replayed = true;
      expect((await make(good)).headers['idempotency-replayed']).toBe('true');
    });

    const contextOf = async (
      headers: Record<string, string>,
      url = '/v1/contacts',
      method: Method = 'POST',
    ) => {
      expect((await call(method, url, good, headers)).status).toBeLessThan(300);
      return (seen as { context: CommandContext }).context;
    };

    it('carries who acts and what was said about it', async () => {
      const requestId = 'AAAAAAAA-8f0e-4f1c-9d7e-0a4b5c6d7e8f';
      expect(
        await contextOf({
          'if-match': '"7"',
          'regulars-on-behalf-of': 'till-3',
          'regulars-purpose': 'support',
          'x-request-id': requestId,
        }),
      ).toMatchObject({
        actor: { id: 'id-of-operator', role: 'operator', method: 'api-key' },
        expectedRevision: 7,
        onBehalfOf: 'till-3',
        purpose: 'support',
        correlationId: requestId.toLowerCase(),
        network: '127.0.0.0/24',
        repeatable: false,
      });
    });

    it('has the same id for the same key on the same route, and another for any other', async () => {
      const id = async (...args: Parameters<typeof contextOf>) => (await contextOf(...args)).commandId;
      const first = await id({ 'idempotency-key': '"k 1"' });
      expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(await id({ 'idempotency-key': '"k 1"' })).toBe(first);
      const others = [
        await id({ 'idempotency-key': 'k1' }),
        await id({ 'idempotency-key': '"k 1"', authorization: 'Bearer key-of-admin' }),
        await id({ 'idempotency-key': '"k 1"' }, `/v1/contacts/${ID}`, 'PATCH'),
        await id({ 'idempotency-key': '"k 1"' }, `/v1/contacts/${ID.replace('0b', '0c')}`, 'PATCH'),
        await id({}),
        await id({}),
      ];
      expect(new Set([first, ...others]).size).toBe(7);
      expect(await id({ 'idempotency-key': '"k 1"' }, `/v1/contacts/${ID.toUpperCase()}`, 'PATCH')).toBe(
        others[2],
      );
    });

    it('gives what it creates the same id again', async () => {
      const headers = { 'idempotency-key': 'again' };
      const [first, second] = [await make(good, headers), await make(good, headers)];
      expect(second.body).toEqual(first.body);
      expect((await make(good)).body).not.toEqual((await make(good)).body);
    });

    it.each([
      ['idempotency-key', '""'],
      ['idempotency-key', '"a'],
      ['idempotency-key', 'two words'],
      ['idempotency-key', '"a";p=1'],
      ['idempotency-key', 'a, b'],
      ['idempotency-key', 'k'.repeat(256)],
      ['if-match', '7'],
      ['if-match', 'W/"7"'],
      ['if-match', '"7", "8"'],
      ['if-match', '"-1"'],
      ['if-match', '"x"'],
      ['regulars-on-behalf-of', 'Jane Doe'],
      ['regulars-purpose', 'p'.repeat(65)],
    ])('is refused with a malformed header %s: %s', async (name, value) =>
      expect((await make(good, { [name]: value })).status).toBe(400),
    );
  });

  describe('a body', () => {
    it('is handed on as its DTO, in canonical form, with what was sent and no more', async () => {
      await make({
        ...good,
        occurredAt: '2026-01-31T13:00:00.123456+01:00',
        thingId: ID.toUpperCase(),
        amount: { minor: 1250, currency: 'EUR' },
        profile: { firstName: null, birthday: '2000-02-29' },
        items: [{ sku: 'a' }, { sku: 'b', count: 2 }],
        tags: ['x'],
        extra: { k: 'v' },
      });
      const { body } = seen as { body: ThingDto };
      expect(body).toBeInstanceOf(ThingDto);
      expect(body.items?.[0]).toBeInstanceOf(ItemDto);
      expect(JSON.parse(JSON.stringify(body))).toEqual({
        ...good,
        occurredAt: '2026-01-31T12:00:00.123Z',
        thingId: ID,
        amount: { minor: 1250, currency: 'EUR' },
        profile: { firstName: null, birthday: '2000-02-29' },
        items: [
          { sku: 'a', count: 1 },
          { sku: 'b', count: 2 },
        ],
        tags: ['x'],
        extra: { k: 'v' },
      });
      await make(good);
      expect(Object.keys((seen as { body: object }).body)).toEqual(['points', 'reason']);
    });

    it.each<[string, string | Buffer, number, string]>([
      ['malformed JSON', '{"points": 5,', 400, 'malformed-json'],
      ['no JSON at all', 'canary@example.com', 400, 'malformed-json'],
      ['invalid UTF-8', Buffer.from('7b22726561736f6e223a22c328227d', 'hex'), 400, 'invalid-utf8'],
      ['__proto__', '{"points":5,"reason":"a","__proto__":{"x":1}}', 400, 'malformed-json'],
      ['an escaped __proto__', '{"points":5,"reason":"a","__pr\\u006fto__":{"x":1}}', 400, 'malformed-json'],
      [
        'constructor.prototype',
        '{"points":5,"reason":"a","constructor":{"prototype":{}}}',
        400,
        'malformed-json',
      ],
      ['65 levels', `{"profile":${'['.repeat(64)}${']'.repeat(64)}}`, 400, 'json-too-deep'],
      ['100,000 levels', '['.repeat(100_000), 400, 'json-too-deep'],
      [
        'more than 1 MiB',
        JSON.stringify({ ...good, reason: 'a'.repeat(1024 * 1024) }),
        413,
        'body-too-large',
      ],
    ])('is refused with %s', async (_, payload, status, code) => {
      const answer = await make(payload);
      expect(answer).toMatchObject({ status, body: { code } });
      expect(JSON.stringify(answer.body)).not.toContain('canary');
    });

    it.each([
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/json; charset=latin1',
      'multipart/form-data',
    ])('is refused as %s', async (type) =>
      expect((await make('points=5', { 'content-type': type })).status).toBe(415),
    );

    it('may nest 64 levels where nothing else forbids it', async () =>
      expect((await make(`{"profile":${'['.repeat(63)}${']'.repeat(63)}}`)).status).toBe(422));

    it.each<[string, unknown, string, string]>([
      ['text for a number', { ...good, points: '12' }, '/points', 'whole-number'],
      ['a fraction', { ...good, points: 1.5 }, '/points', 'whole-number'],
      ['a negative number', { ...good, points: -1 }, '/points', 'whole-number'],
      ['a huge number', { ...good, points: 1e21 }, '/points', 'whole-number'],
      ['an operator for a number', { ...good, points: { $gt: 0 } }, '/points', 'whole-number'],
      ['an operator for a text', { ...good, reason: { $gt: '' } }, '/reason', 'slug'],
      ['a list for a text', { ...good, reason: ['a'] }, '/reason', 'slug'],
      ['null where it is not taken', { ...good, reason: null }, '/reason', 'slug'],
      ['a missing field', { points: 1 }, '/reason', 'slug'],
      ['an unknown field', { ...good, pints: 1 }, '/pints', 'unknown-field'],
      [
        'an unknown field named like a method',
        { ...good, hasOwnProperty: 1 },
        '/hasOwnProperty',
        'unknown-field',
      ],
      ['an unknown field named constructor', { ...good, constructor: 1 }, '/constructor', 'unknown-field'],
      ['a name that needs escaping', { ...good, 'a/b~c': 1 }, '/a~1b~0c', 'unknown-field'],
      ['a list for an object', { ...good, amount: [{ minor: 1, currency: 'EUR' }] }, '/amount', 'object'],
      ['a text for an object', { ...good, amount: 'EUR' }, '/amount', 'object'],
      [
        'a nested wrong type',
        { ...good, amount: { minor: '1', currency: 'EUR' } },
        '/amount/minor',
        'whole-number',
      ],
      [
        'a nested unknown field',
        { ...good, amount: { minor: 1, currency: 'EUR', x: 1 } },
        '/amount/x',
        'unknown-field',
      ],
      ['a nested missing field', { ...good, amount: { minor: 1 } }, '/amount/currency', 'currency'],
      ['a wrong item', { ...good, items: [{ sku: 'a' }, { sku: '' }] }, '/items/1/sku', 'foreign-key'],
      ['an item that is no object', { ...good, items: [[{ sku: 'a' }]] }, '/items', 'list'],
      ['too many items', { ...good, items: Array(4).fill({ sku: 'a' }) }, '/items', 'list'],
      ['an object for a list', { ...good, items: { 0: { sku: 'a' } } }, '/items', 'list'],
      ['a wrong value in a list', { ...good, tags: ['ok', 'Not ok'] }, '/tags', 'list'],
      ['a wrong key in a record', { ...good, extra: { $where: '1' } }, '/extra', 'record'],
      [
        'a date that does not exist',
        { ...good, profile: { birthday: '2023-02-29' } },
        '/profile/birthday',
        'date',
      ],
      [
        'a time that does not exist',
        { ...good, occurredAt: '2023-02-29T12:00:00Z' },
        '/occurredAt',
        'rfc3339',
      ],
      ['a time without offset', { ...good, occurredAt: '2023-02-28T12:00:00' }, '/occurredAt', 'rfc3339'],
      [
        'half a character',
        '{"points":1,"reason":"a","profile":{"firstName":"\\ud800"}}',
        '/profile/firstName',
        'text',
      ],
      ['a control character', { ...good, profile: { firstName: 'a\u0000' } }, '/profile/firstName', 'text'],
      ['a choice that is none', { ...good, choice: 'toString' }, '/choice', 'one-of'],
      ['no object', [good], '', 'object'],
      ['null', 'null', '', 'object'],
    ])('is refused with %s', async (_, payload, pointer, code) => {
      const { status, body } = await make(payload as object);
      expect(status).toBe(422);
      expect(body).toMatchObject({
        code: 'invalid-input',
        errors: [{ pointer, code, detail: expect.any(String) }],
      });
    });

    it('is told everything that is wrong with it at once, up to a limit', async () => {
      const { body } = await make({ points: 0, reason: '', x: 1 });
      expect((body?.['errors'] as { pointer: string }[]).map(({ pointer }) => pointer).sort()).toEqual([
        '/points',
        '/reason',
        '/x',
      ]);
      const many = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`x${n}`, n]));
      expect(((await make(many)).body?.['errors'] as unknown[]).length).toBeLessThanOrEqual(50);
    });

    it('is refused where the route takes none', async () => {
      const admin = { authorization: 'Bearer key-of-admin' };
      expect((await call('DELETE', `/v1/contacts/${ID}`, { x: 1 }, admin)).status).toBe(422);
      expect((await call('DELETE', `/v1/contacts/${ID}`, [], admin)).status).toBe(422);
      expect((await call('DELETE', `/v1/contacts/${ID}`, {}, admin)).status).toBe(200);
      expect((await call('DELETE', `/v1/contacts/${ID}`, undefined, admin)).status).toBe(200);
    });
  });

  describe('a query string', () => {
    it('is read as its DTO says', async () => {
      const filter = encodeURIComponent('{"a":1}');
      expect(
        (await call('GET', `/v1/contacts?limit=20&count=true&tag=a&filter=${filter}&minPosition=5`)).status,
      ).toBe(200);
      expect(seen).toEqual({
        query: expect.objectContaining({ limit: 20, count: true, tag: ['a'], filter: { a: 1 } }),
        minPosition: 5n,
      });
      await call('GET', '/v1/contacts?tag=a&tag=b');
      expect(seen).toEqual({
        query: expect.objectContaining({ limit: 50, tag: ['a', 'b'] }),
        minPosition: undefined,
      });
    });

    it.each([
      ['limit=0', '/limit'],
      ['limit=501', '/limit'],
      ['limit=ten', '/limit'],
      ['limit=1&limit=2', '/limit'],
      ['limit=1e1', '/limit'],
      ['limit=', '/limit'],
      ['count=1', '/count'],
      ['filter=%7B', '/filter'],
      ['filter=[]', '/filter'],
      ['filter[$gt]=1', '/filter[$gt]'],
      ['tag=A', '/tag'],
      ['sorted=1', '/sorted'],
      ['minPosition=-1', '/minPosition'],
      ['minPosition=1&minPosition=2', '/minPosition'],
      ['minPosition=9223372036854775808', '/minPosition'],
      ['minPosition=', '/minPosition'],
    ])('is refused with %s', async (query, pointer) => {
      const { status, body } = await call('GET', `/v1/contacts?${query}`);
      expect(status).toBe(422);
      expect(body).toMatchObject({ errors: [{ pointer, in: 'query' }] });
    });

    it('is refused where the route takes none', async () =>
      expect((await call('GET', `/v1/contacts/${ID}?minPosition=1`)).status).toBe(422));
  });

  describe('a path', () => {
    it('holds ids in any case', async () =>
      expect((await call('GET', `/v1/contacts/${ID.toUpperCase()}`)).body).toEqual({
        thingId: ID,
        revision: 3,
      }));

    it('is refused with what is no id', async () =>
      expect((await call('GET', '/v1/contacts/7')).body).toMatchObject({
        status: 422,
        errors: [{ pointer: '/thingId', in: 'path' }],
      }));

    it('that leads nowhere is 404, and one that takes another method 405', async () => {
      expect((await call('GET', '/v1/nothing')).body).toMatchObject({ code: 'route-not-found' });
      expect((await call('GET', '/nothing')).status).toBe(404);
      const { status, headers } = await call('PUT', `/v1/contacts/${ID}`);
      expect([status, headers['allow']]).toEqual([405, 'DELETE, GET, HEAD, PATCH']);
    });

    it('that is no path is 400', async () =>
      expect((await call('GET', '/v1/contacts/%zz')).status).toBe(400));

    it('has an ETag where it names a contact', async () =>
      expect((await call('GET', `/v1/contacts/${ID}`)).headers).toMatchObject({
        etag: '"3"',
        'cache-control': 'no-store',
      }));
  });

  describe('access', () => {
    it.each([
      '',
      'Bearer',
      'Bearer wrong',
      'Basic a2V5',
      'key-of-operator',
      'Bearer key-of-operator,key-of-admin',
    ])('is refused to %p', async (authorization) => {
      const { status, headers } = await make(good, { authorization });
      expect(status).toBe(401);
      expect(headers['www-authenticate']).toMatch(/^Bearer realm="regulars"/);
    });

    it('is refused without a key', async () => {
      const answer = await app.inject({ method: 'GET', url: '/v1/contacts' });
      expect([answer.statusCode, answer.headers['www-authenticate']]).toEqual([
        401,
        'Bearer realm="regulars"',
      ]);
    });

    const routes: [Method, string, object | undefined, Role[]][] = [
      ['POST', '/v1/contacts', good, ['operator', 'admin']],
      ['GET', '/v1/contacts', undefined, ['operator', 'analyst', 'admin']],
      ['GET', `/v1/contacts/${ID}`, undefined, ['operator', 'admin']],
      ['DELETE', `/v1/contacts/${ID}`, undefined, ['admin']],
    ];
    it.each(routes)('to %s %s is given by role', async (method, url, payload, allowed) => {
      for (const role of ROLES) {
        seen = undefined;
        const { status } = await call(method, url, payload, { authorization: `Bearer key-of-${role}` });
        expect([role, status < 300 ? 'allowed' : status]).toEqual([
          role,
          allowed.includes(role) ? 'allowed' : 403,
        ]);
      }
    });

    it('must be declared by every route', async () =>
      expect(createHttpApplication(UndeclaredModule, { logger })).rejects.toThrow(UndeclaredAccessError));
  });

  describe('an error', () => {
    const fail = (how: string) => call('GET', `/v1/contacts/failing/x?how=${how}`);

    it.each([
      ['overdraft', 409, { code: 'things.overdraft', balance: 7, errors: [{ pointer: '/points' }] }],
      ['stale', 412, { code: 'stale-revision' }],
      ['reused', 422, { code: 'idempotency.payload-differs' }],
      ['unknown', 503, { code: 'outcome-unknown' }],
      ['behind', 503, { code: 'reads.behind', minPosition: '2' }],
      ['slow', 503, { code: 'timeout' }],
      ['bug', 500, { code: 'internal' }],
    ])('%s is a problem with status %i', async (how, status, body) => {
      const answer = await fail(how);
      expect(answer).toMatchObject({ status, body });
      expect(answer.headers['retry-after']).toBe(status === 503 ? '1' : undefined);
      expect(JSON.stringify(answer.body)).not.toMatch(/canary|\.ts|\.js/);
    });

    it('of ours is logged, one of the caller is not', async () => {
      await fail('overdraft');
      expect(logged).toEqual([]);
      await fail('bug');
      expect(logged).toHaveLength(1);
    });

    it('in the protocol itself is a problem too', async () => {
      const { port } = app.getHttpServer().address() as { port: number };
      const socket = connect(port, '127.0.0.1');
      socket.write('nonsense\r\n\r\n');
      let text = '';
      for await (const chunk of socket.setEncoding('utf8')) text += chunk as string;
      expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
      expect(JSON.parse(text.split('\r\n\r\n')[1]!)).toMatchObject({ status: 400, code: 'bad-request' });
    });
  });

  describe('operation', () => {
    const text = async (url: string) => (await app.inject({ method: 'GET', url })).body;

    it('has health and figures without a key', async () => {
      expect(JSON.parse(await text('/health/live'))).toEqual({ status: 'live' });
      expect(JSON.parse(await text('/health/ready'))).toMatchObject({ ready: true });
      await make(good);
      const figures = await text('/metrics');
      expect(figures).toContain(
        'regulars_http_request_duration_seconds_bucket{le="0.005",method="POST",route="/v1/contacts"',
      );
      expect(figures).toMatch(/regulars_commands_total\{command="MakeThing",outcome="done"\} \d+/);
      expect(figures).not.toContain(ID);
    });
  });

  describe('a stream of events', () => {
    it('sends events with their ids and ends when it is told to', async () => {
      const address = await app.getUrl();
      const answer = await fetch(`${address}/v1/contacts/live`, {
        headers: operator,
        signal: AbortSignal.timeout(10_000),
      });
      expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
      const decoder = new TextDecoder();
      let text = '';
      for await (const chunk of answer.body!) {
        text += decoder.decode(chunk as Uint8Array);
        if (text.includes('id: 12')) app.get(SseStreams).beforeApplicationShutdown();
      }
      expect(text).toBe('retry: 2000\n\nid: 12\nevent: item\ndata: {"line":"a\\nb"}\n\n');
      expect(app.get(SseStreams).size).toBe(0);
      expect((await call('GET', '/v1/contacts/live')).status).toBe(503);
    });
  });

  describe('the description', () => {
    type Operation = {
      operationId: string;
      security: object[];
      responses: Record<string, unknown>;
      parameters: { $ref?: string }[];
    };
    type Document = { openapi: string; paths: Record<string, Record<string, Operation>> };

    it('is valid OpenAPI 3.1 and says what all routes share', async () => {
      const document = (await call('GET', '/openapi.json')).body as unknown as Document;
      const { Validator } = await import('@seriousme/openapi-schema-validator');
      const verdict = await new Validator().validate(document);
      expect(verdict.errors ?? []).toEqual([]);
      expect(document.openapi).toBe('3.1.0');
      expect(Object.keys(document.paths).some((path) => path.includes('metrics'))).toBe(false);
      const make = document.paths['/v1/contacts']?.['post'];
      expect(make).toMatchObject({ operationId: 'thingsMake', security: [{ apiKey: [] }] });
      expect(make?.parameters.map(({ $ref }) => $ref?.split('/').at(-1))).toEqual(
        expect.arrayContaining(['IdempotencyKey', 'OnBehalfOf', 'Purpose']),
      );
      expect(Object.keys(make?.responses ?? {})).toEqual(
        expect.arrayContaining(['201', '400', '401', '403', '409', '412', '413', '415', '422', '429', '503']),
      );
      expect(
        document.paths['/v1/contacts/failing/{x}'] ?? document.paths['/v1/contacts/failing/{how}'],
      ).toMatchObject({
        get: { security: [] },
      });
      // A cursor, or a header that says who looks, is refused with 400 by routes of every kind.
      const list = document.paths['/v1/contacts']?.['get'];
      expect(Object.keys(list?.responses ?? {})).toEqual(['200', '400', '401', '403', '422', '429', '503']);
      expect(document.paths['/v1/contacts/live']).toMatchObject({
        get: { responses: { 200: { $ref: '#/components/responses/EventStream' } } },
      });
      const operations = Object.values(document.paths).flatMap((item) => Object.values(item));
      const ids = operations.map(({ operationId }) => operationId);
      expect(new Set(ids).size).toBe(ids.length);
    });

    it('can be browsed', async () => {
      const page = await app.inject({ method: 'GET', url: '/docs' });
      expect([page.statusCode, page.headers['content-type']]).toEqual([
        200,
        expect.stringContaining('text/html'),
      ]);
      expect((await app.inject({ method: 'GET', url: '/docs/swagger-ui-bundle.js' })).statusCode).toBe(200);
    });
  });

  it('gives contexts the cursors', () => expect(app.get(CursorCodec)).toBeDefined());
});

describe('a limit of requests', () => {
  it('is counted by key and answered with 429', async () => {
    const app = await createHttpApplication(TestModule, { logger, requestsPerMinute: 2 });
    try {
      const get = (role: string) =>
        app.inject({
          method: 'GET',
          url: '/v1/contacts',
          headers: { authorization: `Bearer key-of-${role}` },
        });
      expect((await get('operator')).headers).toMatchObject({
        'ratelimit-limit': '2',
        'ratelimit-remaining': '1',
      });
      await get('operator');
      const refused = await get('operator');
      expect(refused.statusCode).toBe(429);
      expect(refused.json()).toMatchObject({ code: 'too-many-requests' });
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(1);
      expect((await get('admin')).statusCode).toBe(200);
    } finally {
      await app.close();
    }
  });
});

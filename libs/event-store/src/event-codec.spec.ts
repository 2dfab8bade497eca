import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { open, sealed, type EventDefinition } from '@app/kernel';
import {
  KeyRing,
  KeyRingUnavailableError,
  MissingKeyError,
  SealBrokenError,
  Sealer,
  type KeyLookup,
} from '@app/personal-data';
import { EventCatalog } from './event-catalog';
import { EventCodec, type EncodedEvent, type StoredEvent } from './event-codec';
import { eventIdsOf } from './event-id';
import { UnknownEventTypeError, UnmarkedFieldError, UnreadableEventError } from './event-store.errors';
import {
  contextOf,
  noted,
  openTestKeys,
  testCodec,
  testDefinitions,
  type TestKeys,
} from './event-store.suite';
import { SealedFields } from './sealed-fields';

const storedAs = (event: EncodedEvent, more: Partial<StoredEvent> = {}): StoredEvent => ({
  id: event.id,
  stream: 'test-1',
  revision: 3,
  position: 77n,
  type: event.type,
  recordedAt: new Date(0),
  data: JSON.parse(JSON.stringify(event.data)),
  metadata: JSON.parse(JSON.stringify(event.metadata)),
  ...more,
});

describe('EventCodec', () => {
  let keys: TestKeys;
  let codec: EventCodec;
  const contactId = randomUUID();

  beforeAll(async () => {
    keys = await openTestKeys();
    codec = testCodec(keys);
  });
  afterAll(() => keys.close());

  it('gives back any event as it was, and shows nothing personal in between', () =>
    fc.assert(
      fc.asyncProperty(fc.option(fc.string({ minLength: 3 })), fc.integer(), async (note, n) => {
        const marker = note === null ? null : `canary-${note}-canary`;
        const event = noted(n, { contactId, note: marker });
        const [encoded] = await codec.encode('test-1', [event], contextOf());
        expect(JSON.stringify(encoded)).not.toContain('canary');
        const [decoded] = await codec.decode([storedAs(encoded as EncodedEvent)]);
        expect(decoded).toMatchObject({ type: event.type, data: event.data });
        expect(decoded?.meta).toMatchObject({ eventId: encoded?.id, revision: 3, position: 77n });
        expect(decoded?.meta.recordedAt).toBe('1970-01-01T00:00:00.000Z');
      }),
      { numRuns: 50 },
    ));

  it('keeps metadata small', async () => {
    const context = contextOf({ commandId: '0d9c1ab0-7c2f-4c55-a3c3-6a1f5b1e9a01' });
    const [encoded] = await codec.encode(
      'test-1',
      [noted(1)],
      { ...context, correlationId: context.commandId },
      {
        mac: 'm'.repeat(22),
        answer: { n: 1 },
      },
    );
    expect(encoded?.metadata).toEqual({
      c: '~DZwasHwvTFWjw2ofWx6aAQ',
      a: ['key-1', 'admin'],
      k: 'm'.repeat(22),
      w: { n: 1 },
    });
  });

  it.each([
    [{ name: 'CreditPoints', action: 'contact.command' }, 'CreditPoints'],
    [{ name: 'SetConsent', action: 'consent.change' }, 'SetConsent consent.change'],
  ])('names the command on its last event only, in few bytes', async (command, stored) => {
    const encoded = await codec.encode('test-1', [noted(1), noted(2)], contextOf({ command }));
    expect(encoded.map(({ metadata }) => metadata.n)).toEqual([undefined, stored]);
    const decoded = await codec.decode(encoded.map((event) => storedAs(event)));
    expect(decoded.map(({ meta }) => meta.command)).toEqual([undefined, command]);
  });

  it.each([
    ['203.0.113.0/24', '203.0.113'],
    ['2001:db8:1::/48', '2001:db8:1::'],
  ])('names the network %s on a command’s last event only, in few bytes', async (network, stored) => {
    const encoded = await codec.encode('test-1', [noted(1), noted(2)], contextOf({ network }));
    expect(encoded.map(({ metadata }) => metadata.i)).toEqual([undefined, stored]);
    const decoded = await codec.decode(encoded.map((event) => storedAs(event)));
    expect(decoded.map(({ meta }) => meta.network)).toEqual([undefined, network]);
  });

  it('leaves a field out that is not there, and seals no null', async () => {
    const [bare, empty] = await codec.encode('test-1', [noted(1), noted(2, { note: null })], contextOf());
    expect(bare?.data).not.toHaveProperty('note');
    expect(empty?.data).toHaveProperty('note', null);
    const [, decoded] = await codec.decode([storedAs(bare as EncodedEvent), storedAs(empty as EncodedEvent)]);
    expect(decoded?.data).toHaveProperty('note', null);
    expect(decoded?.meta).not.toHaveProperty('sealed');
  });

  it('refuses a field that nobody marked, and a type that nobody defined', async () => {
    const event = { type: 'test.Noted.v1', data: { ...noted(1).data, email: 'canary' } };
    const refusal = codec.encode('test-1', [noted(1), event], contextOf());
    await expect(refusal).rejects.toThrow(UnmarkedFieldError);
    await expect(refusal).rejects.not.toThrow(/canary/);
    const odd = { type: 'test.Noted.v1', data: { ...noted(1).data, toString: 1 } };
    await expect(codec.encode('test-1', [odd], contextOf())).rejects.toThrow(UnmarkedFieldError);
    const unknown = { ...noted(1), type: 'test.Unheard.v1' };
    await expect(codec.encode('test-1', [unknown], contextOf())).rejects.toThrow(UnknownEventTypeError);
    const [encoded] = await codec.encode('test-1', [noted(1)], contextOf());
    const stored = storedAs(encoded as EncodedEvent, { type: 'test.Unheard.v1' });
    await expect(codec.decode([stored])).rejects.toThrow(UnknownEventTypeError);
  });

  it('does not take a foreign or damaged event for one of ours', async () => {
    const [encoded] = await codec.encode('test-1', [noted(1, { note: 'x' })], contextOf());
    const stored = storedAs(encoded as EncodedEvent);
    for (const broken of [
      { ...stored, data: 'text' },
      { ...stored, data: [1] },
      { ...stored, data: null },
      { ...stored, data: { ...(stored.data as object), note: { plain: 1 } } },
      { ...stored, metadata: undefined },
      { ...stored, metadata: { c: 'x' } },
    ]) {
      await expect(codec.decode([broken])).rejects.toThrow(UnreadableEventError);
    }
    const moved = { ...stored, id: randomUUID() };
    await expect(codec.decode([moved])).rejects.toThrow(SealBrokenError);
  });

  it('reads an erased value as null, in the event and where a read model kept it sealed', async () => {
    const erased = randomUUID();
    const [encoded] = await codec.encode('test-1', [noted(1, { contactId: erased, note: 'x' })], contextOf());
    const sealedNote = (encoded?.data as { note: string }).note;
    const fields = new SealedFields(keys.sealer);
    const kept = { eventId: encoded?.id as string, sealed: { note: sealedNote } };
    expect(await fields.open(kept)).toEqual({ note: 'x' });
    await keys.keyRing.destroy(erased, 'personal');
    const [decoded] = await codec.decode([storedAs(encoded as EncodedEvent)]);
    expect(decoded?.data).toEqual({ contactId: erased, n: 1, note: null });
    expect(decoded?.meta.sealed).toEqual({ note: sealedNote });
    expect(await fields.open(kept)).toEqual({ note: null });
  });

  it('waits for a key that is not at hand, and tells an outage from a key that never was', async () => {
    const [encoded] = await codec.encode('test-1', [noted(1, { note: 'x' })], contextOf());
    const decodeWith = (keyForOpening: (keyId: string) => Promise<KeyLookup>) => {
      const remote = { keyForOpening, keyAtHand: () => undefined } as unknown as KeyRing;
      const slow = new EventCodec(new EventCatalog(testDefinitions), new Sealer(remote));
      return slow.decode([storedAs(encoded as EncodedEvent)]);
    };
    const [decoded] = await decodeWith((keyId) => keys.keyRing.keyForOpening(keyId));
    expect(decoded?.data).toEqual(noted(1, { note: 'x' }).data);
    await expect(decodeWith(() => Promise.resolve({ kind: 'missing' }))).rejects.toThrow(MissingKeyError);
    const outage = () => Promise.reject(new KeyRingUnavailableError(new Error('down')));
    await expect(decodeWith(outage)).rejects.toThrow(KeyRingUnavailableError);
  });

  describe('with versions that are no longer written', () => {
    const versions: readonly EventDefinition[] = [
      {
        type: 'test.Named.v1',
        subject: 'contactId',
        fields: { contactId: open, name: sealed('profile') },
        upcast: ({ name, ...data }) => ({ ...data, names: name === null ? null : [name] }),
      },
      {
        type: 'test.Named.v2',
        subject: 'contactId',
        fields: { contactId: open, names: sealed('profile') },
        upcast: (data) => ({ ...data, locale: 'en' }),
      },
      {
        type: 'test.Named.v3',
        subject: 'contactId',
        fields: { contactId: open, names: sealed('profile'), locale: open },
      },
    ];

    it('opens what was stored, then brings it up step by step', async () => {
      const versioned = testCodec(keys, versions);
      const old = { type: 'test.Named.v1', data: { contactId, name: 'Anna' } };
      const [encoded] = await versioned.encode('test-1', [old], contextOf());
      const [decoded] = await versioned.decode([storedAs(encoded as EncodedEvent)]);
      expect(decoded).toMatchObject({
        type: 'test.Named.v3',
        data: { contactId, names: ['Anna'], locale: 'en' },
      });
    });

    it('refuses definitions that do not fit together', () => {
      expect(() => new EventCatalog(versions.slice(0, 2))).toThrow(/leads to a version that is not defined/);
      expect(() => new EventCatalog([...versions, ...versions])).toThrow(/defined twice/);
      const subjectless = { type: 'test.Named.v3', fields: { names: sealed('profile') } };
      expect(() => new EventCatalog([subjectless])).toThrow(/its subject must be/);
    });
  });
});

describe('eventIdsOf', () => {
  it('gives valid, distinct UUIDs that follow from all that is written', () => {
    const record = { mac: 'm', answer: { a: 1 } };
    const ids = (...args: Parameters<typeof eventIdsOf>) => eventIdsOf(...args).join();
    const c = { commandId: 'c', now: '2026-01-01T00:00:00.000Z' };
    const base = ids(c, 's', [{ n: 1 }, { n: 1 }], record);
    expect(ids(c, 's', [{ n: 1 }, { n: 1 }], { ...record })).toBe(base);
    const others = [
      ids({ ...c, commandId: 'd' }, 's', [{ n: 1 }, { n: 1 }], record),
      ids({ ...c, now: '2026-01-01T00:00:00.001Z' }, 's', [{ n: 1 }, { n: 1 }], record),
      ids(c, 't', [{ n: 1 }, { n: 1 }], record),
      ids(c, 's', [{ n: 1 }, { n: 2 }], record),
      ids(c, 's', [{ n: 1 }, { n: 1 }], { ...record, mac: 'o' }),
      ids(c, 's', [{ n: 1 }, { n: 1 }], { ...record, answer: { a: 2 } }),
      ids(c, 's', [{ n: 1 }, { n: 1 }], undefined),
    ];
    const all = [base, ...others].flatMap((joined) => joined.split(','));
    expect(new Set(all).size).toBe(16);
    for (const id of all)
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

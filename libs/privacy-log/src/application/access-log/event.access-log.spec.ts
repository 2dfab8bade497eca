import {
  EventCatalog,
  EventCodec,
  shortUuid,
  UnknownOutcomeError,
  type EncodedEvent,
  type Fact,
  type StoredEvent,
} from '@app/event-store';
import type { AccessRecord } from '@app/http';
import type { RecordedEvent } from '@app/kernel';
import type { Sealer } from '@app/personal-data';
import type { DomainEvent } from '@app/kernel';
import { FIELD_NAMES } from '../../domain/field-names.events';
import type { Access } from '../../domain/privacy.events';
import { privacyLogEventDefinitions, type AccessRecorded } from '../../domain/privacy.events';
import { entryOfAccess } from '../../read-models/entries/entry-of-event';
import { AccessNotRecordedError } from './access-not-recorded.error';
import { EventAccessLog } from './event.access-log';

const ID = '0b8f7a4e-8f0e-4f1c-9d7e-0a4b5c6d7e8f';

const view = (n = 0): AccessRecord => ({
  recordId: `record-${n}`,
  actor: { id: ID, role: 'operator', method: 'api-key' },
  correlationId: ID,
  at: '2026-02-03T04:05:06.789Z',
  action: 'contact.view',
  outcome: 'allowed',
  subjects: [`contact-${n}`],
  subjectCount: 1,
  fields: FIELD_NAMES.slice(0, 1),
  network: '203.0.113.0/24',
});

/** An event store whose appends are answered when the spec says so. */
class HeldStore {
  readonly appends: { facts: readonly Fact[]; answer: () => void; fail: (error: Error) => void }[] = [];

  record(_stream: string, facts: readonly Fact[]): Promise<never> {
    return new Promise((resolve, reject) => {
      this.appends.push({ facts, answer: () => resolve(undefined as never), fail: reject });
    });
  }
}

const accessesOf = ({ data }: DomainEvent): readonly Access[] =>
  'accesses' in data ? (data.accesses as readonly Access[]) : [data as Access];

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the access log', () => {
  let store: HeldStore;
  let log: EventAccessLog;
  beforeEach(() => {
    store = new HeldStore();
    log = new EventAccessLog(store);
  });

  it('answers once the event store has, and not before', async () => {
    let durable = false;
    const recording = log.record(view()).then(() => (durable = true));
    await turn();
    expect(durable).toBe(false);
    store.appends[0]?.answer();
    await recording;
    expect(durable).toBe(true);
  });

  it('takes all that wait with the next append, in order, one append at a time', async () => {
    const all = Array.from({ length: 600 }, (_, n) => log.record(view(n)));
    await turn();
    expect(store.appends).toHaveLength(1);
    while (store.appends.length < 4) {
      store.appends.at(-1)?.answer();
      await turn();
    }
    store.appends.at(-1)?.answer();
    await Promise.all(all);
    expect(store.appends.map(({ facts }) => facts.length)).toEqual([1, 4, 4, 2]);
    const subjects = store.appends.flatMap(({ facts }) =>
      facts.flatMap(({ event }) => accessesOf(event).map((access) => access.subjects?.[0])),
    );
    expect(subjects).toEqual(Array.from({ length: 600 }, (_, n) => `contact-${n}`));
  });

  it('fails for those in the append that fails, and for nobody else', async () => {
    const first = log.record(view());
    const second = log.record(view());
    store.appends[0]?.fail(new UnknownOutcomeError('lost'));
    await expect(first).rejects.toThrow(AccessNotRecordedError);
    await turn();
    store.appends[1]?.answer();
    await second;
  });

  it('refuses more than it can keep', async () => {
    const waiting = Array.from({ length: 5_001 }, () => log.record(view()));
    await expect(log.record(view())).rejects.toThrow(AccessNotRecordedError);
    for (let n = 0; n < 30; n += 1) {
      store.appends.at(-1)?.answer();
      await turn();
    }
    await Promise.all(waiting);
  });

  it('writes what waits together as one event that names each actor once', async () => {
    const jo = { id: 'jo', role: 'auditor', method: 'api-key' } as const;
    const recordings = [
      log.record(view(1)),
      log.record(view(2)),
      log.record({ ...view(3), actor: jo, purpose: 'audit' }),
    ];
    store.appends[0]?.answer();
    await turn();
    store.appends[1]?.answer();
    await Promise.all(recordings);
    const [first, second] = store.appends.map(({ facts }) => facts);
    expect(first?.map(({ context }) => context.commandId)).toEqual(['record-1']);
    expect(second?.map(({ context, event }) => [context.commandId, event.type])).toEqual([
      ['record-2', 'privacy.AccessesRecorded.v1'],
    ]);
    const shared = {
      action: 'contact.view',
      correlationId: shortUuid(ID),
      shown: '1',
      network: '203.0.113.0/24',
    };
    expect(second?.[0]?.event.data).toEqual({
      actors: [view().actor, jo],
      accesses: [
        { ...shared, subjects: ['contact-2'] },
        { ...shared, subjects: ['contact-3'], by: 1, purpose: 'audit' },
      ],
    });
  });

  it('writes the view of a contact in fewer than 300 bytes, type and metadata included', async () => {
    const details = FIELD_NAMES.slice(0, 21);
    const recordId = '1b8f7a4e-8f0e-4f1c-9d7e-0a4b5c6d7e8f';
    const recording = log.record({
      ...view(),
      recordId,
      correlationId: recordId,
      subjects: [ID],
      fields: details,
    });
    store.appends[0]?.answer();
    await recording;
    const { event, context } = store.appends[0]?.facts[0] as Fact;
    const codec = new EventCodec(new EventCatalog(privacyLogEventDefinitions), {} as Sealer);
    const [encoded] = await codec.encode('privacylog-main', [event], context);
    const { type, data, metadata } = encoded as EncodedEvent;
    expect(Buffer.byteLength(type + JSON.stringify(data) + JSON.stringify(metadata))).toBeLessThan(220);

    // And what it says is all there.
    const place = { stream: 'privacylog-main', revision: 0, position: 1n, recordedAt: new Date(view().at) };
    const stored = JSON.parse(JSON.stringify({ ...encoded, ...place, position: 0 })) as StoredEvent;
    const [read] = await codec.decode([{ ...stored, ...place }]);
    const { data: access, meta } = read as RecordedEvent<AccessRecorded>;
    expect(entryOfAccess(access, meta)).toEqual({
      entryId: meta.eventId,
      at: view().at,
      actor: view().actor,
      action: 'contact.view',
      outcome: 'allowed',
      subjects: [ID],
      subjectCount: 1,
      fields: details,
      correlationId: recordId,
      network: '203.0.113.0/24',
    });
  });

  it('leaves out of the data what metadata says', async () => {
    const recording = log.record(view());
    store.appends[0]?.answer();
    await recording;
    const { event, context } = store.appends[0]?.facts[0] as Fact;
    expect(event.data).toEqual({
      action: 'contact.view',
      subjects: ['contact-0'],
      shown: '1',
    });
    expect(context.network).toBe('203.0.113.0/24');
  });
});

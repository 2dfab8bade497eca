import * as fc from 'fast-check';
import type { DomainEvent, RecordedEvent } from '@app/kernel';
import { foldLedger, type LedgerRow } from '@app/read-store';
import { anySplit, deliveriesOf, recorded } from '@app/testing';
import {
  consistencyProof,
  inclusionProof,
  leafBytes,
  leafHash,
  rootAt,
  rootOf,
  verifyConsistency,
  verifyInclusion,
  type TileSource,
} from '@app/transparency-log';
import type { PrivacyEntry } from './privacy-entry';
import { privacyLogLedger, tileHashId, type PrivacyLogState } from './privacy-log.ledger';

type Folded = Readonly<{ state: PrivacyLogState; rows: ReadonlyMap<number | string, object> }>;

const folded = (batches: readonly (readonly RecordedEvent[])[]): Folded => {
  let stored: Parameters<typeof foldLedger>[2] = null;
  const rows = new Map<number | string, object>();
  const keep = ({ _id, doc }: LedgerRow) => {
    // A row is the same whenever it is written.
    if (rows.has(_id)) expect(doc).toEqual(rows.get(_id));
    rows.set(_id, doc);
  };
  for (const batch of batches) {
    const change = foldLedger(privacyLogLedger, batch, stored);
    if (!change) continue;
    change.rows.forEach(keep);
    stored = change.next;
  }
  return { state: (stored?.state as PrivacyLogState) ?? privacyLogLedger.initial, rows };
};

const entriesOf = ({ state, rows }: Folded): readonly PrivacyEntry[] =>
  Array.from({ length: state.size }, (_, index) => ({
    index,
    ...(rows.get(index) as Omit<PrivacyEntry, 'index'>),
  }));

const tilesOf = (log: Folded): TileSource => {
  const entries = entriesOf(log);
  return (level, index, width) =>
    Promise.resolve(
      Array.from({ length: width }, (_, n) => {
        const place = index * 256 + n;
        const hash =
          level === 0
            ? entries[place]?.leafHash
            : (log.rows.get(tileHashId(level, place)) as { hash: string } | undefined)?.hash;
        return Buffer.from(hash ?? '', 'base64');
      }),
    );
};

const contact = 'aaaaaaaa-0000-4000-8000-000000000001';
const viewed: DomainEvent = {
  type: 'privacy.AccessRecorded.v1',
  data: { action: 'contact.view', subjects: [contact] },
};
const viewedByTwo: DomainEvent = {
  type: 'privacy.AccessesRecorded.v1',
  data: {
    actors: [
      { id: 'till', role: 'operator', method: 'api-key' },
      { id: 'jo', role: 'auditor', method: 'api-key' },
    ],
    accesses: [
      { correlationId: 'r-1', action: 'contact.view', subjects: [contact] },
      { by: 1, correlationId: 'r-2', purpose: 'audit', action: 'log.read', outcome: 'denied', rows: 3 },
    ],
  },
};
const credited: DomainEvent = {
  type: 'contacts.PointsCredited.v1',
  data: { contactId: contact, occurredAt: 'x', points: 5, note: 'canary' },
};
const changed: DomainEvent = {
  type: 'contacts.ContactDetailsChanged.v1',
  data: {
    contactId: contact,
    occurredAt: 'x',
    changed: ['address.city'],
    profile: { address: { city: 'canary' } },
  },
};
const command = { name: 'CreditPoints', action: 'contact.command' };

const views = (count: number): RecordedEvent[] =>
  Array.from({ length: count }, (_, n) => recorded(viewed, n));

const anyEvent = fc.record({
  event: fc.constantFrom(viewed, viewedByTwo, credited, changed, {
    type: 'privacy.CheckpointSigned.v1',
    data: { size: 1, root: 'r', note: 'n' },
  }),
  commandId: fc.constantFrom('c-1', 'c-2'),
  stream: fc.constantFrom('s-1', 's-2'),
  command: fc.option(fc.constant(command), { nil: undefined }),
});
const anyLog = fc
  .array(anyEvent, { maxLength: 40 })
  .map((events) =>
    events.map(({ event, commandId, stream, command: named }, n) =>
      recorded(event, { position: BigInt(n * 3 + 1), commandId, stream, ...(named && { command: named }) }),
    ),
  );

describe('the privacy log’s fold', () => {
  it('makes an entry of each of several accesses that were written together, as if each had been alone', () => {
    const [event, ...alone] = [
      recorded(viewedByTwo, { position: 4n }),
      recorded(viewed, {
        position: 5n,
        actor: { id: 'till', role: 'operator', method: 'api-key' },
        correlationId: 'r-1',
      }),
      recorded(
        { type: 'privacy.AccessRecorded.v1', data: { action: 'log.read', outcome: 'denied', rows: 3 } },
        {
          position: 6n,
          actor: { id: 'jo', role: 'auditor', method: 'api-key' },
          correlationId: 'r-2',
          purpose: 'audit',
        },
      ),
    ] as [RecordedEvent, RecordedEvent, RecordedEvent];
    const said = (entries: readonly PrivacyEntry[]) =>
      entries.map(({ entryId: _, leafHash: hash, ...entry }) => ({ ...entry, hashed: hash.length }));
    const together = entriesOf(folded([[event]]));
    expect(said(together)).toEqual(said(entriesOf(folded([alone]))));
    expect(new Set(together.map(({ entryId }) => entryId)).size).toBe(2);
  });

  it('makes an entry of an access, from its event and who brought it about', () => {
    const event = recorded(
      {
        type: 'privacy.AccessRecorded.v1',
        data: { action: 'contact.list', outcome: 'denied', subjects: [contact], subjectCount: 7, rows: 3 },
      },
      { position: 4n, purpose: 'support', onBehalfOf: 'till-3' },
    );
    expect(entriesOf(folded([[event]]))).toEqual([
      {
        index: 0,
        entryId: event.meta.eventId,
        at: event.meta.recordedAt,
        actor: event.meta.actor,
        action: 'contact.list',
        purpose: 'support',
        onBehalfOf: 'till-3',
        outcome: 'denied',
        subjects: [contact],
        subjectCount: 7,
        rows: 3,
        fields: [],
        correlationId: 'test-correlation',
        leafHash: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/),
      },
    ]);
  });

  it('makes one entry of a command, with the fields of all its events and no value', () => {
    const place = { commandId: 'c-1', stream: 'contact-1' };
    const history = [
      recorded(changed, { ...place, position: 1n }),
      recorded(credited, { ...place, position: 2n, command, network: '203.0.113.0/24' }),
      recorded(credited, { ...place, commandId: 'c-2', position: 3n, command }),
    ];
    const [both, second, ...none] = entriesOf(folded([history]));
    expect(none).toEqual([]);
    expect(both).toMatchObject({
      action: 'contact.command',
      command: 'CreditPoints',
      outcome: 'allowed',
      subjects: [contact],
      fields: ['profile.address.city', 'points', 'note'],
      network: '203.0.113.0/24',
      eventId: history[1]?.meta.eventId,
    });
    expect(second).toMatchObject({ fields: ['points', 'note'] });
    expect(JSON.stringify([both, second])).not.toContain('canary');
  });

  it('keeps apart what one command writes to two streams, and what comes after its last event', () => {
    const history = [
      recorded(changed, { commandId: 'c-1', stream: 'reward-1', position: 1n }),
      recorded(credited, { commandId: 'c-1', stream: 'contact-1', position: 2n, command }),
      recorded(changed, { commandId: 'c-1', stream: 'contact-1', position: 3n, command }),
    ];
    expect(entriesOf(folded([history])).map(({ fields }) => fields)).toEqual([
      ['points', 'note'],
      ['profile.address.city'],
    ]);
  });

  it('comes out the same when what was sealed is gone, and when the event was brought up to a newer version', () => {
    const place = { position: 1n, command };
    const erased = { ...credited, data: { ...credited.data, note: null } };
    const upcast = { ...credited, data: { ...credited.data, added: 1 } };
    const storedFields = Object.keys(credited.data);
    const root = (event: RecordedEvent) => folded([[event]]).state.frontier;
    const before = root(recorded(credited, place));
    expect(root(recorded(erased, place))).toEqual(before);
    expect(root(recorded(upcast, { ...place, storedFields }))).toEqual(before);
  });

  it('makes no entry of checkpoints and of steps beside a command', () => {
    const signed = { type: 'privacy.CheckpointSigned.v1', data: { size: 3, root: 'r', note: 'n' } };
    const { state } = folded([[recorded(credited, 1), recorded(signed, 2)]]);
    expect(state).toMatchObject({ size: 0, checkpoint: { size: 3, root: 'r', note: 'n', revision: 2 } });
  });

  it('hashes the entry without index and leaf hash', () => {
    for (const entry of entriesOf(folded([views(3)])))
      expect(leafHash(leafBytes(entry)).toString('base64')).toBe(entry.leafHash);
  });

  it('is the same for every split and every overlap', () =>
    fc.assert(
      fc.property(anyLog, anySplit(), (events, split) => {
        const whole = folded([events]);
        expect(folded(split(events))).toEqual(whole);
      }),
      { numRuns: 100 },
    ));

  it('is the same wherever it is delivered again', () =>
    fc.assert(
      fc.property(
        anyLog.map((events) => events.slice(0, 10)),
        (events) => {
          const whole = folded([events]);
          for (const batches of deliveriesOf(events)) expect(folded(batches)).toEqual(whole);
        },
      ),
      { numRuns: 20 },
    ));

  it('leaves the rows that tiles and proofs are made of, at every size', async () => {
    const log = folded([views(700)]);
    const tiles = tilesOf(log);
    const entries = entriesOf(log);
    expect(await rootAt(tiles, 700)).toEqual(rootOf(log.state.frontier, 700));
    for (const [index, size] of [
      [0, 1],
      [255, 256],
      [0, 257],
      [511, 513],
      [699, 700],
      [300, 700],
    ] as const) {
      const root = await rootAt(tiles, size);
      expect(root).toEqual(rootOf(folded([views(size)]).state.frontier, size));
      const proof = await inclusionProof(tiles, index, size);
      const leaf = Buffer.from(entries[index]?.leafHash ?? '', 'base64');
      expect(verifyInclusion({ index, size, leafHash: leaf, root, proof })).toBe(true);
      const consistency = {
        from: size,
        to: 700,
        fromRoot: root,
        toRoot: await rootAt(tiles, 700),
        proof: await consistencyProof(tiles, size, 700),
      };
      expect(verifyConsistency(consistency)).toBe(true);
    }
  });
});

import { contactLogs } from '@app/testing';
import type { DomainEvent, RecordedEvent } from '@app/kernel';
import fc from 'fast-check';
import { contactEventDefinitions } from '../../domain/contact.events';
import { activityItem } from './activity-item';
import { ACTIVITY_OF_OTHERS, ACTIVITY_TYPES, activityJournal } from './activity.journal';

const meta = {
  eventId: 'e1',
  stream: 'contact-a',
  revision: 3,
  position: 40n,
  recordedAt: '2026-01-02T00:00:00.000Z',
  commandId: 'c1',
  correlationId: 'x1',
  onBehalfOf: 'somebody',
  actor: { id: 'key-1', role: 'operator', method: 'api-key' },
} as const;
const of = { contactId: 'a', occurredAt: '2026-01-01T00:00:00.000Z' };

describe('an activity entry', () => {
  it('holds what is open, and keeps sealed what its lists show', () => {
    const purchase: RecordedEvent<DomainEvent> = {
      type: 'contacts.PurchaseRecorded.v1',
      data: {
        ...of,
        purchaseId: 'p1',
        invoiceNumber: 'canary',
        amount: { minor: 5, currency: 'EUR' },
        locationId: 'l1',
        pool: 'main',
        points: 1,
        balance: 1,
      },
      meta: { ...meta, sealed: { invoiceNumber: 'sealed', profile: 'of no use here' } },
    };
    const entry = activityJournal.entry(purchase);
    expect(entry).toEqual({
      eventId: 'e1',
      type: 'PurchaseRecorded',
      ...of,
      recordedAt: meta.recordedAt,
      actor: { id: 'key-1', role: 'operator' },
      lists: ['activity', 'points', 'purchases'],
      data: {
        purchaseId: 'p1',
        amount: { minor: 5, currency: 'EUR' },
        locationId: 'l1',
        pool: 'main',
        points: 1,
        balance: 1,
      },
      sealed: { invoiceNumber: 'sealed' },
    });
    const item = activityItem(
      { ...(entry as NonNullable<typeof entry>), position: 40n },
      { invoiceNumber: 'R-1' },
    );
    expect(item).toMatchObject({ position: '40', data: { purchaseId: 'p1', invoiceNumber: 'R-1' } });
    expect(item).not.toHaveProperty('sealed');
    expect(item).not.toHaveProperty('lists');
  });

  it('names the changed fields, not their values', () => {
    const changed: RecordedEvent<DomainEvent> = {
      type: 'contacts.ContactDetailsChanged.v1',
      data: { ...of, changed: ['email'], profile: { email: 'canary' }, emailClaim: 'canary', claimId: 'c' },
      meta,
    };
    expect(activityJournal.entry(changed)?.data).toEqual({ changed: ['email'] });
  });

  it('tells who entered a segment, without what names the stay', () => {
    const cause = { kind: 'clock', at: of.occurredAt, position: '39' };
    const data = { ...of, segmentId: 's1', version: 2, cause, at: of.occurredAt, stayId: 'x' };
    const entered = { type: 'segments.SegmentEntered.v1', data, meta };
    expect(activityJournal.entry(entered as RecordedEvent<DomainEvent>)).toMatchObject({
      type: 'SegmentEntered',
      ...of,
      lists: ['activity'],
      data: { segmentId: 's1', version: 2, cause },
    });
  });

  it('is left by every event of a contact, by those of others that are named, and by no other', () => {
    const others = Object.keys(ACTIVITY_OF_OTHERS).length;
    expect(ACTIVITY_TYPES).toHaveLength(contactEventDefinitions.length + others);
    const other = { type: 'contacts.ProgrammeChanged.v1', data: { purchases: [], checkIn: null }, meta };
    expect(activityJournal.entry(other as RecordedEvent<DomainEvent>)).toBeNull();
  });

  it('never holds a sealed value in the clear', () => {
    const marked = new Map(contactEventDefinitions.map(({ type, fields }) => [type, fields]));
    fc.assert(
      fc.property(contactLogs({ contactsMax: 3, stepsMax: 20 }), (log) => {
        for (const event of log as readonly RecordedEvent<DomainEvent>[]) {
          const entry = activityJournal.entry(event);
          for (const name of Object.keys(entry?.data ?? {})) {
            expect([name, marked.get(event.type)?.[name]?.kind]).toEqual([name, 'open']);
          }
        }
      }),
      { numRuns: 30 },
    );
  });
});

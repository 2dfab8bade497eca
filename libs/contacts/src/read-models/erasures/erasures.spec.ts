import fc from 'fast-check';
import type { RecordedEvent } from '@app/kernel';
import { foldBatch, touchedBy, type AnyProjection } from '@app/read-store';
import { CONTACT_ID, contactHistories, facts, NOW, readModelOf, recordedLog } from '@app/testing';
import { contactEventDefinitions, type ContactEvent } from '../../domain/contact.events';
import { contactsProjection } from '../contacts/contacts.projection';
import { emailClaimsProjection } from '../email-claims/email-claims.projection';
import { suppressionsProjection } from '../suppressions/suppressions.projection';
import { erasuresProjection } from './erasures.projection';

const UNTIL = '2034-01-01T00:00:00.000Z';
const of = { contactId: CONTACT_ID, occurredAt: NOW, erasureId: 'e1' };
const requested = (erasureId = 'e1', executeAfter = NOW): ContactEvent => ({
  type: 'contacts.ErasureRequested.v1',
  data: { ...of, erasureId, legalGround: 'objection', executeAfter },
});
const cancelled: ContactEvent = { type: 'contacts.ErasureCancelled.v1', data: of };
const forfeited = (pool: string, points: number): ContactEvent => ({
  type: 'contacts.PointsForfeited.v1',
  data: { ...of, entryId: `forfeit:${pool}`, pool, points, balance: 0 },
});
const started: ContactEvent = { type: 'contacts.ErasureStarted.v1', data: of };
const erased = (retainedUntil?: string): ContactEvent => ({
  type: 'contacts.ContactErased.v1',
  data: {
    ...of,
    keyIds: ['p1'],
    held: [{ store: 'documents', records: 1 }],
    ...(retainedUntil !== undefined && { retainedUntil }),
  },
});
const completed: ContactEvent = {
  type: 'contacts.ErasureCompleted.v1',
  data: { ...of, valuesErased: 3, valuesRetained: 1, stores: [{ store: 'documents', before: 1, after: 0 }] },
};

describe('the read models of an erasure', () => {
  const { given } = readModelOf(erasuresProjection);

  it('say how far it is and when somebody should look at it again', () => {
    const stage = (...history: readonly ContactEvent[]) => {
      const { state, nextStepAt } = given(...(history as never[])).document(CONTACT_ID)!;
      return [state, nextStepAt];
    };
    expect(stage(requested('e1', UNTIL))).toEqual(['coolingOff', UNTIL]);
    expect(stage(requested('e1', UNTIL), cancelled)).toEqual(['cancelled', null]);
    expect(stage(requested(), started)).toEqual(['executing', '2026-03-01T12:00:30.000Z']);
    expect(stage(requested(), started, erased())).toEqual(['executing', '2026-03-01T12:00:30.000Z']);
    expect(stage(requested(), started, erased(), completed)).toEqual(['completed', null]);
    expect(stage(requested(), started, erased(UNTIL), completed)).toEqual(['partlyRetained', UNTIL]);
    const destroyed: ContactEvent = {
      type: 'contacts.RetainedDataDestroyed.v1',
      data: { ...of, occurredAt: UNTIL, keyIds: ['r1'] },
    };
    expect(stage(requested(), started, erased(UNTIL), completed, destroyed)).toEqual(['completed', null]);
  });

  it('show the latest erasure, and add up what was forfeited', () => {
    const doc = given(
      ...([requested(), cancelled, requested('e2'), started, forfeited('main', 3)] as never[]),
    ).document(CONTACT_ID);
    // What the first one still says changes nothing.
    expect(doc).toMatchObject({ erasureId: 'e2', state: 'coolingOff', forfeited: {} });
    const steps = [
      requested(),
      started,
      forfeited('main', 3),
      forfeited('main', 4),
      forfeited('__proto__', 1),
    ];
    expect(given(...(steps as never[])).document(CONTACT_ID)?.forfeited).toEqual(
      JSON.parse('{"main":7,"__proto__":1}'),
    );
  });

  it('keep a token and when it was made', () =>
    readModelOf(suppressionsProjection)
      .given({ type: 'contacts.ContactSuppressed.v1', data: { ...of, suppressionToken: 't' } })
      .then('t', { suppressedAt: NOW }));
});

describe('a contact in the read models', () => {
  const documentsOf = (projection: AnyProjection, log: readonly RecordedEvent[]) =>
    foldBatch(projection, log, new Map()).flatMap(({ doc, position }) => (doc ? [{ doc, position }] : []));

  it('leaves the lists when its erasure starts, and expires no points any more', () => {
    const due = facts.credited('c1', 10, { expiresAt: UNTIL });
    const { given } = readModelOf(contactsProjection);
    const doc = given(facts.registered(), due, requested(), started).document(CONTACT_ID);
    expect(doc).toMatchObject({ erasure: 'executing', nextExpiryAt: null, points: { main: 10 } });
    const later = given(facts.registered(), due, requested(), started, forfeited('main', 10));
    expect(later.document(CONTACT_ID)).toMatchObject({ points: { main: 0 }, lots: [], nextExpiryAt: null });
  });

  it('keeps its points as they are while processing is restricted', () => {
    const due = facts.credited('c1', 10, { expiresAt: UNTIL });
    const at = { contactId: CONTACT_ID, occurredAt: NOW };
    const restricted: ContactEvent = { type: 'contacts.ProcessingRestricted.v1', data: at };
    const lifted: ContactEvent = { type: 'contacts.RestrictionLifted.v1', data: at };
    const { given } = readModelOf(contactsProjection);
    expect(given(facts.registered(), due, restricted).document(CONTACT_ID)).toMatchObject({
      processingRestricted: true,
      nextExpiryAt: null,
    });
    const doc = given(facts.registered(), due, restricted, lifted).document(CONTACT_ID);
    expect(doc).toMatchObject({ nextExpiryAt: UNTIL });
    expect(doc).not.toHaveProperty('processingRestricted');
  });

  /** The same log as it reads once the keys are destroyed. */
  const afterDestruction = (log: readonly RecordedEvent<ContactEvent>[]): RecordedEvent<ContactEvent>[] => {
    const sealed = new Map(
      contactEventDefinitions.map(({ type, fields }) => [
        type,
        Object.keys(fields).filter((name) => fields[name]?.kind === 'sealed'),
      ]),
    );
    return log.map((event) => ({
      ...event,
      data: Object.fromEntries(
        Object.entries(event.data).map(([name, value]) => [
          name,
          sealed.get(event.type)?.includes(name) ? null : value,
        ]),
      ),
    })) as unknown as RecordedEvent<ContactEvent>[];
  };

  it('is the same figures whether folded before or after its keys were destroyed, and holds nothing else', () =>
    fc.assert(
      fc.property(contactHistories(CONTACT_ID, 15), (history) => {
        const [registered] = history;
        const hash = registered?.type === 'contacts.ContactRegistered.v1' ? registered.data.emailClaim : null;
        const balances = new Map<string, number>();
        for (const { data } of history) if ('balance' in data) balances.set(data.pool, data.balance);
        const log = recordedLog([
          ...history.map(({ type, data }) => ({ type, data }) as ContactEvent),
          requested(),
          { ...started, data: { ...of, ...(hash && { releasedEmailClaim: hash }) } } as ContactEvent,
          ...[...balances].filter(([, balance]) => balance > 0).map(([pool, n]) => forfeited(pool, n)),
          erased(),
          completed,
        ]);
        const live = documentsOf(contactsProjection, log);
        expect(documentsOf(contactsProjection, afterDestruction(log))).toEqual(live);
        const doc = live[0]?.doc as Record<string, unknown>;
        expect(doc).toMatchObject({
          erasure: 'erased',
          profile: {},
          sort: {},
          search: [],
          devices: [],
          lots: [],
        });
        expect(Object.values(doc['points'] as object).every((points) => points === 0)).toBe(true);
        for (const value of ['Example', 'phone', '+43', 'Wien'])
          expect(JSON.stringify(doc)).not.toContain(value);
        expect(documentsOf(emailClaimsProjection, log)).toEqual([]);
        expect(touchedBy(emailClaimsProjection, afterDestruction(log))).toEqual([]);
      }),
      { numRuns: 200 },
    ));
});

import { addMillis, open, type RecordedEvent } from '@app/kernel';
import { defineProjection } from '@app/read-store';
import type {
  ContactErased,
  ContactSuppressed,
  ErasureCancelled,
  ErasureCompleted,
  ErasureRequested,
  ErasureStarted,
  LegalGround,
  PointsForfeited,
  RetainedDataDestroyed,
  StoreCount,
  StorePurge,
} from '../../domain/contact.events';
import type { Figures } from '../contacts/figures';

export type ErasureState = 'coolingOff' | 'executing' | 'completed' | 'partlyRetained' | 'cancelled';
export type DestroyedKey = Readonly<{ keyId: string; destroyedAt: string }>;

/** How far a contact's latest erasure is, and what a receipt says of it. Nothing in it is personal. */
export type ErasureDocument = Readonly<{
  contactId: string;
  erasureId: string;
  state: ErasureState;
  legalGround: LegalGround;
  requestedAt: string;
  executeAfter: string;
  startedAt: string | null;
  /** When the keys were destroyed. */
  unreachableAt: string | null;
  completedAt: string | null;
  forfeited: Figures;
  /** How many keyed tokens were left behind, by which imports know the person. */
  suppressionTokens: number;
  keys: readonly DestroyedKey[];
  held: readonly StoreCount[];
  stores: readonly StorePurge[];
  valuesErased: number;
  valuesRetained: number;
  retainedUntil: string | null;
  retainedDestroyedAt: string | null;
  /** From when on somebody should look whether the next step is done; null: nothing is to be done. */
  nextStepAt: string | null;
}>;

type Event =
  | ErasureRequested
  | ErasureCancelled
  | ErasureStarted
  | PointsForfeited
  | ContactSuppressed
  | ContactErased
  | ErasureCompleted
  | RetainedDataDestroyed;

/** Whoever began an erasure goes on with it; after so long it is taken to have been killed. */
export const UNDER_WAY_MS = 30_000;

export const erasuresProjection = defineProjection<ErasureDocument, Event>({
  name: 'erasures',
  version: 2,
  keys: ({ data }) => [data.contactId],
  indexes: [{ key: { nextStepAt: 1 } }],
  fields: {
    contactId: open,
    erasureId: open,
    state: open,
    legalGround: open,
    requestedAt: open,
    executeAfter: open,
    startedAt: open,
    unreachableAt: open,
    completedAt: open,
    forfeited: open,
    suppressionTokens: open,
    keys: open,
    held: open,
    stores: open,
    valuesErased: open,
    valuesRetained: open,
    retainedUntil: open,
    retainedDestroyedAt: open,
    nextStepAt: open,
  },
  on: {
    'contacts.ErasureRequested.v1': (_, { data }) => ({
      contactId: data.contactId,
      erasureId: data.erasureId,
      state: 'coolingOff',
      legalGround: data.legalGround,
      requestedAt: data.occurredAt,
      executeAfter: data.executeAfter,
      startedAt: null,
      unreachableAt: null,
      completedAt: null,
      forfeited: {},
      suppressionTokens: 0,
      keys: [],
      held: [],
      stores: [],
      valuesErased: 0,
      valuesRetained: 0,
      retainedUntil: null,
      retainedDestroyedAt: null,
      nextStepAt: data.executeAfter,
    }),
    'contacts.ErasureCancelled.v1': (doc, event) =>
      advanced(doc, event, { state: 'cancelled', nextStepAt: null }),
    'contacts.ErasureStarted.v1': (doc, event) =>
      advanced(doc, event, {
        state: 'executing',
        startedAt: event.data.occurredAt,
        nextStepAt: addMillis(event.data.occurredAt, UNDER_WAY_MS),
      }),
    'contacts.PointsForfeited.v1': (doc, event) => {
      const { pool, points } = event.data;
      const before = doc && Object.hasOwn(doc.forfeited, pool) ? (doc.forfeited[pool] ?? 0) : 0;
      return advanced(doc, event, { forfeited: { ...doc?.forfeited, [pool]: before + points } });
    },
    'contacts.ContactSuppressed.v1': (doc, event) =>
      advanced(doc, event, { suppressionTokens: (doc?.suppressionTokens ?? 0) + 1 }),
    'contacts.ContactErased.v1': (doc, event) => {
      const { occurredAt, keyIds, held, retainedUntil = null } = event.data;
      return advanced(doc, event, {
        unreachableAt: occurredAt,
        keys: keyIds.map((keyId) => ({ keyId, destroyedAt: occurredAt })),
        held,
        retainedUntil,
        nextStepAt: addMillis(occurredAt, UNDER_WAY_MS),
      });
    },
    'contacts.ErasureCompleted.v1': (doc, event) => {
      const { occurredAt, valuesErased, valuesRetained, stores } = event.data;
      const retainedUntil = doc?.retainedUntil ?? null;
      return advanced(doc, event, {
        state: retainedUntil === null ? 'completed' : 'partlyRetained',
        completedAt: occurredAt,
        valuesErased,
        valuesRetained,
        stores,
        nextStepAt: retainedUntil,
      });
    },
    'contacts.RetainedDataDestroyed.v1': (doc, event) => {
      const { occurredAt, keyIds } = event.data;
      const destroyed = keyIds.map((keyId) => ({ keyId, destroyedAt: occurredAt }));
      return advanced(doc, event, {
        state: 'completed',
        keys: [...(doc?.keys ?? []), ...destroyed],
        retainedDestroyedAt: occurredAt,
        nextStepAt: null,
      });
    },
  },
});

/** Events of another erasure than the latest change nothing. */
const advanced = (
  doc: ErasureDocument | null,
  { data }: RecordedEvent<Event>,
  changes: Partial<ErasureDocument>,
): ErasureDocument | null =>
  doc === null || doc.erasureId !== data.erasureId ? doc : { ...doc, ...changes };

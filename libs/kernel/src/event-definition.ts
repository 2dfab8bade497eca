import type { DomainEvent } from './domain-event';

/** Why a personal field is held; the sealing sub-key is derived from it. */
export type SealPurpose = 'profile' | 'contact' | 'device' | 'freetext' | 'accounting';

/** How a field is treated: stored as it is, or sealed under a key of the event's subject. */
export type FieldMark =
  Readonly<{ kind: 'open' }> | Readonly<{ kind: 'sealed'; purpose: SealPurpose; holds: readonly string[] }>;

/** A field without personal data: stored and shown as it is. */
export const open: FieldMark = { kind: 'open' };

/**
 * A personal field, sealed as one unit. `holds` names the fields inside it, for the inventory of personal data.
 * Purpose `accounting` is sealed under the contact's `retained` key, all others under `personal`.
 */
export const sealed = (purpose: SealPurpose, holds: readonly string[] = []): FieldMark => ({
  kind: 'sealed',
  purpose,
  holds,
});

/** Turns the data of version x, opened, into that of version x + 1. Pure. */
export type Upcaster = (data: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;

/** What the codec and the inventory need to know of one event type. */
export type EventDefinition<E extends DomainEvent = DomainEvent> = Readonly<{
  type: E['type'];
  /** The field that holds the id of the contact whose keys seal this event; absent where nothing is sealed. */
  subject?: string;
  fields: Readonly<Record<string, FieldMark>>;
  /** Set on a version that is no longer written: leads to the next version. */
  upcast?: Upcaster;
}>;

/** Every field of the event's data must be marked, or it does not compile. */
export const defineEvent = <E extends DomainEvent>(
  definition: Omit<EventDefinition<E>, 'fields'> & {
    readonly fields: { readonly [Field in keyof E['data']]-?: FieldMark };
  },
): EventDefinition<E> => definition as unknown as EventDefinition<E>;

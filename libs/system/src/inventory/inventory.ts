import type { EventDefinition, SealPurpose } from '@app/kernel';
import type { ReadFieldMark, ReadFieldMarks } from '@app/read-store';

/** A place where fields are stored. */
export type InventorySource = Readonly<{
  kind: 'event' | 'readModel' | 'working';
  name: string;
  fields: ReadFieldMarks;
}>;

export type InventoryItem = Readonly<{
  kind: InventorySource['kind'];
  /** Of the event type or the collection. */
  name: string;
  field: string;
  /** `none`, `personal(profile|contact|device|freetext)` or `accounting`. */
  mark: string;
  /** `clear`: readable in the store. `sealed`: encrypted under a key of the contact. */
  stored: 'clear' | 'sealed';
  /** Whose destruction ends it; absent where the field is not sealed. */
  key?: 'personal' | 'retained';
  /** What is inside, where the field is more than one thing. */
  holds: readonly string[];
}>;

/** Every field of every event and document, by its mark. Pure; in order of kinds, names and fields as they are defined. */
export const inventoryOf = (sources: readonly InventorySource[]): readonly InventoryItem[] =>
  sources.flatMap(({ kind, name, fields }) =>
    Object.entries(fields).map(([field, mark]) => ({ kind, name, field, ...described(mark) })),
  );

export const eventSources = (definitions: readonly EventDefinition[]): readonly InventorySource[] =>
  definitions.map(({ type, fields }) => ({ kind: 'event', name: type, fields }));

const described = (mark: ReadFieldMark): Omit<InventoryItem, 'kind' | 'name' | 'field'> => {
  if (mark.kind === 'open') return { mark: 'none', stored: 'clear', holds: [] };
  const { purpose, holds } = mark;
  return mark.kind === 'sealed'
    ? {
        mark: nameOf(purpose),
        stored: 'sealed',
        key: purpose === 'accounting' ? 'retained' : 'personal',
        holds,
      }
    : { mark: nameOf(purpose), stored: 'clear', holds };
};

const nameOf = (purpose: SealPurpose): string =>
  purpose === 'accounting' ? 'accounting' : `personal(${purpose})`;

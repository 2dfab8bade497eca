import type { EventDefinition, FieldMark, SealPurpose, Upcaster } from '@app/kernel';
import { UnknownEventTypeError } from './event-store.errors';

export type SealedField = Readonly<{ name: string; purpose: SealPurpose }>;

/** A definition, prepared for the codec. */
export type CatalogEntry = Readonly<{
  type: string;
  /** Set where any field is sealed. */
  subject: string | undefined;
  fields: Readonly<Record<string, FieldMark>>;
  sealedFields: readonly SealedField[];
  /** The type that this version is read as: its own, unless it is no longer written. */
  newestType: string;
  /** From this version to the newest, in order. */
  upcasts: readonly Upcaster[];
}>;

const VERSIONED = /^(.+\.v)([1-9]\d*)$/;

/** Every event type that was ever written. Refuses definitions that do not fit together. */
export class EventCatalog {
  private readonly entries = new Map<string, CatalogEntry>();

  constructor(definitions: readonly EventDefinition[]) {
    const byType = new Map<string, EventDefinition>();
    for (const definition of definitions) {
      if (byType.has(definition.type)) throw new Error(`Event type ${definition.type} is defined twice.`);
      byType.set(definition.type, definition);
    }
    for (const definition of definitions) this.entries.set(definition.type, entryOf(definition, byType));
  }

  get types(): readonly string[] {
    return [...this.entries.keys()];
  }

  /** Throws UnknownEventTypeError. */
  entry(type: string): CatalogEntry {
    const entry = this.entries.get(type);
    if (entry === undefined) throw new UnknownEventTypeError(type);
    return entry;
  }
}

const entryOf = (definition: EventDefinition, byType: ReadonlyMap<string, EventDefinition>): CatalogEntry => {
  const { type, subject, fields } = definition;
  const sealedFields = Object.entries(fields).flatMap(([name, mark]) =>
    mark.kind === 'sealed' ? [{ name, purpose: mark.purpose }] : [],
  );
  if (sealedFields.length > 0 && (subject === undefined || fields[subject]?.kind !== 'open')) {
    throw new Error(`Event type ${type} seals fields, so its subject must be one of its open fields.`);
  }
  const upcasts: Upcaster[] = [];
  let newest = definition;
  while (newest.upcast !== undefined) {
    upcasts.push(newest.upcast);
    const next = byType.get(nextVersionOf(newest.type));
    if (next === undefined)
      throw new Error(`Event type ${newest.type} leads to a version that is not defined.`);
    newest = next;
  }
  return { type, subject, fields, sealedFields, newestType: newest.type, upcasts };
};

const nextVersionOf = (type: string): string => {
  const [, name, version] = VERSIONED.exec(type) ?? [];
  if (name === undefined || version === undefined)
    throw new Error(`Event type ${type} does not end in .v<number>.`);
  return `${name}${Number(version) + 1}`;
};

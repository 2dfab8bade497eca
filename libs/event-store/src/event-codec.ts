import type { CommandContext, DomainEvent, RecordedEvent } from '@app/kernel';
import type { Sealer } from '@app/personal-data';
import type { CatalogEntry, EventCatalog } from './event-catalog';
import { eventIdsOf } from './event-id';
import { UnmarkedFieldError, UnreadableEventError } from './event-store.errors';
import type { CommandRecord } from './event-store.port';
import {
  commandMetaOf,
  isStoredMetadata,
  lastOf,
  storedMetadataOf,
  type StoredMetadata,
} from './stored-metadata';

type Fields = Readonly<Record<string, unknown>>;

/** An event as the event store takes it. */
export type EncodedEvent = Readonly<{
  id: string;
  type: string;
  data: Fields;
  metadata: StoredMetadata;
}>;

/** An event as the event store gives it back, its JSON parsed. */
export type StoredEvent = Readonly<{
  id: string;
  stream: string;
  revision: number;
  position: bigint;
  type: string;
  recordedAt: Date;
  data: unknown;
  metadata: unknown;
}>;

/** Between domain events and what is stored: seals and opens, and brings old versions up to the newest. */
export class EventCodec {
  constructor(
    private readonly catalog: EventCatalog,
    private readonly sealer: Sealer,
  ) {}

  /**
   * Throws UnmarkedFieldError and UnknownEventTypeError before anything is sealed, and what Sealer.seal throws.
   * The answer goes on the last event, the MAC on each.
   */
  async encode(
    stream: string,
    events: readonly DomainEvent[],
    context: CommandContext,
    record?: CommandRecord,
  ): Promise<readonly EncodedEvent[]> {
    const entries = events.map((event) => this.checked(event));
    const openFields = events.map((event, index) =>
      openFieldsOf(entries[index] as CatalogEntry, event.data as Fields),
    );
    const ids = eventIdsOf(context, stream, openFields, record);
    return Promise.all(
      events.map(async (event, index): Promise<EncodedEvent> => {
        const id = ids[index] as string;
        return {
          id,
          type: event.type,
          data: await this.sealed(
            entries[index] as CatalogEntry,
            event.data as Fields,
            openFields[index] as Fields,
            id,
          ),
          metadata: storedMetadataOf(
            context,
            record?.mac,
            index === events.length - 1 ? lastOf(context, record) : {},
          ),
        };
      }),
    );
  }

  /**
   * Opens in the order given. Throws UnknownEventTypeError, UnreadableEventError, and what Sealer.open throws; the
   * value of a destroyed key is null. Waits only for keys that are not at hand.
   */
  async decode(stored: readonly StoredEvent[]): Promise<readonly RecordedEvent[]> {
    const decoded: RecordedEvent[] = [];
    for (const event of stored) {
      const entry = this.catalog.entry(event.type);
      const opened = this.openedAtHand(entry, event) ?? (await this.opened(entry, event));
      decoded.push(recorded(entry, event, opened));
    }
    return decoded;
  }

  private checked({ type, data }: DomainEvent): CatalogEntry {
    const entry = this.catalog.entry(type);
    for (const field of Object.keys(data)) {
      if (!Object.hasOwn(entry.fields, field)) throw new UnmarkedFieldError(type, field);
    }
    return entry;
  }

  private async sealed(
    entry: CatalogEntry,
    data: Fields,
    openFields: Fields,
    eventId: string,
  ): Promise<Fields> {
    if (entry.subject === undefined) return openFields;
    const result: Record<string, unknown> = { ...openFields };
    for (const { name, purpose } of entry.sealedFields) {
      const value = data[name];
      if (value === undefined) continue;
      // Null says nothing of a person, and must not look like a value that was erased later.
      result[name] =
        value === null
          ? null
          : await this.sealer.seal(value, data[entry.subject] as string, purpose, { eventId, field: name });
    }
    return result;
  }

  /** Undefined where a key is not at hand. */
  private openedAtHand(entry: CatalogEntry, event: StoredEvent): Opened | undefined {
    const data = fieldsOf(event);
    if (entry.subject === undefined) return { data, sealed: undefined };
    let result: Record<string, unknown> | undefined;
    let sealed: Record<string, string> | undefined;
    for (const { name } of entry.sealedFields) {
      const value = data[name];
      if (value === undefined || value === null) continue;
      const text = sealedTextOf(value, name, event);
      const opened = this.sealer.openAtHand(text, { eventId: event.id, field: name });
      if (opened === undefined) return undefined;
      (result ??= { ...data })[name] = opened;
      (sealed ??= {})[name] = text;
    }
    return { data: result ?? data, sealed };
  }

  private async opened(entry: CatalogEntry, event: StoredEvent): Promise<Opened> {
    const data: Record<string, unknown> = { ...fieldsOf(event) };
    const sealed: Record<string, string> = {};
    for (const { name } of entry.sealedFields) {
      const value = data[name];
      if (value === undefined || value === null) continue;
      const text = sealedTextOf(value, name, event);
      data[name] = await this.sealer.open(text, { eventId: event.id, field: name });
      sealed[name] = text;
    }
    return { data, sealed };
  }
}

type Opened = Readonly<{ data: Fields; sealed: Readonly<Record<string, string>> | undefined }>;

const openFieldsOf = (entry: CatalogEntry, data: Fields): Fields => {
  if (entry.subject === undefined) return data;
  const result: Record<string, unknown> = { ...data };
  for (const { name } of entry.sealedFields) delete result[name];
  return result;
};

const fieldsOf = ({ data, position, type }: StoredEvent): Fields => {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw new UnreadableEventError(position, type, 'its data is not a JSON object.');
  }
  return data as Fields;
};

const sealedTextOf = (value: unknown, name: string, { position, type }: StoredEvent): string => {
  if (typeof value === 'string') return value;
  throw new UnreadableEventError(position, type, `its field ${name} is not sealed.`);
};

const recorded = (entry: CatalogEntry, event: StoredEvent, { data, sealed }: Opened): RecordedEvent => {
  if (!isStoredMetadata(event.metadata)) {
    throw new UnreadableEventError(
      event.position,
      event.type,
      'its metadata was not written by this system.',
    );
  }
  let upcast = data;
  for (const step of entry.upcasts) upcast = step(upcast);
  return {
    type: entry.newestType,
    data: upcast,
    meta: {
      eventId: event.id,
      stream: event.stream,
      revision: event.revision,
      position: event.position,
      recordedAt: event.recordedAt.toISOString(),
      ...commandMetaOf(event.metadata),
      ...(sealed !== undefined && { sealed }),
      ...(entry.upcasts.length > 0 && { storedFields: Object.keys(data) }),
    },
  };
};

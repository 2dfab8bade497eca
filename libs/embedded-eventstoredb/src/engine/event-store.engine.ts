import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Stream, StreamCatalogue } from '../catalogue/stream-catalogue';
import { LogCursor } from '../log/log-cursor';
import { encodeRecord, type LogRecord } from '../log/record';
import type { SegmentedLog } from '../log/segmented-log';
import { decideAppend, type ExpectedRevision, type StreamView } from './append-decision';
import {
  METADATA_STREAM_LIMITS,
  METADATA_TYPE,
  NO_LIMITS,
  parseLimits,
  recreatedMetadata,
  SOFT_DELETE_METADATA,
  type StreamLimits,
} from './stream-limits';

const METADATA_CACHED_MAX = 50_000;
const POINT_READ_BYTES = 16 * 1024;
const METASTREAM_PREFIX = '$$';
const NOTHING = Buffer.alloc(0);

export type ProposedEvent = Readonly<{
  /** Lower-case text with dashes. */
  id: string;
  type: string;
  isJson: boolean;
  data: Buffer;
  customMetadata: Buffer;
}>;

export type AppendOutcome =
  /** `revision` is -1 for a stream that stays empty; `position` is null where there is none to name. */
  | Readonly<{ kind: 'done'; revision: number; position: number | null }>
  | Readonly<{ kind: 'wrong-revision'; actual: number }>
  | Readonly<{ kind: 'deleted' }>;

type KnownMetadata = Readonly<{ revision: number; text: string; limits: StreamLimits }>;

type Draft = Readonly<{ stream: string; revision: number | 'tombstone'; event: ProposedEvent }>;

const isMetastream = (name: string): boolean => name.startsWith(METASTREAM_PREFIX);

const metadataEvent = (data: Buffer): ProposedEvent => ({
  id: randomUUID(),
  type: METADATA_TYPE,
  isJson: true,
  data,
  customMetadata: NOTHING,
});

/** Streams over the log: decides appends and deletions, and says what of a stream can be read. */
export class EventStoreEngine {
  private readonly points: LogCursor;
  private readonly metadata = new LRUCache<string, KnownMetadata>({ max: METADATA_CACHED_MAX });

  constructor(
    readonly log: SegmentedLog,
    private readonly catalogue: StreamCatalogue,
  ) {
    this.points = new LogCursor(log, 0, POINT_READ_BYTES);
  }

  /** Appends all events or none. Resolves when the answer holds whatever happens to the machine. */
  append(name: string, expected: ExpectedRevision, events: readonly ProposedEvent[]): Promise<AppendOutcome> {
    return this.settled(() => {
      const view = this.view(name);
      const decision = decideAppend(
        expected,
        events.map(({ id }) => id),
        view,
      );
      if (decision.kind === 'deleted') return decision;
      if (decision.kind === 'wrong-revision') return { ...decision, actual: view.head };
      if (decision.kind === 'repeated') {
        const { last } = decision;
        return {
          kind: 'done',
          revision: last,
          position: last < this.firstVisible(name) ? null : this.positionOf(name, last),
        };
      }
      const drafts: Draft[] = events.map((event, index) => ({
        stream: name,
        revision: view.head + 1 + index,
        event,
      }));
      const all = [...drafts, ...this.recreation(name, view, events)];
      const nothing: AppendOutcome = { kind: 'done', revision: view.head, position: null };
      return all.length > 0 ? this.write(all, drafts.length, nothing) : nothing;
    });
  }

  /** Hides all events of a stream until it is written to again. */
  delete(name: string, expected: ExpectedRevision): Promise<AppendOutcome> {
    return this.settled(() => {
      const view = this.view(name);
      const decision = decideAppend(expected, [randomUUID()], view);
      if (decision.kind === 'deleted') return decision;
      if (decision.kind !== 'write' || (view.head < 0 && !view.hasMetadata)) {
        return { kind: 'wrong-revision', actual: view.head };
      }
      const metastream = METASTREAM_PREFIX + name;
      const revision = this.head(metastream) + 1;
      return this.write([{ stream: metastream, revision, event: metadataEvent(SOFT_DELETE_METADATA) }]);
    });
  }

  /** Closes a stream for ever. */
  tombstone(name: string, expected: ExpectedRevision): Promise<AppendOutcome> {
    return this.settled(() => {
      const view = this.view(name);
      const decision = decideAppend(expected, [randomUUID()], view);
      if (decision.kind === 'deleted') return decision;
      if (decision.kind !== 'write') return { kind: 'wrong-revision', actual: view.head };
      const event = { ...metadataEvent(NOTHING), type: '$streamDeleted', isJson: false };
      return this.write([{ stream: name, revision: 'tombstone', event }]);
    });
  }

  /** The last revision on disk, -1 for none. */
  durableHead(name: string): number {
    const stream = this.catalogue.find(name);
    if (!stream) return -1;
    let head = stream.head;
    while (head >= 0 && this.catalogue.positionOf(stream, head) >= this.log.durable) head -= 1;
    return head;
  }

  /** Position of the event that closed the stream (or, for a metadata stream, its stream), null while it is open. */
  tombstoneOf(name: string): number | null {
    const original = isMetastream(name) ? this.tombstoneOf(name.slice(METASTREAM_PREFIX.length)) : null;
    return this.catalogue.find(name)?.tombstone ?? original;
  }

  limitsOf(name: string): StreamLimits {
    if (isMetastream(name)) return METADATA_STREAM_LIMITS;
    const metastream = METASTREAM_PREFIX + name;
    const head = this.head(metastream);
    if (head < 0) return NO_LIMITS;
    const known = this.metadata.get(name);
    if (known?.revision === head) return known.limits;
    // A cold cache cannot be ahead of the disk: what is on its way there was put into it when it was queued.
    const text = this.eventAt(metastream, this.durableHead(metastream)).data.toString();
    return this.remember(name, head, text).limits;
  }

  /** The first revision that count and truncation leave visible. */
  firstVisible(name: string): number {
    const { maxCount, truncateBefore } = this.limitsOf(name);
    return Math.max(truncateBefore, maxCount === null ? 0 : this.head(name) - maxCount + 1);
  }

  /** The event at a revision up to the durable head; good until the next call. */
  eventAt(name: string, revision: number): LogRecord {
    return this.recordAt(this.positionOf(name, revision));
  }

  recordAt(position: number): LogRecord {
    const record = this.points.at(position);
    if (!record) throw new Error(`The index names position ${position}, where no event begins.`);
    return record;
  }

  private positionOf(name: string, revision: number): number {
    return this.catalogue.positionOf(this.catalogue.find(name) as Stream, revision);
  }

  private head(name: string): number {
    return this.catalogue.find(name)?.head ?? -1;
  }

  private view(name: string): StreamView {
    const stream = this.catalogue.find(name);
    return {
      head: stream?.head ?? -1,
      tombstoned: this.tombstoneOf(name) !== null,
      softDeleted: this.limitsOf(name).softDeleted,
      hasMetadata: this.head(METASTREAM_PREFIX + name) >= 0,
      revisionOf: (id) => (stream ? this.catalogue.revisionOf(stream, id) : null),
      idAt: (revision) =>
        this.catalogue.unwrittenId(stream as Stream, revision) ?? this.eventAt(name, revision).id,
    };
  }

  private settled(decide: () => AppendOutcome): Promise<AppendOutcome> {
    return new Promise((resolve, reject) => {
      const outcome = decide();
      // A refusal waits too: what it was decided on must not vanish with a power cut after it was told.
      this.log.whenDurable((error) => (error ? reject(error) : resolve(outcome)));
    });
  }

  /** Writing to a soft-deleted stream, or to its metadata, begins it anew behind what was deleted. */
  private recreation(name: string, view: StreamView, events: readonly ProposedEvent[]): Draft[] {
    if (view.softDeleted) return this.recreate(name, view.head + 1, this.metadata.get(name)?.text ?? '', 0);
    const original = name.slice(METASTREAM_PREFIX.length);
    if (!isMetastream(name) || !this.limitsOf(original).softDeleted) return [];
    const text = events.at(-1)?.data.toString() ?? this.metadata.get(original)?.text ?? '';
    return this.recreate(original, this.head(original) + 1, text, events.length);
  }

  private recreate(name: string, from: number, metadata: string, queuedBefore: number): Draft[] {
    const data = recreatedMetadata(metadata, from);
    const stream = METASTREAM_PREFIX + name;
    const revision = this.head(stream) + 1 + queuedBefore;
    return data ? [{ stream, revision, event: metadataEvent(data) }] : [];
  }

  /** Queues the drafts as one append. The answer names the last of the first `answered` ones, or is `otherwise`. */
  private write(
    drafts: readonly Draft[],
    answered = drafts.length,
    otherwise: AppendOutcome = { kind: 'deleted' },
  ): AppendOutcome {
    const createdMs = Date.now();
    const { durable } = this.log;
    let position = this.log.startAppend();
    let outcome = otherwise;
    drafts.forEach(({ stream, revision, event }, index) => {
      const record = encodeRecord({
        ...event,
        position,
        durable,
        stream: Buffer.from(stream),
        revision,
        endOfAppend: index === drafts.length - 1,
        createdMs,
      });
      const next = this.log.write(record);
      this.catalogue.add({ stream, id: event.id, revision, position, next });
      if (isMetastream(stream) && revision !== 'tombstone') {
        this.remember(stream.slice(METASTREAM_PREFIX.length), revision, event.data.toString());
      }
      if (index < answered) {
        outcome = { kind: 'done', revision: revision === 'tombstone' ? -1 : revision, position };
      }
      position = next;
    });
    return outcome;
  }

  private remember(name: string, revision: number, text: string): KnownMetadata {
    const known = { revision, text, limits: parseLimits(text) };
    this.metadata.set(name, known);
    return known;
  }
}

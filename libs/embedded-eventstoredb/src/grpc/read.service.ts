import type { ServerWritableStream } from '@grpc/grpc-js';
import { randomUUID } from 'node:crypto';
import { compileFilter, type EventFilter } from '../engine/event-filter';
import {
  AllBackwardReader,
  AllForwardReader,
  type EventReader,
  StreamBackwardReader,
  StreamForwardReader,
} from '../engine/event-readers';
import type { EventStoreEngine } from '../engine/event-store.engine';
import { LogCursor } from '../log/log-cursor';
import type { LogRecord } from '../log/record';
import { ReadCall } from './read.call';
import {
  caughtUpFrame,
  checkpointFrame,
  confirmationFrame,
  decodeReadRequest,
  type Filter,
  type ReadRequest,
  resolvedLinkFrame,
  streamNotFoundFrame,
} from './read.codec';
import { invalidArgument, shuttingDown, streamDeleted, toRpcError, unknown } from './rpc-errors';

/** Events looked at before other work of the process gets a turn. */
const EVENTS_PER_TURN = 512;
const LINK_TYPE = '$>';
const POSITION_CHECK_BYTES = 4 * 1024;

/** Serves Read: finite reads and catch-up subscriptions, each at the pace of its client. */
export class ReadService {
  private readonly calls = new Set<ReadCall>();

  constructor(private readonly engine: EventStoreEngine) {}

  /** Handles one call; never throws. */
  readonly handle = (call: ServerWritableStream<Buffer, Buffer>): void => {
    const out = new ReadCall(call);
    this.calls.add(out);
    void this.serve(call.request, out)
      .catch((error: unknown) => out.fail(toRpcError(error)))
      .finally(() => this.calls.delete(out));
  };

  /** Ends the calls that would go on for ever. */
  async close(): Promise<void> {
    await Promise.all([...this.calls].map((call) => call.fail(shuttingDown())));
  }

  private async serve(message: Buffer, out: ReadCall): Promise<void> {
    const request = decodeReadRequest(message);
    if (request.count === null) {
      if (request.stream === null) await this.subscribeToAll(request, out);
      else await this.subscribeToStream(request.stream, request, out);
      return;
    }
    const reader =
      request.stream === null ? this.allReader(request) : this.streamReader(request.stream, request);
    if (!reader) out.add(streamNotFoundFrame(request.stream as string));
    else await this.sendAll(reader, request, request.count, out);
    await out.end();
  }

  private async sendAll(
    reader: EventReader,
    request: ReadRequest,
    count: bigint,
    out: ReadCall,
  ): Promise<void> {
    const accepts = this.filterOf(request.filter);
    let left = count;
    for (let seen = 1; out.isOpen && left > 0n; seen += 1) {
      const record = reader.next();
      if (!record) return;
      if (accepts(record)) {
        left -= 1n;
        if (out.add(this.frameOf(record, request.resolveLinks))) await out.flush();
      }
      if (seen % EVENTS_PER_TURN === 0) await out.yield();
    }
  }

  private streamReader(stream: string, { from, backwards }: ReadRequest): EventReader | null {
    if (this.engine.tombstoneOf(stream) !== null) throw streamDeleted(stream);
    if (this.engine.durableHead(stream) < 0 || this.engine.limitsOf(stream).softDeleted) return null;
    if (backwards) {
      const revision = from === 'start' ? 0 : from === 'end' ? Infinity : Number(from);
      return new StreamBackwardReader(this.engine, stream, revision);
    }
    return new StreamForwardReader(this.engine, stream, from === 'start' ? 0 : Number(from));
  }

  private allReader({ from, backwards }: ReadRequest): EventReader {
    const { log } = this.engine;
    if (from === 'start')
      return backwards ? new AllBackwardReader(log, log.start) : new AllForwardReader(log, log.start);
    if (from === 'end') {
      return backwards ? new AllBackwardReader(log, log.durable) : new AllForwardReader(log, log.durable);
    }
    const position = Number(from);
    if (backwards) {
      if (position !== log.durable && !this.isEvent(position)) throw unknown('Invalid position.');
      return new AllBackwardReader(log, position);
    }
    if (position < log.start || position >= log.durable) {
      return new AllForwardReader(log, Math.max(log.start, Math.min(position, log.durable)));
    }
    if (!this.isEvent(position)) throw unknown('Invalid position.');
    return new AllForwardReader(log, position);
  }

  private isEvent(position: number): boolean {
    if (position < this.engine.log.start || position >= this.engine.log.durable) return false;
    return new LogCursor(this.engine.log, 0, POSITION_CHECK_BYTES).at(position) !== null;
  }

  private async subscribeToStream(stream: string, request: ReadRequest, out: ReadCall): Promise<void> {
    const { from, resolveLinks } = request;
    const deleted = streamDeleted(stream);
    if (this.tombstoneOnDisk(stream) !== null) throw deleted;
    out.add(confirmationFrame(randomUUID()));
    const first =
      from === 'start' ? 0 : (from === 'end' ? this.engine.durableHead(stream) : Number(from)) + 1;
    const reader = new StreamForwardReader(this.engine, stream, first);
    const unfollow = this.engine.log.follow(() => out.wake());
    let live = false;
    try {
      for (let seen = 1; out.isOpen; seen += 1) {
        const record = reader.next();
        if (record) {
          if (out.add(this.frameOf(record, resolveLinks))) await out.flush();
          if (seen % EVENTS_PER_TURN === 0) await out.yield();
          continue;
        }
        const tombstone = this.tombstoneOnDisk(stream);
        if (tombstone !== null) {
          const record = this.engine.recordAt(tombstone);
          // A metadata stream ends with its stream, whose last event is not its own.
          if (record.stream === stream) out.add(record.frame);
          throw deleted;
        }
        if (!live) out.add(caughtUpFrame());
        live = true;
        await out.flush();
        // What arrived while the flush waited wakes at once.
        if (!reader.hasMore() && this.tombstoneOnDisk(stream) === null) await out.sleep();
      }
    } finally {
      unfollow();
    }
  }

  private tombstoneOnDisk(stream: string): number | null {
    const tombstone = this.engine.tombstoneOf(stream);
    return tombstone !== null && tombstone < this.engine.log.durable ? tombstone : null;
  }

  private async subscribeToAll(request: ReadRequest, out: ReadCall): Promise<void> {
    const { log } = this.engine;
    const { filter, resolveLinks } = request;
    const accepts = this.filterOf(filter);
    out.add(confirmationFrame(randomUUID()));
    const reader = this.subscriptionReader(request);
    const interval = filter ? filter.window * filter.checkpointMultiplier : Infinity;
    const unfollow = log.follow(() => out.wake());
    let live = false;
    let scanned = 0;
    let last = -1;
    let checkpoint = -1;
    try {
      for (let seen = 1; out.isOpen; seen += 1) {
        const record = reader.next();
        if (record) {
          last = record.position;
          const accepted = accepts(record);
          const full = accepted && out.add(this.frameOf(record, resolveLinks));
          scanned += 1;
          if (scanned >= interval && (live || accepted || reader.position < log.durable)) {
            scanned = 0;
            // While it catches up, EventStoreDB names the event that it will look at next, as `commit/0`.
            const before = !live && !accepted;
            checkpoint = before ? reader.position : last;
            out.add(checkpointFrame(checkpoint, before ? 0 : checkpoint));
          }
          if (full) await out.flush();
          if (seen % EVENTS_PER_TURN === 0) await out.yield();
          continue;
        }
        if (!live) {
          if (filter && last > checkpoint) out.add(checkpointFrame(last, last));
          out.add(caughtUpFrame());
          live = true;
          scanned = 0;
        }
        await out.flush();
        if (reader.position >= log.durable) await out.sleep();
      }
    } finally {
      unfollow();
    }
  }

  /** A subscription goes on behind the event it names; one that names a checkpoint `commit/0` goes on with that event. */
  private subscriptionReader({ from, prepare }: ReadRequest): AllForwardReader {
    const { log } = this.engine;
    if (from === 'start') return new AllForwardReader(log, log.start);
    if (from === 'end' || from >= BigInt(log.durable)) return new AllForwardReader(log, log.durable);
    const position = Number(from);
    if (position < log.start) return new AllForwardReader(log, log.start);
    if (!this.isEvent(position)) throw invalidArgument('Invalid position.');
    const reader = new AllForwardReader(log, position);
    if (prepare >= from) reader.next();
    return reader;
  }

  private filterOf(filter: Filter | null): EventFilter {
    if (!filter) return () => true;
    try {
      return compileFilter(filter);
    } catch (error) {
      throw unknown((error as Error).message);
    }
  }

  private frameOf(record: LogRecord, resolveLinks: boolean): Buffer {
    if (!resolveLinks || record.type !== LINK_TYPE) return record.frame;
    const link = Buffer.from(record.frame);
    const [, revision, stream] = /^(\d{1,15})@(.+)$/s.exec(record.data.toString()) ?? [];
    const target = stream === undefined ? null : this.linkTarget(stream, Number(revision));
    return resolvedLinkFrame(link, record.position, target?.frame ?? null);
  }

  private linkTarget(stream: string, revision: number): LogRecord | null {
    if (this.engine.tombstoneOf(stream) !== null || revision < this.engine.firstVisible(stream)) return null;
    return revision <= this.engine.durableHead(stream) ? this.engine.eventAt(stream, revision) : null;
  }
}

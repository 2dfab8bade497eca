import type { sendUnaryData, ServerDuplexStream, ServerReadableStream, ServerUnaryCall } from '@grpc/grpc-js';
import type { ExpectedRevision } from '../engine/append-decision';
import type { AppendOutcome, EventStoreEngine, ProposedEvent } from '../engine/event-store.engine';
import {
  APPEND_BYTES_MAX,
  type BatchAppendRequest,
  type BatchFailure,
  checkTarget,
  decodeAppendRequest,
  decodeBatchAppendRequest,
  decodeEvent,
  decodeTargetRequest,
  encodeAppendResponse,
  encodeBatchAppendResponse,
  encodePosition,
  type Target,
} from './append.codec';
import { FrameBatch } from './frame-batch';
import {
  appendTooLarge,
  invalidArgument,
  RpcError,
  shuttingDown,
  streamDeleted,
  toRpcError,
  wrongRevision,
} from './rpc-errors';

/** Events and appends of one call that may wait for their last message. */
const PENDING_EVENTS_MAX = 50_000;
const PENDING_APPENDS_MAX = 1_000;

type CheckedTarget = Target & { expected: ExpectedRevision };
type PendingAppend = { readonly target: CheckedTarget; readonly events: ProposedEvent[]; bytes: number };

/** Serves Append, BatchAppend, Delete and Tombstone. */
export class AppendService {
  private readonly batchCalls = new Set<BatchAppendCall>();

  constructor(private readonly engine: EventStoreEngine) {}

  readonly append = (call: ServerReadableStream<Buffer, Buffer>, callback: sendUnaryData<Buffer>): void => {
    let target: CheckedTarget | null = null;
    const events: ProposedEvent[] = [];
    let bytes = 0;
    let answered = false;
    const answer = (error: unknown, response?: Buffer): void => {
      if (answered) return;
      answered = true;
      if (error) callback(toRpcError(error));
      else callback(null, response);
    };
    call.on('data', (message: Buffer) => {
      if (answered) return;
      try {
        const request = decodeAppendRequest(message);
        if ('target' in request) target = checkTarget(request.target);
        else {
          const event = decodeEvent(request.event);
          bytes += event.data.length;
          if (bytes > APPEND_BYTES_MAX) throw appendTooLarge(APPEND_BYTES_MAX);
          if (events.length === PENDING_EVENTS_MAX) throw invalidArgument('The append has too many events.');
          events.push(event);
        }
      } catch (error) {
        answer(error);
      }
    });
    call.on('end', () => {
      if (answered) return;
      if (!target) return answer(invalidArgument('The append names no stream.'));
      const { stream, expected } = target;
      this.engine.append(stream, expected, events).then((outcome) => {
        if (outcome.kind === 'deleted') answer(streamDeleted(stream));
        else answer(null, encodeAppendResponse(outcome, expected));
      }, answer);
    });
    call.on('error', answer);
  };

  readonly batchAppend = (call: ServerDuplexStream<Buffer, Buffer>): void => {
    const served = new BatchAppendCall(this.engine, call);
    this.batchCalls.add(served);
    call.on('close', () => this.batchCalls.delete(served));
    call.on('cancelled', () => this.batchCalls.delete(served));
  };

  readonly delete = (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>): void =>
    this.closeStream(call.request, callback, (stream, expected) => this.engine.delete(stream, expected));

  readonly tombstone = (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>): void =>
    this.closeStream(call.request, callback, (stream, expected) => this.engine.tombstone(stream, expected));

  /** Ends the calls that would go on for ever. */
  close(): void {
    for (const call of this.batchCalls) call.fail(shuttingDown());
  }

  private closeStream(
    message: Buffer,
    callback: sendUnaryData<Buffer>,
    close: (stream: string, expected: ExpectedRevision) => Promise<AppendOutcome>,
  ): void {
    const answer = async (): Promise<Buffer> => {
      const { stream, expected } = checkTarget(decodeTargetRequest(message));
      const outcome = await close(stream, expected);
      if (outcome.kind === 'deleted') throw streamDeleted(stream);
      if (outcome.kind === 'wrong-revision') throw wrongRevision(stream, expected, outcome.actual);
      return encodePosition(outcome.position);
    };
    answer().then(
      (response) => callback(null, response),
      (error: unknown) => callback(toRpcError(error)),
    );
  }
}

/** One BatchAppend call: many appends, each of one or more messages, answered as they come to rest. */
class BatchAppendCall {
  private readonly pending = new Map<string, PendingAppend>();
  private readonly replies = new FrameBatch();
  private unanswered = 0;
  private halfClosed = false;
  private failed = false;

  constructor(
    private readonly engine: EventStoreEngine,
    private readonly call: ServerDuplexStream<Buffer, Buffer>,
  ) {
    call.on('data', (message: Buffer) => {
      try {
        this.receive(decodeBatchAppendRequest(message));
      } catch (error) {
        this.fail(toRpcError(error));
      }
    });
    call.on('end', () => {
      this.halfClosed = true;
      this.endWhenAnswered();
    });
    call.on('error', () => (this.failed = true));
    call.on('cancelled', () => (this.failed = true));
  }

  fail(error: RpcError): void {
    if (this.failed) return;
    this.failed = true;
    this.call.emit('error', error);
  }

  private receive({ correlationId, target, events, isFinal }: BatchAppendRequest): void {
    const key = correlationId.toString('latin1');
    let append = this.pending.get(key);
    try {
      if (target && !append) {
        if (target.deadlineMs <= Date.now()) return this.reply(correlationId, target, { kind: 'timeout' });
        append = { target: checkTarget(target), events: [], bytes: 0 };
      }
      // The rest of an append that was refused before.
      if (!append) return;
      for (const packed of events) {
        const event = decodeEvent(packed);
        append.bytes += event.data.length;
        append.events.push(event);
      }
    } catch (error) {
      this.pending.delete(key);
      const { message } = error as Error;
      return this.reply(correlationId, append?.target ?? target, { kind: 'bad-request', message });
    }
    if (append.bytes > APPEND_BYTES_MAX || append.events.length > PENDING_EVENTS_MAX) {
      this.pending.delete(key);
      return this.reply(correlationId, append.target, { kind: 'too-large' });
    }
    if (isFinal) {
      this.pending.delete(key);
      this.write(correlationId, append);
    } else {
      this.pending.set(key, append);
      if (this.pending.size > PENDING_APPENDS_MAX) throw invalidArgument('Too many appends are incomplete.');
    }
  }

  private write(correlationId: Buffer, { target, events }: PendingAppend): void {
    this.unanswered += 1;
    // Not taking more messages is how a client learns that the disk cannot keep up.
    if (this.engine.log.isSaturated) this.call.pause();
    this.engine.append(target.stream, target.expected, events).then(
      (outcome) => {
        this.unanswered -= 1;
        if (this.call.isPaused()) this.call.resume();
        this.reply(correlationId, target, outcome);
        this.endWhenAnswered();
      },
      (error: unknown) => this.fail(toRpcError(error)),
    );
  }

  private reply(correlationId: Buffer, target: Target | null, outcome: AppendOutcome | BatchFailure): void {
    if (this.failed) return;
    if (this.replies.isEmpty) queueMicrotask(() => this.send());
    const identifier = target?.identifier ?? Buffer.alloc(0);
    this.replies.add(
      encodeBatchAppendResponse(correlationId, identifier, target?.expected ?? 'any', outcome),
    );
  }

  /** All answers of one group commit leave in one write. */
  private send(): void {
    if (!this.failed && !this.replies.isEmpty) this.call.write(this.replies.take());
  }

  private endWhenAnswered(): void {
    if (!this.halfClosed || this.unanswered > 0 || this.failed) return;
    this.send();
    this.call.end();
  }
}

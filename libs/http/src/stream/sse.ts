import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { AccessRecorder } from '../access-log/access-recorder';
import { AccessGuard } from '../access/access.guard';
import type { HttpReply, HttpRequest } from '../access/request';
import { HttpProblem } from '../problem/problem';

const CLIENTS_MAX = 1_000;
const HEARTBEAT_MS = 15_000;
/** A revoked or expired key ends its feeds within about so long. */
const KEY_CHECK_MS = 2_000;
const RETRY_MS = 2_000;
/** A client that takes nothing for so long is let go; it resumes by its last event id. */
const STALLED_MS = 30_000;

export type SseEvent = Readonly<{
  /** Position to resume behind; only on events that are in the log. */
  id?: string;
  event?: string;
  /** Sent as JSON. */
  data: unknown;
}>;

/** One client's stream of server-sent events (WHATWG HTML, section 9.2). */
export class SseStream {
  private readonly ended = new AbortController();
  private readonly heartbeat: NodeJS.Timeout;

  constructor(private readonly response: ServerResponse) {
    response.on('close', () => this.close());
    response.on('error', () => this.close());
    // A comment carries no id, so that a client never resumes behind something that it was not sent.
    this.heartbeat = setInterval(() => {
      if (!response.writableNeedDrain) response.write(': \n\n');
    }, HEARTBEAT_MS);
  }

  /** Aborts when the client is gone or the process stops. */
  get closed(): AbortSignal {
    return this.ended.signal;
  }

  /** Resolves when the client can take more: false if it is gone. Whoever waits for it holds one event at a time. */
  async send({ id, event, data }: SseEvent): Promise<boolean> {
    if (this.closed.aborted) return false;
    const lines = [
      ...(id === undefined ? [] : [`id: ${id}`]),
      ...(event === undefined ? [] : [`event: ${event}`]),
      // JSON has no raw line feeds, so that one data line is enough.
      `data: ${JSON.stringify(data)}`,
    ];
    if (this.response.write(`${lines.join('\n')}\n\n`)) return true;
    const stalled = setTimeout(() => this.close(), STALLED_MS);
    try {
      await once(this.response, 'drain', { signal: this.closed });
      return true;
    } catch {
      return false;
    } finally {
      clearTimeout(stalled);
    }
  }

  /** Ends the stream; whatever waits on it is told. */
  close(): void {
    if (this.closed.aborted) return;
    clearInterval(this.heartbeat);
    this.ended.abort();
    this.response.end();
    // A client that reads nothing would keep the connection open, and with it the process.
    setTimeout(() => this.response.destroy(), 1_000).unref();
  }
}

/** Opens streams of server-sent events, at most so many at once, and ends them when the process stops. */
@Injectable()
export class SseStreams implements BeforeApplicationShutdown {
  private readonly open = new Map<SseStream, HttpRequest>();
  private readonly timer = setInterval(() => void this.endOfRevokedKeys(), KEY_CHECK_MS).unref();
  private stopping = false;

  constructor(
    private readonly recorder: AccessRecorder,
    private readonly guard: AccessGuard,
  ) {}

  /**
   * Turns a reply into a stream, once its record is in the privacy log; the route takes it by `@Res()` and answers
   * nothing itself. Throws a 503 problem when there are too many clients, and what AccessLog.record throws.
   */
  async start(reply: HttpReply): Promise<SseStream> {
    if (this.stopping || this.open.size >= CLIENTS_MAX) {
      throw new HttpProblem(503, 'too-many-streams', 'Too many live feeds are open; try again later.');
    }
    const request = reply.request as HttpRequest;
    await this.recorder.recordOpening(request);
    reply.hijack();
    const { raw } = reply;
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) raw.setHeader(name, value);
    raw.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      // Proxies such as nginx would hold events back.
      'X-Accel-Buffering': 'no',
    });
    raw.write(`retry: ${RETRY_MS}\n\n`);
    const stream = new SseStream(raw);
    this.open.set(stream, request);
    stream.closed.addEventListener('abort', () => this.open.delete(stream));
    return stream;
  }

  get size(): number {
    return this.open.size;
  }

  beforeApplicationShutdown(): void {
    this.stopping = true;
    clearInterval(this.timer);
    for (const stream of this.open.keys()) stream.close();
  }

  /** A feed lives no longer than the key it was opened with. */
  private async endOfRevokedKeys(): Promise<void> {
    for (const [stream, request] of this.open) {
      if (!(await this.guard.stillAdmits(request))) stream.close();
    }
  }
}

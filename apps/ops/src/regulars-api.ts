import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import type { Connection } from './connection';
import { OpsError } from './ops.errors';

export type ApiRequest = Readonly<{
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/v1`, with the query. */
  path: string;
  body?: object;
  idempotencyKey?: string;
}>;

export type ApiAnswer<Body = Readonly<Record<string, unknown>>> = Readonly<{
  status: number;
  body: Body;
  /** The instance had done this before and answered as it did then. */
  replayed: boolean;
}>;

/** The instance understood and refused. */
export class RefusedError extends OpsError {
  constructor(
    readonly request: ApiRequest,
    readonly status: number,
    readonly problem: Readonly<Record<string, unknown>>,
  ) {
    super(
      `${request.method} /v1${request.path} was refused: ${status} ${String(problem['title'] ?? '')} ${String(problem['detail'] ?? '')}`.trim(),
    );
  }
}

export type ApiLimits = Readonly<{
  /** Requests at once; further ones wait. */
  connections: number;
  /** How long one request is tried again while the instance is away or busy. */
  patienceMs: number;
}>;

const BUSY = new Set([429, 502, 503, 504]);
const BACKOFF_FIRST_MS = 100;
const BACKOFF_MAX_MS = 2_000;
const RETRY_AFTER_MAX_MS = 10_000;
const ANSWER_TIMEOUT_MS = 35_000;
/** Who never heard from an instance waits so long for it to listen: it is more likely another address than a restart. */
const LISTENS_WITHIN_MS = 5_000;

/**
 * The HTTP API of a running instance, over kept-alive connections. A request that meets a lost connection, a busy or a
 * restarting instance is sent again with backoff until the patience ends, so every command sent must be safe to
 * repeat: by an Idempotency-Key or by a key of its own (contact id, invoice number, …).
 */
export class RegularsApi {
  private readonly pool: Pool;
  private readonly headers: Readonly<Record<string, string>>;
  private hasAnswered = false;

  constructor(
    private readonly connection: Connection,
    private readonly limits: ApiLimits,
  ) {
    const { url, key } = connection;
    this.pool = new Pool(new URL(url).origin, {
      connections: limits.connections,
      headersTimeout: ANSWER_TIMEOUT_MS,
      bodyTimeout: ANSWER_TIMEOUT_MS,
    });
    this.headers = { authorization: `Bearer ${key}` };
  }

  /** The answer; throws RefusedError unless it is a success or one of `expected`. */
  async send<Body = Readonly<Record<string, unknown>>>(
    request: ApiRequest,
    expected: readonly number[] = [],
  ): Promise<ApiAnswer<Body>> {
    const { status, bytes, replayed } = await this.exchange(request, expected);
    return { status, body: parse(bytes.toString('utf8')) as Body, replayed };
  }

  /** What lies at the path, as it is; throws RefusedError unless it is there. */
  async read(path: string): Promise<Buffer> {
    return (await this.exchange({ method: 'GET', path }, [])).bytes;
  }

  private async exchange(request: ApiRequest, expected: readonly number[]) {
    const startedAt = Date.now();
    const deadline = startedAt + this.limits.patienceMs;
    for (let attempt = 0; ; attempt += 1) {
      let waitMs = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** attempt) * (0.5 + Math.random() / 2);
      let failure: string;
      try {
        const answer = await this.once(request);
        this.hasAnswered = true;
        if (!BUSY.has(answer.status)) {
          if (answer.status < 300 || expected.includes(answer.status)) return answer;
          throw new RefusedError(request, answer.status, parse(answer.bytes.toString('utf8')));
        }
        failure = `it answered ${answer.status}`;
        waitMs = Math.max(waitMs, answer.retryAfterMs);
      } catch (error) {
        if (error instanceof OpsError) throw error;
        failure = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
      }
      if (failure === 'ECONNREFUSED' && !this.hasAnswered && Date.now() > startedAt + LISTENS_WITHIN_MS) {
        throw new OpsError(
          `Nobody listens at ${this.connection.url} (ECONNREFUSED). Is Regulars running there? Another address is given by --url.`,
        );
      }
      if (Date.now() + waitMs > deadline) {
        throw new OpsError(
          `No answer from ${request.method} /v1${request.path} in ${this.limits.patienceMs / 1_000} s: ${failure}. ` +
            'What was acknowledged is kept; run the same command again to go on.',
        );
      }
      await delay(waitMs);
    }
  }

  close(): Promise<void> {
    return this.pool.close();
  }

  private async once({ method, path, body, idempotencyKey }: ApiRequest) {
    const answer = await this.pool.request({
      method,
      path: `/v1${path}`,
      headers: {
        ...this.headers,
        ...(body && { 'content-type': 'application/json' }),
        ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
      },
      body: body ? JSON.stringify(body) : null,
    });
    const retryAfterS = Number(answer.headers['retry-after'] ?? 0);
    return {
      status: answer.statusCode,
      bytes: Buffer.from(await answer.body.arrayBuffer()),
      replayed: answer.headers['idempotency-replayed'] === 'true',
      retryAfterMs: Number.isFinite(retryAfterS) ? Math.min(retryAfterS * 1_000, RETRY_AFTER_MAX_MS) : 0,
    };
  }
}

const parse = (text: string): Readonly<Record<string, unknown>> => {
  if (text === '') return {};
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return { detail: text.slice(0, 200) };
  }
};

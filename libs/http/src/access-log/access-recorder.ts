import { createHmac, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { StaleRevisionError } from '@app/event-store';
import { Clock, DomainError } from '@app/kernel';
import { Secrets } from '@app/personal-data';
import type { FastifyInstance } from 'fastify';
import type { AccessRule } from '../access/access.decorator';
import type { HttpReply, HttpRequest, RoutePlan } from '../access/request';
import { isSlug, isUuid } from '../input/rules';
import { Metrics } from '../operation/metrics';
import { AccessLog, type AccessRecord } from './access-log.port';
import { networkOf } from './network';
import { shownBy } from './shown';

const FINGERPRINT_BYTES = 16;
/** They say which page of an answer, not what was asked. */
const PAGING = new Set(['limit', 'cursor', 'minPosition', 'lastEventId']);
/** What a command on a contact is refused with that nobody has registered: there is nobody to tell of. */
const CONTACT_MISSING = 'contacts.not-found';

/**
 * Sees to it that no answer shows anything before a record of it is durable. Commands that changed something are left to
 * their own events; everything else that somebody with a key was shown or denied gets its record here, in one place, so
 * that no route can forget it.
 */
@Injectable()
export class AccessRecorder {
  private readonly fingerprintKey: Buffer;

  constructor(
    private readonly log: AccessLog,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
    secrets: Secrets,
  ) {
    this.fingerprintKey = secrets.derive('query-fingerprint');
  }

  /** Hooks of fastify, which no answer can pass by: JSON as an object, everything else as it is sent. */
  observe(fastify: FastifyInstance): void {
    fastify.addHook('preSerialization', (request, reply, payload, done) => {
      this.before(request as HttpRequest, reply, payload, (error) => done(error as Error & null, payload));
    });
    fastify.addHook('onSend', (request, reply, payload, done) => {
      this.before(request as HttpRequest, reply, undefined, (error) => done(error as Error & null, payload));
    });
  }

  /** For whoever takes the reply over; await it before the first byte. */
  async recordOpening(request: HttpRequest): Promise<void> {
    const record = this.recordOf(request, 200, undefined);
    if (record) await this.log.record(record);
  }

  private before(
    request: HttpRequest,
    reply: HttpReply,
    payload: unknown,
    done: (error?: Error) => void,
  ): void {
    if (request.accessRecorded === true) return done();
    let record: AccessRecord | undefined;
    try {
      record = this.recordOf(request, reply.statusCode, payload);
    } catch (error) {
      request.accessRecorded = true;
      return done(error as Error);
    }
    if (record === undefined) return done();
    // Also where it cannot be recorded: the problem that is sent instead shows nothing.
    request.accessRecorded = true;
    this.log.record(record).then(
      () => done(),
      (error: Error) => done(error),
    );
  }

  private recordOf(request: HttpRequest, status: number, answer: unknown): AccessRecord | undefined {
    const { plan, actor } = request;
    if (!plan?.access) return undefined;
    if (actor === undefined) {
      if (status === 401) this.metrics.countUnauthenticated();
      request.accessRecorded = true;
      return undefined;
    }
    const outcome = outcomeOf(request, plan.access, status);
    if (outcome === undefined) return undefined;
    const named = contactNamedBy(request);
    const isShown = outcome === 'allowed' && status !== 304;
    const shown = shownBy(isShown ? answer : undefined, named);
    const { action, command, shows } = plan.access;
    const asked = command === undefined && takesFilter(plan) ? this.fingerprintOf(request) : undefined;
    const onBehalfOf = slugOf(request, 'regulars-on-behalf-of');
    const purpose = slugOf(request, 'regulars-purpose');
    const network = networkOf(request.ip);
    return {
      // A client may choose a request's id, and choose it twice.
      recordId: request.headers['x-request-id'] === undefined ? request.id : randomUUID(),
      actor,
      ...(onBehalfOf !== undefined && { onBehalfOf }),
      ...(purpose !== undefined && { purpose }),
      correlationId: request.id,
      at: this.clock.now().toISOString(),
      action,
      ...(command !== undefined && { command }),
      outcome,
      ...shown,
      ...(isShown && answer === undefined && shows !== undefined && { fields: shows }),
      ...(asked !== undefined && { query: asked }),
      ...(network !== undefined && { network }),
    };
  }

  /** Keyed, so that nobody can find a name by trying what its search would give. */
  private fingerprintOf(request: HttpRequest): string {
    const asked = [request.query, request.body].map((part) => Object.entries((part ?? {}) as object));
    const filters = asked.map((entries) =>
      entries.filter(([name]) => !PAGING.has(name)).sort(([a], [b]) => (a < b ? -1 : 1)),
    );
    return createHmac('sha256', this.fingerprintKey)
      .update(JSON.stringify([request.routeOptions.url, filters]))
      .digest()
      .toString('base64url', 0, FINGERPRINT_BYTES);
  }
}

/** Undefined: nothing was shown that is not told elsewhere. */
const outcomeOf = (
  request: HttpRequest,
  { command, unlogged }: AccessRule,
  status: number,
): AccessRecord['outcome'] | undefined => {
  if (status === 403) return 'denied';
  if (status < 400) {
    if (unlogged === true) return undefined;
    // An event of its own tells of a command, unless nothing had to be recorded.
    return command === undefined || request.replayed === true || request.unchanged === true
      ? 'allowed'
      : undefined;
  }
  if (unlogged === true) return undefined;
  return isRefusal(request.failure, command !== undefined) ? 'failed' : undefined;
};

/** The rules said no, on something that is there; or a read was told that something is gone or was never there. */
const isRefusal = (failure: unknown, ofCommand: boolean): boolean => {
  if (!(failure instanceof DomainError)) return failure instanceof StaleRevisionError;
  const { kind, code } = failure;
  if (!ofCommand) return kind === 'not-found' || kind === 'gone';
  return kind !== 'unavailable' && code !== CONTACT_MISSING;
};

const takesFilter = ({ queryNames, takesBody }: RoutePlan): boolean => {
  for (const name of queryNames) if (!PAGING.has(name)) return true;
  return takesBody;
};

const contactNamedBy = (request: HttpRequest): string | undefined => {
  const { contactId: inPath } = (request.params ?? {}) as { contactId?: unknown };
  const { contactId: inQuery } = (request.query ?? {}) as { contactId?: unknown };
  const { contactId: inBody } = (request.body ?? {}) as { contactId?: unknown };
  const named = inPath ?? inQuery ?? inBody;
  return isUuid(named) ? named.toLowerCase() : undefined;
};

const slugOf = (request: HttpRequest, header: string): string | undefined => {
  const value = request.headers[header];
  return isSlug(value) ? value : undefined;
};

import {
  Injectable,
  SetMetadata,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import type { Outcome } from '@app/kernel';
import { map, type Observable } from 'rxjs';
import type { HttpReply, HttpRequest } from '../access/request';

const LOCATION = 'regulars:location';
/** Routes whose answers are one contact, whose stream's revision is its ETag. */
const CONTACT_ROUTES = '/v1/contacts';

/** The Location header of what a route created: a path with names of the answer's fields, `/v1/contacts/:contactId`. */
export const Location = (template: string): MethodDecorator => SetMetadata(LOCATION, template);

const isOutcome = (value: unknown): value is Outcome =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as Outcome).position === 'bigint' &&
  typeof (value as Outcome).answer === 'object';

/** Turns what commands end with into their HTTP answer, and puts the ETag on what is read of a contact. */
@Injectable()
export class OutcomeInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((value: unknown) => this.answer(context, value)));
  }

  private answer(context: ExecutionContext, value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    const http = context.switchToHttp();
    const request = http.getRequest<HttpRequest>();
    const reply = http.getResponse<HttpReply>();
    const body = isOutcome(value) ? answerOf(value) : value;
    const { revision } = body as { revision?: unknown };
    if (typeof revision === 'number' && request.routeOptions.url?.startsWith(CONTACT_ROUTES)) {
      reply.header('ETag', `"${revision}"`);
    }
    if (isOutcome(value)) {
      request.replayed = value.replayed;
      if (value.replayed) reply.header('Idempotency-Replayed', 'true');
      const template = Reflect.getMetadata(LOCATION, context.getHandler()) as string | undefined;
      if (template !== undefined) reply.header('Location', filled(template, body));
    }
    return body;
  }
}

const answerOf = ({ answer, revision, position }: Outcome): object => ({
  ...answer,
  revision,
  position: position.toString(),
});

const filled = (template: string, answer: object): string =>
  template.replace(/:(\w+)/g, (_, name: string) =>
    encodeURIComponent(String((answer as Record<string, unknown>)[name])),
  );

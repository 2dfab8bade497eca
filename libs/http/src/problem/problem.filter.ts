import { Catch, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { HttpReply, HttpRequest } from '../access/request';
import { RouteTable } from '../operation/route-table';
import { HttpProblem } from './problem';
import { httpProblemOf, problemAnswer } from './problem-of';

/** Answers every error with a problem document (RFC 9457), whoever threw it: contexts, the framework or fastify. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Http');

  constructor(private readonly routes: RouteTable) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<HttpRequest>();
    const reply = http.getResponse<HttpReply>();
    request.failure = error;
    const problem = this.problemOf(error, request);
    if (problem.status === 500) this.logger.error(error);
    // The client went away, or was sent the beginning of another answer.
    if (reply.sent || reply.raw.headersSent) return;
    const { headers, body } = problemAnswer(problem, request.url, request.id);
    const retryAfter = reply.getHeader('retry-after');
    reply.code(problem.status).headers(headers);
    // The limiter of requests knows better when to come again.
    if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
    void reply.send(body);
  }

  private problemOf(error: unknown, request: HttpRequest): HttpProblem {
    const problem = httpProblemOf(error);
    if (!request.is404 || problem.status !== 404) return problem;
    const allowed = this.routes.methodsAt(request.url.split('?', 1)[0]!);
    if (allowed.length === 0) return problem;
    return new HttpProblem(405, 'method-not-allowed', `This path takes ${allowed.join(', ')}.`, {
      headers: { Allow: allowed.join(', ') },
    });
  }
}

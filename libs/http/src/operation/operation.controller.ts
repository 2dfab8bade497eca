import { Controller, Get, Header, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from '../access/access.decorator';
import type { HttpReply } from '../access/request';
import { Metrics } from './metrics';
import { Readiness, type ReadinessReport } from './readiness.port';

/** For load balancers and monitoring. Open to everybody who reaches the port, and free of personal values. */
@ApiExcludeController()
@Controller()
export class OperationController {
  constructor(
    private readonly readiness: Readiness,
    private readonly metrics: Metrics,
  ) {}

  @Get('health/live')
  @Public()
  @Header('Cache-Control', 'no-store')
  live(): object {
    return { status: 'live' };
  }

  @Get('health/ready')
  @Public()
  @Header('Cache-Control', 'no-store')
  async ready(@Res({ passthrough: true }) reply: HttpReply): Promise<ReadinessReport> {
    const report = await this.readiness.report();
    if (!report.ready) reply.code(503).header('Retry-After', '1');
    return report;
  }

  @Get('metrics')
  @Public()
  async figures(@Res({ passthrough: true }) reply: HttpReply): Promise<string> {
    reply.header('Content-Type', this.metrics.registry.contentType);
    return this.metrics.registry.metrics();
  }
}

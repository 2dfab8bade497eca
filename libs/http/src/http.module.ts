import { Global, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE, DiscoveryModule } from '@nestjs/core';
import { Clock } from '@app/kernel';
import { Secrets } from '@app/personal-data';
import { AccessRecorder } from './access-log/access-recorder';
import { AccessGuard } from './access/access.guard';
import { DeclaredAccessCheck } from './access/declared-access.check';
import { CommandContextFactory } from './command/command-context.factory';
import { DtoPipe } from './input/dto.pipe';
import { Metrics } from './operation/metrics';
import { OperationController } from './operation/operation.controller';
import { RouteTable } from './operation/route-table';
import { CursorCodec } from './paging/cursor.codec';
import { ProblemFilter } from './problem/problem.filter';
import { SseStreams } from './stream/sse';

/**
 * Everything that routes share: who may call them, validation, problem documents, cursors, streams, health and figures.
 * Needs Secrets, Clock, Authenticator, AccessLog and Readiness from global modules.
 */
@Global()
@Module({
  imports: [DiscoveryModule],
  controllers: [OperationController],
  providers: [
    RouteTable,
    Metrics,
    SseStreams,
    AccessRecorder,
    DeclaredAccessCheck,
    { provide: CursorCodec, useFactory: (secrets: Secrets) => new CursorCodec(secrets), inject: [Secrets] },
    {
      provide: CommandContextFactory,
      useFactory: (secrets: Secrets, clock: Clock) => new CommandContextFactory(secrets, clock),
      inject: [Secrets, Clock],
    },
    AccessGuard,
    { provide: APP_GUARD, useExisting: AccessGuard },
    { provide: APP_PIPE, useClass: DtoPipe },
    { provide: APP_FILTER, useClass: ProblemFilter },
  ],
  exports: [CursorCodec, Metrics, SseStreams, DeclaredAccessCheck],
})
export class HttpModule {}

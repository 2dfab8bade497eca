import { Readable } from 'node:stream';
import { Controller, Get, Res } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { Access, CurrentActor, MinPosition, UuidParam, type HttpReply } from '@app/http';
import type { Actor } from '@app/kernel';
import { GetErasureQuery, type ErasureView } from '../read-models/get-erasure/get-erasure.query';
import type { HeldFact } from '../application/subject-access/held-fact';
import { HELD_FIELDS, SubjectAccess } from '../application/subject-access/subject-access';
import { ErasureShape } from './erasure.answers';

/** What people, and those who answer to them, are shown about their data. */
@ApiTags('personal data')
@Controller('contacts')
export class ErasureQueriesController {
  constructor(
    private readonly queries: QueryBus,
    private readonly subjectAccess: SubjectAccess,
  ) {}

  @Get(':contactId/erasure')
  @ApiOperation({
    summary: 'How far an erasure is, with a signed receipt',
    description:
      'The receipt says first that the data are unreachable, then that no byte of them is left. `signature` is Ed25519 over the ' +
      'RFC 8785 form of the receipt without it.',
  })
  @ApiOkResponse({ type: ErasureShape, description: 'The latest erasure.' })
  @Access({ roles: ['operator', 'auditor'], action: 'erasure.step' })
  erasure(
    @UuidParam('contactId') contactId: string,
    @MinPosition() minPosition?: bigint,
  ): Promise<ErasureView> {
    return this.queries.execute(new GetErasureQuery(contactId, minPosition));
  }

  @Get(':contactId/subject-access')
  @ApiOperation({
    summary: 'Everything held about a person',
    description:
      'One JSON object a line, each with the event it comes from: all events, oldest first, then what was worked out from them, ' +
      'such as the segments that the person was found to be in.',
  })
  @ApiProduces('application/x-ndjson')
  @Access({ roles: ['operator', 'auditor'], action: 'contact.export', shows: HELD_FIELDS })
  async export(
    @UuidParam('contactId') contactId: string,
    @CurrentActor() { role }: Actor,
    @Res() reply: HttpReply,
  ): Promise<void> {
    const facts = await this.subjectAccess.of(contactId, role);
    // Pulled as the client takes it, so that a long history needs no more memory than a short one.
    await reply.type('application/x-ndjson').send(Readable.from(lines(facts), { objectMode: false }));
  }
}

async function* lines(facts: AsyncIterable<HeldFact>): AsyncGenerator<Buffer> {
  for await (const fact of facts) yield Buffer.from(`${JSON.stringify(fact)}\n`, 'utf8');
}

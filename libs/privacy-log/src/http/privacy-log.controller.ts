import { Controller, Get, Header, Post, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import {
  ApiCreatedResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiTags,
} from '@nestjs/swagger';
import { ContactPresence } from '@app/contacts';
import { Access, Context, CurrentActor, MinPosition, PageQueryDto, UuidParam } from '@app/http';
import type { Actor, CommandContext, Outcome } from '@app/kernel';
import { PrivacyLogSigner } from '../application/signing/privacy-log-signer';
import { RotateSigningKeyCommand } from '../application/signing/rotate-signing-key.command';
import { ListEntriesQuery, type EntryPage } from '../read-models/list-entries/list-entries.query';
import { GetCheckpointQuery } from '../read-models/prove-entries/checkpoint.query';
import {
  ProveConsistencyQuery,
  ProveInclusionQuery,
  type ConsistencyAnswer,
  type InclusionAnswer,
} from '../read-models/prove-entries/proofs.queries';
import {
  ConsistencyProofShape,
  EntryPageShape,
  InclusionProofShape,
  SigningKeyShape,
} from './privacy-log.answers';
import { ConsistencyDto, InclusionDto, ListEntriesDto } from './privacy-log.dto';

const READ = { roles: ['auditor'], action: 'log.read' } as const;

/** Who has seen, changed or tried what, and the proof that nothing of it was changed. */
@ApiTags('privacy-log')
@Controller('privacy-log')
export class PrivacyLogController {
  constructor(
    private readonly queries: QueryBus,
    private readonly commands: CommandBus,
    private readonly signer: PrivacyLogSigner,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Entries, newest first' })
  @ApiOkResponse({ type: EntryPageShape, description: 'A page of entries.' })
  @Access(READ)
  list(
    @Query() { limit, cursor, ...filter }: ListEntriesDto,
    @MinPosition() minPosition?: bigint,
  ): Promise<EntryPage> {
    return this.queries.execute(new ListEntriesQuery(filter, limit, cursor, minPosition));
  }

  @Get('key')
  @ApiOperation({ summary: 'The key that checkpoints are verified with, as Go’s note package writes it' })
  @ApiProduces('text/plain')
  @Header('Content-Type', 'text/plain; charset=utf-8')
  @Access({ ...READ, unlogged: true })
  async key(): Promise<string> {
    const [inForce] = await this.signer.verifierKeys();
    return String(inForce);
  }

  @Get('keys')
  @ApiOperation({
    summary: 'All keys that have ever signed, a line each',
    description: 'The key in force first; behind each other one stands until when it signed.',
  })
  @ApiProduces('text/plain')
  @Header('Content-Type', 'text/plain; charset=utf-8')
  @Access({ ...READ, unlogged: true })
  async keys(): Promise<string> {
    const keys = await this.signer.verifierKeys();
    return keys
      .map((key) => `${key}${key.validUntil === undefined ? '' : ` until ${key.validUntil}`}\n`)
      .join('');
  }

  @Post('key/rotation')
  @ApiOperation({ summary: 'Put the next signing key in force' })
  @ApiCreatedResponse({ type: SigningKeyShape, description: 'The key in force.' })
  @Access({ roles: [], action: 'access.change', command: 'RotateSigningKey' })
  rotate(
    @Context() context: CommandContext,
  ): Promise<Outcome<Readonly<{ keyNumber: number; publicKey: string }>>> {
    return this.commands.execute(new RotateSigningKeyCommand(context));
  }

  @Get('checkpoint')
  @ApiOperation({
    summary: 'The last signed checkpoint (c2sp.org/tlog-checkpoint)',
    description: 'The first one follows the first entry within seconds; until then there is none.',
  })
  @ApiOkResponse()
  @ApiNotFoundResponse()
  @ApiProduces('text/plain')
  @Header('Content-Type', 'text/plain; charset=utf-8')
  @Access({ ...READ, unlogged: true })
  checkpoint(): Promise<string> {
    return this.queries.execute(new GetCheckpointQuery());
  }

  @Get('proofs/inclusion')
  @ApiOperation({ summary: 'That an entry is in the log (RFC 9162, section 2.1.3)' })
  @ApiOkResponse({ type: InclusionProofShape, description: 'The proof.' })
  @Access(READ)
  inclusion(@Query() { index, size }: InclusionDto): Promise<InclusionAnswer> {
    return this.queries.execute(new ProveInclusionQuery(index, size));
  }

  @Get('proofs/consistency')
  @ApiOperation({
    summary: 'That nothing was changed between two sizes of the log (RFC 9162, section 2.1.4)',
  })
  @ApiOkResponse({ type: ConsistencyProofShape, description: 'The proof.' })
  @Access(READ)
  consistency(@Query() { from, to }: ConsistencyDto): Promise<ConsistencyAnswer> {
    return this.queries.execute(new ProveConsistencyQuery(from, to));
  }
}

/** What the log says of one contact. */
@ApiTags('contacts')
@Controller('contacts')
export class ContactPrivacyLogController {
  constructor(
    private readonly queries: QueryBus,
    private readonly contacts: ContactPresence,
  ) {}

  @Get(':contactId/privacy-log')
  @ApiOperation({ summary: 'Who has seen or changed what of a contact, newest first' })
  @ApiOkResponse({ type: EntryPageShape, description: 'A page of entries.' })
  @Access({ roles: ['operator', 'auditor'], action: 'log.read' })
  async list(
    @UuidParam('contactId') contactId: string,
    @Query() { limit, cursor }: PageQueryDto,
    @CurrentActor() { role }: Actor,
    @MinPosition() minPosition?: bigint,
  ): Promise<EntryPage> {
    await this.contacts.checkLog(contactId, role, minPosition);
    return this.queries.execute(new ListEntriesQuery({ contactId }, limit, cursor, minPosition));
  }
}

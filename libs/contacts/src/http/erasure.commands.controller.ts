import { Body, Controller, Delete, HttpCode, Post, Put } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiAcceptedResponse, ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, Context, UuidParam } from '@app/http';
import type { CommandContext, Outcome } from '@app/kernel';
import {
  CancelErasureCommand,
  EraseContactCommand,
  type ErasureAnswer,
} from '../application/erasure/erase-contact.commands';
import {
  ObjectToProfilingCommand,
  RestrictProcessingCommand,
} from '../application/subject-rights/subject-rights.commands';
import { EraseContactDto, ReasonDto } from './contact-commands.dto';
import { ErasureAnswerShape, ObjectionShape, RestrictionShape } from './erasure.answers';

const ERASURE = { roles: ['operator'], action: 'erasure.step' } as const;
const COMMAND = { roles: ['operator'], action: 'contact.command' } as const;

/** What people ask for about their data: erasure, restriction, no profiling. */
@ApiTags('personal data')
@Controller('contacts')
export class ErasureCommandsController {
  constructor(private readonly commands: CommandBus) {}

  @Delete(':contactId')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Erase a contact',
    description:
      'Carried out behind the answer, or when it has cooled off; `GET …/erasure` says how far it is. Nothing else can then be ' +
      'read of the contact or done with it (410).',
  })
  @ApiBody({ type: EraseContactDto, required: false })
  @ApiAcceptedResponse({ type: ErasureAnswerShape, description: 'The erasure, begun or cooling off.' })
  @Access({ ...ERASURE, command: 'EraseContact' })
  erase(
    @UuidParam('contactId') contactId: string,
    @Body() wish: EraseContactDto,
    @Context() context: CommandContext,
  ): Promise<Outcome<ErasureAnswer>> {
    return this.commands.execute(new EraseContactCommand(contactId, { ...wish }, context));
  }

  @Post(':contactId/erasure/cancellation')
  @HttpCode(200)
  @ApiOperation({ summary: 'Take an erasure back while it cools off' })
  @ApiOkResponse({ type: ErasureAnswerShape, description: 'The erasure, cancelled.' })
  @Access({ ...ERASURE, command: 'CancelErasure' })
  cancelErasure(
    @UuidParam('contactId') contactId: string,
    @Context() context: CommandContext,
  ): Promise<Outcome<ErasureAnswer>> {
    return this.commands.execute(new CancelErasureCommand(contactId, context));
  }

  @Put(':contactId/processing-restriction')
  @ApiOperation({
    summary: 'Restrict processing',
    description:
      'Auditors and admins can still read the contact; consents, an erasure and the lifting are the only commands that are taken.',
  })
  @ApiOkResponse({ type: RestrictionShape, description: 'Restricted.' })
  @ApiBody({ type: ReasonDto, required: false })
  @Access({ ...COMMAND, command: 'RestrictProcessing' })
  restrict(
    @UuidParam('contactId') contactId: string,
    @Body() { reason }: ReasonDto,
    @Context() context: CommandContext,
  ): Promise<Outcome<{ processingRestricted: boolean }>> {
    return this.commands.execute(new RestrictProcessingCommand(contactId, true, reason, context));
  }

  @Delete(':contactId/processing-restriction')
  @ApiOperation({ summary: 'Lift a restriction of processing' })
  @ApiOkResponse({ type: RestrictionShape, description: 'Not restricted.' })
  @ApiBody({ type: ReasonDto, required: false })
  @Access({ ...COMMAND, command: 'LiftRestriction' })
  liftRestriction(
    @UuidParam('contactId') contactId: string,
    @Body() { reason }: ReasonDto,
    @Context() context: CommandContext,
  ): Promise<Outcome<{ processingRestricted: boolean }>> {
    return this.commands.execute(new RestrictProcessingCommand(contactId, false, reason, context));
  }

  @Put(':contactId/profiling-objection')
  @ApiOperation({ summary: 'Record an objection to profiling' })
  @ApiOkResponse({ type: ObjectionShape, description: 'Recorded.' })
  @ApiBody({ type: ReasonDto, required: false })
  @Access({ ...COMMAND, command: 'ObjectToProfiling' })
  object(
    @UuidParam('contactId') contactId: string,
    @Body() { reason }: ReasonDto,
    @Context() context: CommandContext,
  ): Promise<Outcome<{ profilingObjection: boolean }>> {
    return this.commands.execute(new ObjectToProfilingCommand(contactId, true, reason, context));
  }

  @Delete(':contactId/profiling-objection')
  @ApiOperation({ summary: 'Take back an objection to profiling' })
  @ApiOkResponse({ type: ObjectionShape, description: 'Taken back.' })
  @ApiBody({ type: ReasonDto, required: false })
  @Access({ ...COMMAND, command: 'LiftObjection' })
  liftObjection(
    @UuidParam('contactId') contactId: string,
    @Body() { reason }: ReasonDto,
    @Context() context: CommandContext,
  ): Promise<Outcome<{ profilingObjection: boolean }>> {
    return this.commands.execute(new ObjectToProfilingCommand(contactId, false, reason, context));
  }
}

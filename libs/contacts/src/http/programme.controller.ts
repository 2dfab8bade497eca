import { Body, Controller, Get, Put } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, Context, MinPosition } from '@app/http';
import type { CommandContext, Outcome } from '@app/kernel';
import {
  ChangeProgrammeCommand,
  GetProgrammeQuery,
  type Programme,
} from '../application/programme/programme.messages';
import { ProgrammeDto } from './programme.dto';

/** How purchases and check-ins earn points. */
@ApiTags('programme')
@Controller('programme')
export class ProgrammeController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Get()
  @ApiOperation({ summary: 'How points are earned' })
  @Access({ roles: ['operator'], action: 'programme.view' })
  get(@MinPosition() minPosition?: bigint): Promise<Programme & { asOfPosition: string }> {
    return this.queries.execute(new GetProgrammeQuery(minPosition));
  }

  @Put()
  @ApiOperation({
    summary: 'Replace the programme',
    description: 'It holds for what happens from now on; other processes follow within a second.',
  })
  @Access({ roles: ['operator'], action: 'programme.change', command: 'ChangeProgramme' })
  change(
    @Body() { purchases, checkIn }: ProgrammeDto,
    @Context() context: CommandContext,
  ): Promise<Outcome<Programme>> {
    return this.commands.execute(new ChangeProgrammeCommand({ purchases, checkIn }, context));
  }
}

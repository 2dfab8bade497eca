import { Body, Controller, Delete, Get, Patch, Post, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, Context, Location, MinPosition, newEntityId, UuidParam } from '@app/http';
import type { CommandContext, Outcome } from '@app/kernel';
import {
  ChangeAutomationCommand,
  CreateAutomationCommand,
  DeleteAutomationCommand,
  type AutomationAnswer,
} from '../application/automation.commands';
import {
  GetAutomationQuery,
  ListAutomationsQuery,
  type AutomationDetails,
  type AutomationPage,
} from '../read-models/automations.queries';
import { ChangeAutomationDto, CreateAutomationDto, ListAutomationsDto } from './automations.dto';

const CHANGE = { roles: ['operator'], action: 'segment.change' } as const;
const VIEW = { roles: ['operator'], action: 'segment.view' } as const;

/** What is done when somebody enters or leaves a segment. */
@ApiTags('automations')
@Controller('automations')
export class AutomationsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Do something whenever somebody enters or leaves a segment' })
  @Access({ ...CHANGE, command: 'CreateAutomation' })
  @Location('/v1/automations/:automationId')
  create(
    @Body() { active, limitPerContact = null, ...terms }: CreateAutomationDto,
    @Context() context: CommandContext,
  ): Promise<Outcome<AutomationAnswer>> {
    const automationId = newEntityId(context, 'automation');
    return this.commands.execute(
      new CreateAutomationCommand(automationId, { ...terms, limitPerContact }, active, context),
    );
  }

  @Patch(':automationId')
  @ApiOperation({ summary: 'Change an automation, or stop it' })
  @Access({ ...CHANGE, command: 'ChangeAutomation' })
  change(
    @UuidParam('automationId') automationId: string,
    @Body() { active, ...terms }: ChangeAutomationDto,
    @Context() context: CommandContext,
  ): Promise<Outcome<AutomationAnswer>> {
    return this.commands.execute(new ChangeAutomationCommand(automationId, terms, active, context));
  }

  @Delete(':automationId')
  @ApiOperation({ summary: 'Delete an automation' })
  @Access({ ...CHANGE, command: 'DeleteAutomation' })
  delete(
    @UuidParam('automationId') automationId: string,
    @Context() context: CommandContext,
  ): Promise<Outcome<AutomationAnswer>> {
    return this.commands.execute(new DeleteAutomationCommand(automationId, context));
  }

  @Get()
  @ApiOperation({ summary: 'All automations, oldest first' })
  @Access(VIEW)
  list(
    @Query() { limit, cursor }: ListAutomationsDto,
    @MinPosition() minPosition?: bigint,
  ): Promise<AutomationPage> {
    return this.queries.execute(new ListAutomationsQuery(limit, cursor, minPosition));
  }

  @Get(':automationId')
  @ApiOperation({ summary: 'One automation' })
  @Access(VIEW)
  get(
    @UuidParam('automationId') automationId: string,
    @MinPosition() minPosition?: bigint,
  ): Promise<AutomationDetails> {
    return this.queries.execute(new GetAutomationQuery(automationId, minPosition));
  }
}

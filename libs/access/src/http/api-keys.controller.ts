import { Body, Controller, Delete, Get, Post, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Access, Context, MinPosition, newEntityId, PageQueryDto, UuidParam } from '@app/http';
import type { CommandContext, Outcome } from '@app/kernel';
import { ListApiKeysQuery, type ApiKeyPage } from '../application/list-keys/list-keys.query';
import {
  CreateApiKeyCommand,
  RevokeApiKeyCommand,
  RotateApiKeyCommand,
  type NewKeyAnswer,
} from '../application/manage-keys/manage-keys.commands';
import { ApiKeyPageShape, NewApiKeyShape } from './api-keys.answers';
import { CreateApiKeyDto } from './api-keys.dto';

const ADMIN_ONLY = { roles: [], action: 'access.change' } as const;

/** API keys: who may use the API, and as what. */
@Controller('api-keys')
export class ApiKeysController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Make an API key' })
  @Access({ ...ADMIN_ONLY, command: 'CreateApiKey' })
  @ApiCreatedResponse({ type: NewApiKeyShape, description: 'The key, shown once.' })
  create(@Body() body: CreateApiKeyDto, @Context() context: CommandContext): Promise<Outcome<NewKeyAnswer>> {
    return this.commands.execute(new CreateApiKeyCommand(newEntityId(context, 'api-key'), body, context));
  }

  @Get()
  @ApiOperation({ summary: 'List the API keys' })
  @Access(ADMIN_ONLY)
  @ApiOkResponse({ type: ApiKeyPageShape, description: 'Keys, oldest first.' })
  list(@Query() { limit, cursor }: PageQueryDto, @MinPosition() minPosition?: bigint): Promise<ApiKeyPage> {
    return this.queries.execute(new ListApiKeysQuery(limit, cursor, minPosition));
  }

  @Post(':keyId/rotation')
  @ApiOperation({ summary: 'Replace an API key by a new one' })
  @Access({ ...ADMIN_ONLY, command: 'RotateApiKey' })
  @ApiCreatedResponse({
    type: NewApiKeyShape,
    description: 'The new key, shown once; the one before has ended.',
  })
  rotate(
    @UuidParam('keyId') keyId: string,
    @Context() context: CommandContext,
  ): Promise<Outcome<NewKeyAnswer>> {
    return this.commands.execute(new RotateApiKeyCommand(keyId, context));
  }

  @Delete(':keyId')
  @ApiOperation({ summary: 'Revoke an API key' })
  @Access({ ...ADMIN_ONLY, command: 'RevokeApiKey' })
  revoke(
    @UuidParam('keyId') keyId: string,
    @Context() context: CommandContext,
  ): Promise<Outcome<Readonly<{ id: string }>>> {
    return this.commands.execute(new RevokeApiKeyCommand(keyId, context));
  }
}

import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { CancellationAnswer, RedemptionAnswer } from '@app/contacts';
import { ApiOperation } from '@nestjs/swagger';
import { Access, Context, Location, MinPosition, newEntityId, UuidParam } from '@app/http';
import type { CommandContext, Outcome } from '@app/kernel';
import { CancelRedemptionCommand } from '../application/cancel-redemption/cancel-redemption.command';
import {
  ChangeRewardCommand,
  CreateRewardCommand,
  DeactivateRewardCommand,
} from '../application/manage-rewards/manage-reward.command';
import { RedeemRewardCommand } from '../application/redeem-reward/redeem-reward.command';
import {
  GetRewardQuery,
  ListRewardsQuery,
  type RewardAnswer,
  type RewardPage,
} from '../read-models/catalogue/catalogue.queries';
import { ChangeRewardDto, CreateRewardDto, ListRewardsDto, RedeemRewardDto } from './reward.dto';

const MANAGE = { roles: ['operator'], action: 'contact.command' } as const;

/** The reward catalogue. */
@Controller('rewards')
export class RewardsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Add a reward' })
  @Access({ ...MANAGE, command: 'CreateReward' })
  @Location('/v1/rewards/:rewardId')
  create(
    @Body() terms: CreateRewardDto,
    @Context() context: CommandContext,
  ): Promise<Outcome<Readonly<{ rewardId: string }>>> {
    const unlimited = {
      description: null,
      validFrom: null,
      validUntil: null,
      stock: null,
      limitPerContact: null,
      segmentId: null,
    };
    return this.commands.execute(
      new CreateRewardCommand(newEntityId(context, 'reward'), { ...unlimited, ...terms }, context),
    );
  }

  @Patch(':rewardId')
  @ApiOperation({ summary: 'Change a reward' })
  @Access({ ...MANAGE, command: 'ChangeReward' })
  change(
    @UuidParam('rewardId') rewardId: string,
    @Body() { active, ...terms }: ChangeRewardDto,
    @Context() context: CommandContext,
  ): Promise<Outcome<Readonly<{ rewardId: string }>>> {
    return this.commands.execute(new ChangeRewardCommand(rewardId, terms, active, context));
  }

  @Delete(':rewardId')
  @ApiOperation({ summary: 'Deactivate a reward' })
  @Access({ ...MANAGE, command: 'DeactivateReward' })
  deactivate(
    @UuidParam('rewardId') rewardId: string,
    @Context() context: CommandContext,
  ): Promise<Outcome<Readonly<{ rewardId: string }>>> {
    return this.commands.execute(new DeactivateRewardCommand(rewardId, context));
  }

  @Get()
  @ApiOperation({ summary: 'List the rewards' })
  @Access({ roles: ['operator'], action: 'reward.view' })
  list(
    @Query() { limit, cursor, count }: ListRewardsDto,
    @MinPosition() minPosition?: bigint,
  ): Promise<RewardPage> {
    return this.queries.execute(new ListRewardsQuery(limit, cursor, count, minPosition));
  }

  @Get(':rewardId')
  @ApiOperation({ summary: 'Read a reward' })
  @Access({ roles: ['operator'], action: 'reward.view' })
  get(@UuidParam('rewardId') rewardId: string, @MinPosition() minPosition?: bigint): Promise<RewardAnswer> {
    return this.queries.execute(new GetRewardQuery(rewardId, minPosition));
  }
}

/** What contacts do with rewards. */
@Controller('contacts/:contactId/redemptions')
export class RedemptionsController {
  constructor(private readonly commands: CommandBus) {}

  @Post()
  @ApiOperation({ summary: 'Redeem a reward' })
  @HttpCode(201)
  @Access({ roles: ['operator'], action: 'contact.command', command: 'RedeemReward' })
  redeem(
    @UuidParam('contactId') contactId: string,
    @Body() { rewardId, redemptionId }: RedeemRewardDto,
    @Context() context: CommandContext,
  ): Promise<Outcome<RedemptionAnswer>> {
    const id = redemptionId ?? newEntityId(context, 'redemption');
    return this.commands.execute(new RedeemRewardCommand(contactId, rewardId, id, context));
  }

  @Delete(':redemptionId')
  @ApiOperation({ summary: 'Cancel a redemption' })
  @Access({ roles: ['operator'], action: 'contact.command', command: 'CancelRedemption' })
  cancel(
    @UuidParam('contactId') contactId: string,
    @UuidParam('redemptionId') redemptionId: string,
    @Context() context: CommandContext,
  ): Promise<Outcome<CancellationAnswer>> {
    return this.commands.execute(new CancelRedemptionCommand(contactId, redemptionId, context));
  }
}

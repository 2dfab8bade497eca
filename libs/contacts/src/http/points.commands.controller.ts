import { Body, Controller, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, Context, UuidParam } from '@app/http';
import type { CommandContext, Outcome } from '@app/kernel';
import { CheckInCommand, type CheckInAnswer } from '../application/check-in/check-in.command';
import {
  CreditPointsCommand,
  DebitPointsCommand,
  ReversePointsCommand,
  type PointsAnswer,
} from '../application/move-points/move-points.commands';
import {
  RecordPurchaseCommand,
  ReturnPurchaseCommand,
  type PurchaseAnswer,
  type ReturnAnswer,
} from '../application/record-purchase/record-purchase.commands';
import {
  CheckInDto,
  CreditPointsDto,
  DebitPointsDto,
  RecordPurchaseDto,
  ReturnPurchaseDto,
} from './contact-commands.dto';

const COMMAND = { roles: ['operator'], action: 'contact.command' } as const;

/** What a contact does and what comes of it in points. */
@ApiTags('points')
@Controller('contacts/:contactId')
export class PointsCommandsController {
  constructor(private readonly commands: CommandBus) {}

  @Post('points/credits')
  @ApiOperation({ summary: 'Credit points' })
  @Access({ ...COMMAND, command: 'CreditPoints' })
  credit(
    @UuidParam('contactId') contactId: string,
    @Body() movement: CreditPointsDto,
    @Context() context: CommandContext,
  ): Promise<Outcome<PointsAnswer>> {
    return this.commands.execute(new CreditPointsCommand(contactId, movement, context));
  }

  @Post('points/debits')
  @ApiOperation({ summary: 'Debit points', description: 'Those that expire first go first.' })
  @Access({ ...COMMAND, command: 'DebitPoints' })
  debit(
    @UuidParam('contactId') contactId: string,
    @Body() movement: DebitPointsDto,
    @Context() context: CommandContext,
  ): Promise<Outcome<PointsAnswer>> {
    return this.commands.execute(new DebitPointsCommand(contactId, movement, context));
  }

  @Post('points/:entryId/reversal')
  @ApiOperation({
    summary: 'Reverse a credit or a debit, once',
    description:
      'A credit: takes its points back, wherever they are spent, except those that have expired; 409 where the balance no ' +
      'longer covers them. A debit: gives its points back, except those that would have expired since.',
  })
  @Access({ ...COMMAND, command: 'ReversePoints' })
  reverse(
    @UuidParam('contactId') contactId: string,
    @UuidParam('entryId') entryId: string,
    @Context() context: CommandContext,
  ): Promise<Outcome<PointsAnswer & { reversedEntryId: string }>> {
    return this.commands.execute(new ReversePointsCommand(contactId, entryId, context));
  }

  @Post('check-ins')
  @ApiOperation({ summary: 'Check in' })
  @Access({ ...COMMAND, command: 'CheckIn' })
  checkIn(
    @UuidParam('contactId') contactId: string,
    @Body() details: CheckInDto,
    @Context() context: CommandContext,
  ): Promise<Outcome<CheckInAnswer>> {
    return this.commands.execute(new CheckInCommand(contactId, details, context));
  }

  @Post('purchases')
  @ApiOperation({ summary: 'Record a purchase' })
  @Access({ ...COMMAND, command: 'RecordPurchase' })
  purchase(
    @UuidParam('contactId') contactId: string,
    @Body() purchase: RecordPurchaseDto,
    @Context() context: CommandContext,
  ): Promise<Outcome<PurchaseAnswer>> {
    return this.commands.execute(new RecordPurchaseCommand(contactId, purchase, context));
  }

  @Post('purchases/:purchaseId/return')
  @ApiOperation({
    summary: 'Return a purchase, once',
    description:
      'Takes back the points it earned, except those that have expired, as far as the balance covers them.',
  })
  @Access({ ...COMMAND, command: 'ReturnPurchase' })
  returnPurchase(
    @UuidParam('contactId') contactId: string,
    @UuidParam('purchaseId') purchaseId: string,
    @Body() details: ReturnPurchaseDto,
    @Context() context: CommandContext,
  ): Promise<Outcome<ReturnAnswer>> {
    return this.commands.execute(new ReturnPurchaseCommand(contactId, purchaseId, details, context));
  }
}

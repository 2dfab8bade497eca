import { randomUUID } from 'node:crypto';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Outcome } from '@app/kernel';
import { MAIN_POOL } from '../../domain/points';
import { ContactDecisions } from '../contact-decisions';
import {
  CreditPointsCommand,
  DebitPointsCommand,
  ReversePointsCommand,
  type PointsAnswer,
} from './move-points.commands';

@CommandHandler(CreditPointsCommand)
export class CreditPointsHandler implements ICommandHandler<CreditPointsCommand> {
  constructor(private readonly decisions: ContactDecisions) {}

  execute({ contactId, movement, context }: CreditPointsCommand): Promise<Outcome<PointsAnswer>> {
    const { pool = MAIN_POOL, points, reason, note, occurredAt, expiresAt } = movement;
    const entry = { entryId: randomUUID(), pool, points, reason, note, occurredAt, expiresAt };
    return this.decisions.run(
      { type: 'CreditPoints', contactId, now: context.now, ...entry },
      context,
      movement,
    );
  }
}

@CommandHandler(DebitPointsCommand)
export class DebitPointsHandler implements ICommandHandler<DebitPointsCommand> {
  constructor(private readonly decisions: ContactDecisions) {}

  execute({ contactId, movement, context }: DebitPointsCommand): Promise<Outcome<PointsAnswer>> {
    const { pool = MAIN_POOL, points, reason, note, occurredAt } = movement;
    const entry = { entryId: randomUUID(), pool, points, reason, note, occurredAt };
    return this.decisions.run(
      { type: 'DebitPoints', contactId, now: context.now, ...entry },
      context,
      movement,
    );
  }
}

@CommandHandler(ReversePointsCommand)
export class ReversePointsHandler implements ICommandHandler<ReversePointsCommand> {
  constructor(private readonly decisions: ContactDecisions) {}

  execute({
    contactId,
    reversedEntryId,
    context,
  }: ReversePointsCommand): Promise<Outcome<PointsAnswer & { reversedEntryId: string }>> {
    return this.decisions.run(
      { type: 'ReversePoints', contactId, now: context.now, entryId: randomUUID(), reversedEntryId },
      context,
      { reversedEntryId },
    );
  }
}

import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Outcome } from '@app/kernel';
import { parseRule, templateRule, type Rule } from '@app/rules';
import type { SegmentAnswer } from '../../domain/segment.decider';
import type { MadeFrom } from '../../domain/segment.events';
import {
  ChangeSegmentCommand,
  DefineSegmentCommand,
  DeleteSegmentCommand,
  type Meaning,
} from './manage-segment.command';
import { RewardPrices } from './reward-prices.port';
import { SegmentDefinitions } from './segment-definitions';

type ReadRule = Readonly<{ rule: Rule; rootPointer: string }>;

/** A rule is sent as a node or as the whole form around one: findings point to where its root was sent. */
const readRule = (sent: object): ReadRule => ({
  rule: parseRule(sent, '/rule'),
  rootPointer: Object.hasOwn(sent, 'dsl') ? '/rule/root' : '/rule',
});

@CommandHandler(DefineSegmentCommand)
export class DefineSegmentHandler implements ICommandHandler<DefineSegmentCommand> {
  constructor(
    private readonly definitions: SegmentDefinitions,
    private readonly rewards: RewardPrices,
  ) {}

  /** Throws InvalidRuleError, RuleRefusedError and what the graph of segments refuses. */
  async execute({
    segmentId,
    name,
    description,
    meaning,
    context,
  }: DefineSegmentCommand): Promise<Outcome<SegmentAnswer>> {
    const read = await this.read(meaning);
    return this.definitions.define(
      { type: 'DefineSegment', segmentId, name, description, ...read, now: context.now },
      context,
      { name, description, ...meaning },
    );
  }

  private async read(
    meaning: Meaning,
  ): Promise<Readonly<{ rule: Rule | null; rootPointer: string; template?: MadeFrom }>> {
    if ('manual' in meaning) return { rule: null, rootPointer: '/manual' };
    if ('rule' in meaning) return readRule(meaning.rule);
    const { template, params } = meaning;
    const rule = templateRule(template, params, await this.prices(params));
    return {
      rule,
      rootPointer: '/params',
      template: { name: template, params: params as MadeFrom['params'] },
    };
  }

  private async prices(params: object): Promise<Parameters<typeof templateRule>[2]> {
    const { rewardId } = params as { rewardId?: unknown };
    if (typeof rewardId !== 'string') return {};
    const price = await this.rewards.priceOf(rewardId);
    return { rewardPrice: (asked) => (asked === rewardId ? price : undefined) };
  }
}

@CommandHandler(ChangeSegmentCommand)
export class ChangeSegmentHandler implements ICommandHandler<ChangeSegmentCommand> {
  constructor(private readonly definitions: SegmentDefinitions) {}

  /** Throws as DefineSegmentHandler, and SegmentNotFoundError, ManualSegmentError. */
  async execute({ segmentId, change, context }: ChangeSegmentCommand): Promise<Outcome<SegmentAnswer>> {
    const { name, rule, active } = change;
    const read = rule === undefined ? { rootPointer: '/rule' } : readRule(rule);
    return this.definitions.change(
      { type: 'ChangeSegment', segmentId, name, active, ...read, now: context.now },
      context,
      change,
    );
  }
}

@CommandHandler(DeleteSegmentCommand)
export class DeleteSegmentHandler implements ICommandHandler<DeleteSegmentCommand> {
  constructor(private readonly definitions: SegmentDefinitions) {}

  /** Throws SegmentNotFoundError. */
  execute({ segmentId, context }: DeleteSegmentCommand): Promise<Outcome<SegmentAnswer>> {
    return this.definitions.delete({ type: 'DeleteSegment', segmentId, now: context.now }, context);
  }
}

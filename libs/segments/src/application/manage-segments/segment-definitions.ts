import { Injectable } from '@nestjs/common';
import { DecisionRunner, StaleRevisionError } from '@app/event-store';
import { DomainError, type CommandContext, type Outcome } from '@app/kernel';
import { referencesOf } from '../../domain/references';
import {
  segmentDecider,
  type Admission,
  type ChangeSegment,
  type DefineSegment,
  type DeleteSegment,
  type Segment,
  type SegmentAnswer,
} from '../../domain/segment.decider';
import { AdmissionNeededError } from '../../domain/segment.errors';
import { segmentStream } from '../../domain/segment.events';
import { SegmentGraph, type AskedFor } from './segment-graph';

type Asking<Command> = Omit<Command, 'admission'>;
/** How often a definition is looked at anew because others changed the same segment. */
const TRIES_MAX = 3;

/**
 * Makes and changes segments: first the graph of all of them admits what concerns it, then the segment's own stream decides,
 * then the graph is told how it ended.
 */
@Injectable()
export class SegmentDefinitions {
  constructor(
    private readonly decisions: DecisionRunner,
    private readonly graph: SegmentGraph,
  ) {}

  define(
    command: Asking<DefineSegment>,
    context: CommandContext,
    payload: object,
  ): Promise<Outcome<SegmentAnswer>> {
    return this.admitted(command, context, payload);
  }

  change(
    command: Asking<ChangeSegment>,
    context: CommandContext,
    payload: object,
  ): Promise<Outcome<SegmentAnswer>> {
    return this.admitted(command, context, payload);
  }

  async delete(command: DeleteSegment, context: CommandContext): Promise<Outcome<SegmentAnswer>> {
    const outcome = await this.run(command, context, {});
    await this.graph.settle(command.segmentId, context.commandId, context);
    return outcome;
  }

  private async admitted(
    command: Asking<DefineSegment> | Asking<ChangeSegment>,
    context: CommandContext,
    payload: object,
  ): Promise<Outcome<SegmentAnswer>> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.once(command, context, payload);
      } catch (error) {
        if (!(error instanceof AdmissionNeededError) || tries >= TRIES_MAX) throw error;
      }
    }
  }

  private async once(
    command: Asking<DefineSegment> | Asking<ChangeSegment>,
    context: CommandContext,
    payload: object,
  ): Promise<Outcome<SegmentAnswer>> {
    const { segmentId } = command;
    const { state } = await this.decisions.read(segmentDecider, segmentStream(segmentId));
    const asked = askedFor(command, state);
    const admission = asked === null ? null : await this.graph.admit(asked, context);
    const settle = async (): Promise<void> => {
      if (admission === 'granted' || isDeactivation(command)) {
        await this.graph.settle(segmentId, context.commandId, context);
      }
    };
    let outcome: Outcome<SegmentAnswer>;
    try {
      outcome = await this.run({ ...command, admission }, context, payload);
    } catch (error) {
      // After anything else than a refusal the definition may have come to be; what is open is settled later.
      if (error instanceof DomainError || error instanceof StaleRevisionError) await settle();
      throw error;
    }
    await settle();
    return outcome;
  }

  private run(
    command: DefineSegment | ChangeSegment | DeleteSegment,
    context: CommandContext,
    payload: object,
  ): Promise<Outcome<SegmentAnswer>> {
    return this.decisions.run(segmentDecider, segmentStream(command.segmentId), command, context, {
      payload,
    }) as Promise<Outcome<SegmentAnswer>>;
  }
}

const isDeactivation = (command: Asking<DefineSegment> | Asking<ChangeSegment>): boolean =>
  command.type === 'ChangeSegment' && command.active === false;

/** What the graph has to be asked, as far as can be told from this state; null: nothing. */
const askedFor = (
  command: Asking<DefineSegment> | Asking<ChangeSegment>,
  segment: Segment,
): AskedFor | null => {
  if (!wouldNeed(command, segment)) return null;
  const { segmentId, rule } = command;
  if (segment.status === 'unknown')
    return { segmentId, references: referencesOf(rule ?? null), activates: true };
  const references = rule ? referencesOf(rule) : segment.references;
  const active = command.type === 'ChangeSegment' ? command.active : undefined;
  return { segmentId, references, activates: active ?? segment.status === 'active' };
};

/** A decision that is refused for another reason need not be admitted. */
const wouldNeed = (command: Asking<DefineSegment> | Asking<ChangeSegment>, segment: Segment): boolean => {
  const admission: Admission = null;
  try {
    segmentDecider.decide({ ...command, admission }, segment);
    return false;
  } catch (error) {
    return error instanceof AdmissionNeededError;
  }
};

import { Command } from '@nestjs/cqrs';
import type { CommandContext, Outcome } from '@app/kernel';

/** Restricts the processing of a contact's data (GDPR, Article 18), or lifts that. */
export class RestrictProcessingCommand extends Command<Outcome<{ processingRestricted: boolean }>> {
  constructor(
    readonly contactId: string,
    readonly restricted: boolean,
    readonly reason: string | undefined,
    readonly context: CommandContext,
  ) {
    super();
  }
}

/** Records a contact's objection to profiling (GDPR, Article 21), or takes it back. */
export class ObjectToProfilingCommand extends Command<Outcome<{ profilingObjection: boolean }>> {
  constructor(
    readonly contactId: string,
    readonly objected: boolean,
    readonly reason: string | undefined,
    readonly context: CommandContext,
  ) {
    super();
  }
}

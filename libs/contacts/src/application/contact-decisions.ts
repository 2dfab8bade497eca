import { Injectable } from '@nestjs/common';
import { DecisionRunner } from '@app/event-store';
import type { CommandContext, Outcome } from '@app/kernel';
import { contactDecider, type ContactCommand } from '../domain/contact.decider';
import { contactStream } from '../domain/contact.events';

/** Decides a command on its contact's stream. */
@Injectable()
export class ContactDecisions {
  constructor(private readonly runner: DecisionRunner) {}

  /**
   * `payload`: what the client sent, without ids and settings that differ from try to try. The answer's type is the one that the
   * command's decision declares. Throws what DecisionRunner.run throws.
   */
  run<Answer extends object>(
    command: ContactCommand,
    context: CommandContext,
    payload: object,
    options: Readonly<{ fresh?: boolean }> = {},
  ): Promise<Outcome<Answer>> {
    const stream = contactStream(command.contactId);
    return this.runner.run(contactDecider, stream, command, context, { ...options, payload }) as Promise<
      Outcome<Answer>
    >;
  }
}

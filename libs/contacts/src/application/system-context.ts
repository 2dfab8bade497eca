import { randomUUID } from 'node:crypto';
import type { CommandContext } from '@app/kernel';

/** For what the system does while it handles somebody's command: not that command, so under an id of its own. */
export const ownContext = (cause: CommandContext, name: string): CommandContext => ({
  commandId: randomUUID(),
  repeatable: false,
  actor: { id: name, role: 'system', method: 'internal' },
  command: { name, action: 'contact.command' },
  correlationId: cause.correlationId,
  causationId: cause.commandId,
  now: cause.now,
  deadlineMs: cause.deadlineMs,
});

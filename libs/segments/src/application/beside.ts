import type { CommandContext } from '@app/kernel';

/** The context of a step beside the caller's own command: its name, its retries and its If-Match do not concern this stream. */
export const beside = ({ expectedRevision: _, command: __, ...context }: CommandContext): CommandContext => ({
  ...context,
  repeatable: false,
});

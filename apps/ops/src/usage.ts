import type { Command } from 'commander';

/** Lets a command and all commands below it throw a CommanderError on wrong usage, where commander would end the process. */
export const throwOnWrongUsage = <C extends Command>(command: C): C => {
  command.exitOverride().showHelpAfterError('Try --help.');
  command.commands.forEach(throwOnWrongUsage);
  return command;
};

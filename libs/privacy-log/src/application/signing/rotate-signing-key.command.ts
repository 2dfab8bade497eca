import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { CommandContext, Outcome } from '@app/kernel';
import type { RotationAnswer } from '../../domain/signing-keys.decider';
import { PrivacyLogSigner } from './privacy-log-signer';

/** Puts the log's next signing key in force; what the one before has signed stays good. */
export class RotateSigningKeyCommand extends Command<Outcome<RotationAnswer>> {
  constructor(readonly context: CommandContext) {
    super();
  }
}

@CommandHandler(RotateSigningKeyCommand)
export class RotateSigningKeyHandler implements ICommandHandler<RotateSigningKeyCommand> {
  constructor(private readonly signer: PrivacyLogSigner) {}

  execute({ context }: RotateSigningKeyCommand): Promise<Outcome<RotationAnswer>> {
    return this.signer.rotate(context);
  }
}

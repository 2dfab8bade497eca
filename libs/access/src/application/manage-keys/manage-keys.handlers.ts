import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { DecisionRunner } from '@app/event-store';
import type { Outcome } from '@app/kernel';
import { accessDecider, type KeyAnswer } from '../../domain/access.decider';
import { ACCESS_STREAM } from '../../domain/access.events';
import { hashOfKey, newApiKey } from '../api-key';
import { KeyDirectory } from '../authenticate/key-directory';
import {
  CreateApiKeyCommand,
  RevokeApiKeyCommand,
  RotateApiKeyCommand,
  type NewKeyAnswer,
} from './manage-keys.commands';

const withKey = (outcome: Outcome<KeyAnswer>, key: string): Outcome<NewKeyAnswer> => ({
  ...outcome,
  answer: { ...outcome.answer, key: outcome.replayed ? null : key },
});

@CommandHandler(CreateApiKeyCommand)
export class CreateApiKeyHandler implements ICommandHandler<CreateApiKeyCommand> {
  constructor(
    private readonly decisions: DecisionRunner,
    private readonly directory: KeyDirectory,
  ) {}

  async execute({ keyId, terms, context }: CreateApiKeyCommand): Promise<Outcome<NewKeyAnswer>> {
    const key = newApiKey();
    const command = { type: 'CreateKey', keyId, ...terms, hash: hashOfKey(key), now: context.now } as const;
    // The hash differs from try to try; what makes a repeated command the same is what the client sent.
    const outcome = await this.decisions.run(accessDecider, ACCESS_STREAM, command, context, {
      payload: terms,
    });
    await this.directory.refresh();
    return withKey(outcome, key);
  }
}

@CommandHandler(RotateApiKeyCommand)
export class RotateApiKeyHandler implements ICommandHandler<RotateApiKeyCommand> {
  constructor(
    private readonly decisions: DecisionRunner,
    private readonly directory: KeyDirectory,
  ) {}

  async execute({ keyId, context }: RotateApiKeyCommand): Promise<Outcome<NewKeyAnswer>> {
    const key = newApiKey();
    const command = { type: 'RotateKey', keyId, hash: hashOfKey(key), now: context.now } as const;
    const outcome = await this.decisions.run(accessDecider, ACCESS_STREAM, command, context, {
      payload: { keyId },
    });
    await this.directory.refresh();
    return withKey(outcome, key);
  }
}

@CommandHandler(RevokeApiKeyCommand)
export class RevokeApiKeyHandler implements ICommandHandler<RevokeApiKeyCommand> {
  constructor(
    private readonly decisions: DecisionRunner,
    private readonly directory: KeyDirectory,
  ) {}

  async execute({ keyId, context }: RevokeApiKeyCommand): Promise<Outcome<Readonly<{ id: string }>>> {
    const command = { type: 'RevokeKey', keyId, now: context.now } as const;
    const outcome = await this.decisions.run(accessDecider, ACCESS_STREAM, command, context);
    await this.directory.refresh();
    return outcome;
  }
}

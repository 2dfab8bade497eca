import { Command } from '@nestjs/cqrs';
import type { CommandContext, Outcome, Role } from '@app/kernel';

/**
 * What whoever makes a key is told. `key` is there once: null on the answer to a repeated command, since nothing but the
 * key's hash is kept; rotate the key then.
 */
export type NewKeyAnswer = Readonly<{
  id: string;
  name: string;
  role: Role;
  expiresAt?: string;
  key: string | null;
}>;

export class CreateApiKeyCommand extends Command<Outcome<NewKeyAnswer>> {
  constructor(
    readonly keyId: string,
    readonly terms: Readonly<{ name: string; role: Role; expiresAt?: string }>,
    readonly context: CommandContext,
  ) {
    super();
  }
}

/** The key stays what it is but for its secret; the one before ends at once. */
export class RotateApiKeyCommand extends Command<Outcome<NewKeyAnswer>> {
  constructor(
    readonly keyId: string,
    readonly context: CommandContext,
  ) {
    super();
  }
}

export class RevokeApiKeyCommand extends Command<Outcome<Readonly<{ id: string }>>> {
  constructor(
    readonly keyId: string,
    readonly context: CommandContext,
  ) {
    super();
  }
}

import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DecisionRunner } from '@app/event-store';
import { Clock, type CommandContext } from '@app/kernel';
import { ADMIN_KEY_ID, accessDecider, isLiving, type Access } from '../../domain/access.decider';
import { ACCESS_STREAM } from '../../domain/access.events';
import { hashOfKey, newApiKey } from '../api-key';
import { KeyDirectory } from '../authenticate/key-directory';
import { readAdminKeyFile, writeAdminKeyFile } from './admin-key.file';

const START_TIME_MS = 30_000;

export type AdminKeyOptions = Readonly<{
  /** The key to use, whatever the log says; nothing is written to the file then. */
  configured?: string;
  /** Where a generated key is kept. */
  file: string;
  /**
   * This process is the only one with this log (the standalone): a file that is missing is made anew, and with it the key.
   * Elsewhere a key is generated only where no administrator has one.
   */
  ownsLog: boolean;
}>;

/** What was done, for the lines that a start prints. */
export type AdminKey =
  | Readonly<{ kind: 'configured' }>
  | Readonly<{ kind: 'kept' }>
  | Readonly<{ kind: 'created'; key: string }>
  /** The file holds a key that was rotated or revoked through the API; whoever did that has another. */
  | Readonly<{ kind: 'outdated' }>;

/** What the log and the file say together; pure, so that every combination can be tried. */
export const adminKeyStep = (
  access: Access,
  fileHash: string | null,
  ownsLog: boolean,
  now: string,
): 'generate' | 'use-file' | 'leave' | 'outdated' => {
  const key = access.keys.get(ADMIN_KEY_ID);
  const anyAdmin = [...access.keys.values()].some((other) => other.role === 'admin' && isLiving(other, now));
  if (fileHash === null) return ownsLog || !anyAdmin ? 'generate' : 'leave';
  if (key?.hash === fileHash && isLiving(key, now)) return 'leave';
  const wasReplaced = key?.hash === fileHash || key?.formerHashes.includes(fileHash) === true;
  if (!wasReplaced) return ownsLog || !anyAdmin ? 'use-file' : 'leave';
  // Setting a key again that somebody took away would undo what they did; but somebody must be able to get in.
  return anyAdmin ? 'outdated' : 'generate';
};

/** Sees to it at every start that there is an admin key; doing it twice changes nothing. */
@Injectable()
export class AdminKeyKeeper {
  constructor(
    private readonly decisions: DecisionRunner,
    private readonly directory: KeyDirectory,
    private readonly clock: Clock,
  ) {}

  async ensure({ configured, file, ownsLog }: AdminKeyOptions): Promise<AdminKey> {
    if (configured !== undefined) {
      await this.set(hashOfKey(configured));
      return { kind: 'configured' };
    }
    const kept = await readAdminKeyFile(file);
    const { state } = await this.decisions.read(accessDecider, ACCESS_STREAM);
    const fileHash = kept === null ? null : hashOfKey(kept);
    switch (adminKeyStep(state, fileHash, ownsLog, this.clock.now().toISOString())) {
      case 'leave':
        return { kind: 'kept' };
      case 'outdated':
        return { kind: 'outdated' };
      case 'use-file':
        await this.set(hashOfKey(kept!));
        return { kind: 'kept' };
      case 'generate': {
        const key = newApiKey();
        // The file first: after a crash in between, the next start finds a key that the log has never seen, and uses it.
        await writeAdminKeyFile(file, key);
        await this.set(hashOfKey(key));
        return { kind: 'created', key };
      }
    }
  }

  private async set(hash: string): Promise<void> {
    const now = this.clock.now().toISOString();
    const context: CommandContext = {
      commandId: randomUUID(),
      repeatable: false,
      actor: { id: 'system', role: 'system', method: 'internal' },
      command: { name: 'SetAdminKey', action: 'access.change' },
      correlationId: randomUUID(),
      now,
      deadlineMs: Date.now() + START_TIME_MS,
    };
    await this.decisions.run(accessDecider, ACCESS_STREAM, { type: 'SetAdminKey', hash, now }, context);
    await this.directory.refresh();
  }
}

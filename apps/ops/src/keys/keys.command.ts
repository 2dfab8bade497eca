import { existsSync } from 'node:fs';
import type { Config } from '@app/config';
import {
  KeyRingSetupError,
  KeyRingUnavailableError,
  KeyServiceError,
  openKeyRing,
  type StoredKeyRing,
} from '@app/personal-data';
import { Command, Option } from 'commander';
import { OpsError } from '../ops.errors';
import { startProgress } from '../progress';

/** The operator's commands on the key ring itself; they need no running instance, and may run beside one. */
export const keysCommand = (config: Config): Command =>
  new Command('keys')
    .summary('the keys of personal data: figures, rotation, what was destroyed')
    .description(
      'Works on the key ring that REGULARS_KEYS_DIR or KEYRING_URL names, while other processes use it. Never shows a key.',
    )
    .addCommand(statusCommand(config))
    .addCommand(rotateCommand(config))
    .addCommand(destroyedCommand(config));

const statusCommand = (config: Config): Command =>
  new Command('status')
    .description(
      'How many keys are in use and destroyed, and which key-encryption key wraps how many of them.',
    )
    .action(() =>
      withKeyRing(config, async ({ keeper }) => {
        const { active, destroyed, versions } = await keeper.figures();
        console.log(`Keys of contacts: ${active} in use, ${destroyed} destroyed.`);
        for (const { version, state, service, wraps } of versions) {
          const where =
            state === 'retired' ? '' : service === null ? ', from a file' : ', from the key service';
          console.log(`Key-encryption key ${version}: ${state}${where}; wraps ${wraps}.`);
        }
        if (versions.some(({ state }) => state === 'old'))
          console.log('A rotation was cut short; "keys rotate" goes on with it.');
      }),
    );

const rotateCommand = (config: Config): Command =>
  new Command('rotate')
    .description(
      'Makes a new key-encryption key, wraps every key anew under it and destroys the old one. Events stay as they are. Safe to ' +
        'cut and to run again, and while other processes work.\n\nWith the keys in a MongoDB and the key-encryption key in a file, ' +
        'run it with --prepare first, copy the file that it names to the other machines, and then run it without.\n\nA backup of ' +
        'the key ring needs the key-encryption key of its time: keep that as long as the backup, and no longer.',
    )
    .addOption(new Option('--prepare', 'only make the file of the next key-encryption key'))
    .action(({ prepare }: { prepare?: true }) =>
      withKeyRing(config, async ({ keeper }) => {
        if (prepare) {
          console.log(`The next key-encryption key lies in ${await keeper.prepare()}; it is not in use yet.`);
          return;
        }
        const { versions } = await keeper.figures();
        const total = versions.reduce((sum, { wraps }) => sum + wraps, 0);
        const progress = startProgress('Keys', total);
        const { version, rewrapped } = await keeper
          .rotate(() => progress.step())
          .finally(() => progress.stop());
        console.log(
          `Key-encryption key ${version} is in use; ${rewrapped} keys were wrapped anew, and no older one opens any.`,
        );
      }),
    );

const destroyedCommand = (config: Config): Command =>
  new Command('destroyed')
    .description(
      'The ids of the keys that were destroyed and when, in that order, a line each, separated by a tab.',
    )
    .action(() =>
      withKeyRing(config, async ({ keeper }) => {
        for await (const { keyId, at } of keeper.destroyedKeys()) console.log(`${keyId}\t${at}`);
      }),
    );

const withKeyRing = async (config: Config, act: (keyRing: StoredKeyRing) => Promise<void>): Promise<void> => {
  // Opening one that is not there makes it, and with it a key-encryption key where nobody looks for one.
  if (config.keyringUrl === undefined && !existsSync(config.keysDir))
    throw new OpsError(`There is no key ring in ${config.keysDir}.`);
  let keyRing: StoredKeyRing | undefined;
  try {
    keyRing = await openKeyRing(config);
    await act(keyRing);
  } catch (error) {
    if (error instanceof KeyRingSetupError || error instanceof KeyServiceError)
      throw new OpsError(error.message);
    if (error instanceof KeyRingUnavailableError) {
      const { cause } = error;
      throw new OpsError(`${error.message} ${cause instanceof Error ? cause.message : ''}`.trim());
    }
    throw error;
  } finally {
    await keyRing?.close();
  }
};

import type { Config } from '@app/config';
import { Command, Option } from 'commander';
import { connectionOf, withConnectionOptions, type ConnectionOptions } from '../connection';
import { OpsError } from '../ops.errors';
import { startProgress } from '../progress';
import { RegularsApi } from '../regulars-api';
import { contactIdsOf } from './contact-ids';
import { eraseContacts } from './erase';

type Options = ConnectionOptions & Readonly<{ file?: string; legalGround: string; wait?: boolean }>;

const GROUNDS = ['consentWithdrawn', 'objection', 'noLongerNeeded', 'unlawful', 'legalObligation'];
const IN_FLIGHT = 32;
const PATIENCE_MS = 60_000;

export const eraseCommand = (config: Config): Command =>
  withConnectionOptions(
    new Command('erase')
      .summary('erase contacts')
      .description(
        'Erases contacts of a running instance, through the HTTP API, at once and for good. What is erased already stays so, and ' +
          'the command can be run again after a break.',
      )
      .argument('[contact-id...]', 'ids of contacts')
      .addOption(new Option('--file <file>', 'file with ids, one a line'))
      .addOption(new Option('--legal-ground <ground>', 'why').choices(GROUNDS).default('noLongerNeeded'))
      .addOption(new Option('--wait', 'until no byte is left of any of them')),
    config,
  ).action(async (ids: readonly string[], options: Options) => {
    const contactIds = contactIdsOf(ids, options.file);
    const connection = connectionOf(options, config);
    const api = new RegularsApi(connection, { connections: IN_FLIGHT, patienceMs: PATIENCE_MS });
    const progress = startProgress('Erasures', contactIds.length);
    const { legalGround, wait = false } = options;
    const how = { legalGround, wait, inFlight: IN_FLIGHT };
    const { erased, already, unknown, pending } = await eraseContacts(api, contactIds, how, () =>
      progress.step(),
    ).finally(async () => {
      progress.stop();
      await api.close();
    });
    console.log(
      `${erased} erased, ${already} had been before, ${unknown} unknown, ${pending} cooling off (cancel those first).`,
    );
    if (unknown + pending > 0) throw new OpsError('Not all of them were erased.');
  });

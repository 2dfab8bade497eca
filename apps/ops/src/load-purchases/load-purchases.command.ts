import type { Config } from '@app/config';
import { Command, Option } from 'commander';
import { basename, extname } from 'node:path';
import { connectionOf, withConnectionOptions, type ConnectionOptions } from '../connection';
import { OpsError } from '../ops.errors';
import { integer } from '../option-values';
import { startProgress } from '../progress';
import { RegularsApi } from '../regulars-api';
import { loadPurchases, type LoadFigures } from './load-purchases';
import { readPurchases } from './purchase-file';

type Options = ConnectionOptions &
  Readonly<{ namespace?: string; currency: string; sku: string; inFlight: number; patience: number }>;

export const loadPurchasesCommand = (config: Config): Command =>
  withConnectionOptions(
    new Command('load-purchases')
      .summary('load a purchase history from a text file')
      .description(
        'Loads a purchase history through the HTTP API: one contact per customer, one purchase per line, in file order ' +
          'per customer.\n\nColumns, separated by blanks: customer, date (YYYYMMDD), quantity, value with at most two ' +
          'decimals. A first line that names the columns is skipped.\n\nSafe to run twice, and to run again after a ' +
          'break: contact ids follow from namespace and customer, invoice numbers from namespace and line. So leave a ' +
          'file as it is once it is loaded in part.',
      )
      .argument('<file>', 'the purchase history')
      .addOption(
        new Option(
          '--namespace <name>',
          'sets this history apart; keep it to yourself where customer numbers are real (default: name of the file)',
        ),
      )
      .addOption(new Option('--currency <code>', 'currency of the values').default('USD'))
      .addOption(new Option('--sku <sku>', 'what an item is called').default('CD'))
      .addOption(new Option('--in-flight <n>', 'requests at once').default(64).argParser(integer(1, 512)))
      .addOption(
        new Option('--patience <seconds>', 'how long to try again while the instance is away')
          .default(120)
          .argParser(integer(0, 86_400)),
      ),
    config,
  ).action(async (file: string, options: Options) => {
    const purchaseCount = await countPurchases(file);
    const namespace = options.namespace ?? basename(file, extname(file));
    const api = new RegularsApi(connectionOf(options, config), {
      connections: options.inFlight,
      patienceMs: options.patience * 1_000,
    });
    const progress = startProgress('Purchases', purchaseCount);
    const startedAt = performance.now();
    const figures = await loadPurchases(
      readPurchases(file),
      api,
      { ...options, namespace },
      progress,
    ).finally(async () => {
      progress.stop();
      await api.close();
    });
    console.log(summary(figures, options.currency, (performance.now() - startedAt) / 1_000));
  });

/** Reads the whole file once before anything is sent, so that a wrong line changes nothing. */
const countPurchases = async (file: string): Promise<number> => {
  let count = 0;
  try {
    for await (const _ of readPurchases(file)) count += 1;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === undefined ? error : new OpsError(`${file} cannot be read (${code}).`);
  }
  if (count === 0) throw new OpsError(`${file} holds no purchases.`);
  return count;
};

const summary = ({ contacts, purchases, minor }: LoadFigures, currency: string, seconds: number): string => {
  const total = purchases.recorded + purchases.known;
  return (
    `Loaded ${total} purchases worth ${(minor / 100).toFixed(2)} ${currency} of ${contacts.registered + contacts.known} ` +
    `contacts in ${seconds.toFixed(1)} s (${Math.round(total / seconds)} purchases/s). ` +
    `New: ${contacts.registered} contacts, ${purchases.recorded} purchases; ` +
    `already there: ${contacts.known} contacts, ${purchases.known} purchases.`
  );
};

import type { Config } from '@app/config';
import type { RunningApi } from '../../api/src/start-api';

/** What somebody who has just started Regulars needs to know. The admin key itself is there when it was just made. */
export const welcome = ({ url, adminKey, adminKeyFile }: RunningApi, { dataDir }: Config): string => {
  const lines = [
    ['API', `${url}/v1`],
    ['Docs', `${url}/docs`],
    ['Data', dataDir],
    ['Admin key', adminKeyLine(adminKey, adminKeyFile)],
  ];
  return `Regulars is ready.\n${lines.map(([name, value]) => `  ${name!.padEnd(10)} ${value}\n`).join('')}`;
};

const adminKeyLine = (adminKey: RunningApi['adminKey'], file: string): string => {
  switch (adminKey.kind) {
    case 'created':
      return `${adminKey.key} (made now, kept in ${file})`;
    case 'kept':
      return `in ${file}`;
    case 'configured':
      return 'as REGULARS_ADMIN_KEY says';
    case 'outdated':
      return `${file} is out of date: the key was rotated or revoked since`;
  }
};

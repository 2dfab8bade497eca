import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** The whole CDNOW purchase history, where it is at hand: see the README on where to get it. */
export const CDNOW =
  process.env['CDNOW_FILE'] ?? resolve(__dirname, '../../../shared/data/cdnow/CDNOW_master.txt');

export const isCdnowThere = existsSync(CDNOW);

/** For what needs the file; reported as skipped where it is missing. */
export const withCdnow = isCdnowThere ? it : it.skip;

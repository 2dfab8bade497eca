import { readFileSync } from 'node:fs';
import { OpsError } from '../ops.errors';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Ids from arguments and lines of a file, each once, in order; blank lines and those behind a # are passed over. Throws OpsError on what is no id. */
export const contactIdsOf = (args: readonly string[], file?: string): readonly string[] => {
  const lines = file === undefined ? [] : read(file).split(/\r?\n/);
  const texts = [...args, ...lines].map((text) => text.trim().toLowerCase());
  const ids = new Set(texts.filter((text) => text !== '' && !text.startsWith('#')));
  for (const id of ids) if (!UUID.test(id)) throw new OpsError(`${id.slice(0, 40)} is no contact id.`, 2);
  if (ids.size === 0) throw new OpsError('No contact ids: name them, or give --file.', 2);
  return [...ids];
};

const read = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new OpsError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`);
  }
};

import { accessSync, constants, mkdirSync } from 'node:fs';

/** The data folder cannot be used; the message is one line for people. */
export class DataFolderError extends Error {}

/** Makes the data folder for its owner, if it is not there. Throws DataFolderError where nothing can be kept in it. */
export const prepareDataFolder = (path: string): void => {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new DataFolderError(
      `The data folder ${path} cannot be used (${code ?? 'unknown reason'}); set REGULARS_DATA_DIR to one that can be written.`,
    );
  }
};

import { closeSync, fsyncSync, openSync } from 'node:fs';
import { open, rename, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What is given back of a file at once. */
const STEP_BYTES = 16 * 1024 * 1024;
/** There a folder cannot be flushed, and need not be, and a file in use cannot be replaced. */
const IS_WINDOWS = process.platform === 'win32';

/** Holds the thread meanwhile. */
export const syncFileNow = (path: string): void => {
  const file = openSync(path, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
};

export const syncFile = async (path: string): Promise<void> => {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
};

/** Makes creations, renames and removals in a folder durable; holds the thread meanwhile. */
export const syncFolderNow = (path: string): void => {
  if (IS_WINDOWS) return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
};

export const syncFolder = async (path: string): Promise<void> => {
  if (IS_WINDOWS) return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
};

/**
 * Puts a file in the place of another one, durably; a crash leaves one or the other. What was there is given back to the disk
 * step by step afterwards: a large file that goes at once holds up every flush of this machine meanwhile.
 */
export const replaceFile = async (from: string, to: string): Promise<void> => {
  const old = IS_WINDOWS ? undefined : await open(to, 'r+').catch(() => undefined);
  try {
    await rename(from, to);
    await syncFolder(dirname(to));
    if (old) await shrink(old);
  } finally {
    await old?.close();
  }
};

const shrink = async (file: FileHandle): Promise<void> => {
  for (let { size } = await file.stat(); size > 0;) {
    size = Math.max(0, size - STEP_BYTES);
    await file.truncate(size);
  }
};

import type { Config, Servers } from '@app/config';

/** What the thread is given. */
export type ProjectorThreadData = Readonly<{ config: Config; servers: Servers }>;

/** What it is told. */
export const STOP = 'stop';

/** What it says: `ready` once, then `failed`, or `stopped` when it was told to stop. */
export type ProjectorThreadMessage =
  Readonly<{ kind: 'ready' }> | Readonly<{ kind: 'failed'; message: string }> | Readonly<{ kind: 'stopped' }>;

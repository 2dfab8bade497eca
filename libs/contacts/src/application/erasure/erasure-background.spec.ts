import { commandContext, eventually } from '@app/testing';
import { ErasureBackground } from './erasure-background';
import type { ErasureProcess } from './erasure-process';

describe('erasing behind the answers', () => {
  it('makes all unreachable while the purge of the first is awaited, survives failures, and finishes before a stop', async () => {
    const calls: string[] = [];
    let purged = (): void => undefined;
    const purge = new Promise<void>((resolve) => (purged = resolve));
    const process = {
      proceed: async (contactId: string, _: object, upTo = 'end') => {
        if (contactId === '7') throw new Error('A store is away.');
        if (upTo === 'end') await purge;
        calls.push(`${contactId}:${upTo}`);
      },
    } as unknown as ErasureProcess;
    const background = new ErasureBackground(process);
    for (let n = 0; n < 300; n += 1) background.start(String(n), commandContext());
    await eventually('all are unreachable', () => calls.length === 299);
    expect(calls.every((call) => call.endsWith(':unreachable'))).toBe(true);
    const stopped = background.beforeApplicationShutdown();
    background.start('late', commandContext());
    purged();
    await stopped;
    const ended = calls.filter((call) => call.endsWith(':end'));
    // Those under way; the others are the automation's.
    expect(ended).toHaveLength(256);
    expect(calls.some((call) => call.startsWith('late'))).toBe(false);
  });
});

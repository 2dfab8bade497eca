import type { RecordedEvent } from '@app/kernel';
import { CommandRecords, REMEMBERED_COMMANDS_MAX, REMEMBERED_MS } from './command-records';

const START_MS = Date.parse('2026-01-01T00:00:00.000Z');

const recorded = (commandId: string, n: number, answer: object | undefined): RecordedEvent => ({
  type: 'test.Noted.v1',
  data: {},
  meta: {
    eventId: `e-${n}`,
    stream: 'test-1',
    revision: n,
    position: BigInt(n),
    recordedAt: new Date(START_MS + n).toISOString(),
    commandId,
    correlationId: commandId,
    actor: { id: 'key-1', role: 'admin', method: 'api-key' },
    mac: `mac-${commandId}`,
    ...(answer !== undefined && { answer }),
  },
});

describe('CommandRecords', () => {
  it('remembers the last 10,000 commands', () => {
    const records = new CommandRecords();
    for (let n = 0; n <= REMEMBERED_COMMANDS_MAX; n += 1)
      records.fold(recorded(`c-${n}`, n, { n }), undefined);
    expect(records.withId('c-0', START_MS)).toBeUndefined();
    expect(records.withId('c-1', START_MS)).toMatchObject({ answer: { n: 1 }, mac: 'mac-c-1', revision: 1 });
  });

  it('forgets commands after 24 hours, natural keys never', () => {
    const records = new CommandRecords();
    records.fold(recorded('old', 0, { n: 0 }), 'inv-1');
    expect(records.withId('old', START_MS + REMEMBERED_MS - 1)).toBeDefined();
    expect(records.withId('old', START_MS + REMEMBERED_MS)).toBeUndefined();
    records.fold(recorded('new', REMEMBERED_MS + 1, {}), undefined);
    // Even to a clock that is behind: it is no longer held.
    expect(records.withId('old', START_MS)).toBeUndefined();
    expect(records.withNaturalKey('inv-1')).toMatchObject({ answer: { n: 0 } });
  });

  it('finds the answer of a natural key on the last event of its command', () => {
    const records = new CommandRecords();
    records.fold(recorded('c-1', 0, undefined), 'inv-1');
    expect(records.withNaturalKey('inv-1')).toMatchObject({ mac: 'mac-c-1' });
    records.fold(recorded('c-1', 1, { n: 1 }), undefined);
    expect(records.withNaturalKey('inv-1')).toMatchObject({ answer: { n: 1 }, revision: 1, position: 1n });
    // The next command's answer is not taken for it.
    records.fold(recorded('c-2', 2, undefined), 'inv-2');
    records.fold(recorded('c-3', 3, { n: 3 }), undefined);
    expect(records.withNaturalKey('inv-2')).toMatchObject({ answer: {}, revision: 2 });
  });
});

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DecisionRunner, EventStore, EventStoreModule } from '@app/event-store';
import { addMillis, type CommandContext } from '@app/kernel';
import { PersonalDataModule } from '@app/personal-data';
import { parseRule } from '@app/rules';
import { commandContext, startTestEventStore, type TestEventStore } from '@app/testing';
import { Test, type TestingModule } from '@nestjs/testing';
import { SEGMENT_GRAPH_STREAM, segmentGraphEventDefinitions } from '../../domain/segment-graph.events';
import { segmentGraphDecider } from '../../domain/segment-graph.decider';
import { CyclicReferenceError, UnknownReferenceError } from '../../domain/segment.errors';
import { segmentEventDefinitions } from '../../domain/segment.events';
import { SegmentDefinitions } from './segment-definitions';
import { SegmentGraph } from './segment-graph';

const NOW = '2026-03-01T12:00:00.000Z';
const men = parseRule({ attr: 'profile.gender', op: 'eq', value: 'male' });
const women = parseRule({ attr: 'profile.gender', op: 'eq', value: 'female' });
const inside = (segment: string) => parseRule({ all: [{ segment, op: 'in' }, { everyone: true }] });

/** Two processes on one log. */
describe('definitions', () => {
  let server: TestEventStore;
  let folder: string;
  let modules: TestingModule[];
  let definers: { definitions: SegmentDefinitions; graph: SegmentGraph; runner: DecisionRunner }[];

  beforeAll(async () => {
    server = await startTestEventStore();
    folder = await mkdtemp(join(tmpdir(), 'regulars-keys-'));
    const start = () =>
      Test.createTestingModule({
        imports: [
          PersonalDataModule.forRoot({ keysDir: folder, awaitsReplay: false }),
          EventStoreModule.forRoot({
            connectionString: server.connectionString,
            definitions: [...segmentEventDefinitions, ...segmentGraphEventDefinitions],
          }),
        ],
      })
        .setLogger(false as never)
        .compile();
    modules = [await start(), await start()];
    definers = modules.map((module) => {
      const runner = module.get(DecisionRunner);
      const graph = new SegmentGraph(runner);
      return { runner, graph, definitions: new SegmentDefinitions(runner, graph) };
    });
  });
  afterAll(async () => {
    for (const module of modules) await module.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  const context = (fields: Partial<CommandContext> = {}): CommandContext =>
    commandContext({
      commandId: randomUUID(),
      now: NOW,
      deadlineMs: Date.now() + 10_000,
      ...fields,
    });
  const define = async (rule = men, on = 0, segmentId: string = randomUUID()): Promise<string> => {
    const command = {
      type: 'DefineSegment',
      segmentId,
      name: 'Some',
      rule,
      rootPointer: '/rule',
      now: NOW,
    } as const;
    await definers[on]!.definitions.define(command, context(), {});
    return segmentId;
  };
  const change = (segmentId: string, rule: typeof men, on = 0, fields: Partial<CommandContext> = {}) => {
    const command = { type: 'ChangeSegment', segmentId, rule, rootPointer: '/rule', now: NOW } as const;
    return definers[on]!.definitions.change(command, context(fields), { rule });
  };
  const graphNow = async () =>
    (await definers[0]!.runner.read(segmentGraphDecider, SEGMENT_GRAPH_STREAM)).state;

  it('never make a cycle, whichever process makes them', async () => {
    for (let round = 0; round < 10; round += 1) {
      const [a, b] = [await define(men, 0), await define(men, 1)];
      const ends = await Promise.allSettled([change(a, inside(b), 0), change(b, inside(a), 1)]);
      expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      const [refused] = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
      expect(refused).toBeInstanceOf(CyclicReferenceError);
    }
    expect((await graphNow()).open.size).toBe(0);
  });

  it('leave nothing open, also where they are refused or stale', async () => {
    const a = await define();
    await expect(change(a, inside(randomUUID()))).rejects.toThrow(UnknownReferenceError);
    await expect(change(a, women, 0, { expectedRevision: 7 })).rejects.toThrow();
    const { open, settled } = await graphNow();
    expect(open.size).toBe(0);
    expect(settled.get(a)).toEqual({ revision: 0, status: 'active', references: [] });
  });

  it('are answered again for one command, whatever has become of the segments since', async () => {
    const [a, b] = [await define(), await define()];
    const again = { commandId: randomUUID(), repeatable: true };
    const first = await change(a, inside(b), 0, again);
    await change(a, men);
    await change(b, inside(a));
    // Made anew, it would be a cycle.
    expect(await change(a, inside(b), 0, again)).toMatchObject({
      answer: first.answer,
      revision: first.revision,
      replayed: true,
    });
    expect((await graphNow()).settled.get(a)).toMatchObject({ references: [] });
  });

  it('of the same segment at one time all end in what its stream says', async () => {
    const [a, b, c] = [await define(), await define(), await define()];
    await Promise.all([change(a, inside(b), 0), change(a, inside(c), 1), change(a, women, 0)]);
    const { open, settled } = await graphNow();
    expect([open.size, settled.get(a)!.revision]).toEqual([0, 3]);
    const last = modules[0]!.get(EventStore).lastOf(`segment-${a}`);
    const { rule } = ((await last)!.data as { rule: typeof men }) ?? {};
    const expected = JSON.stringify(rule).includes(b) ? [b] : JSON.stringify(rule).includes(c) ? [c] : [];
    expect(settled.get(a)!.references).toEqual(expected);
  });

  it('that a crash cut off forbid too much for a minute, and nothing after it', async () => {
    const [a, b] = [await define(), await define()];
    const crashed = context();
    const asked = { segmentId: a, references: [b], activates: true };
    expect(await definers[0]!.graph.admit(asked, crashed)).toBe('granted');
    await expect(change(b, inside(a), 1)).rejects.toThrow(CyclicReferenceError);
    await expect(change(b, inside(a), 1, { now: addMillis(NOW, 59_000) })).rejects.toThrow(
      CyclicReferenceError,
    );
    await change(b, inside(a), 1, { now: addMillis(NOW, 61_000) });
    await expect(change(a, inside(b), 0)).rejects.toThrow(CyclicReferenceError);
  });
});

import { contactsProjection, type ContactEvent } from '@app/contacts';
import type { DecisionRunner, EventStore } from '@app/event-store';
import { MongoReadStore, openReadDatabase, type ReadDatabase } from '@app/read-store';
import { parseRule, type Rule } from '@app/rules';
import { CONTACT_ID, facts, recordedLog, startEmbeddedTestMongo, type TestMongo } from '@app/testing';
import fc from 'fast-check';
import { MongoSegmentStore } from '../engine/mongo.segment-store';
import { SegmentEngine } from '../engine/segment-engine';
import { anyLog, type AnyEvent } from '../engine/segment-engine.suite';
import type { SegmentEvent } from '../domain/segment.events';
import { FactBuckets } from '../read-models/mongo.fact-buckets';
import { FillState } from '../read-models/mongo.fill-state';
import { PendingChanges } from '../read-models/stays/mongo.pending-changes';
import { MembershipAtRevision } from './membership-at-revision';
import { MembershipBehindError } from './membership-behind.error';

const DAY_MS = 86_400_000;
const iso = (instant: number): string => new Date(instant).toISOString();
const at = (day: number): string => `2026-03-${String(day).padStart(2, '0')}T12:00:00.000Z`;

class Impatient extends MembershipAtRevision {
  protected override readonly waitMs = 1_000;
}

const engineState = { now: 0, head: null as bigint | null };
const statusOf = (log: readonly AnyEvent[], segmentId: string): string => {
  let status = 'unknown';
  for (const { type, data } of log) {
    if (!('segmentId' in data) || data.segmentId !== segmentId || !type.startsWith('segments.')) continue;
    if (type === 'segments.SegmentDeactivated.v1') status = 'inactive';
    else if (type !== 'segments.RuleChanged.v1') status = 'active';
  }
  return status;
};

describe('membership at a revision of the contact', () => {
  let server: TestMongo;
  let database: ReadDatabase;

  beforeAll(async () => {
    server = await startEmbeddedTestMongo();
    database = await openReadDatabase(server);
  });
  afterAll(async () => {
    await database?.close();
    await server?.close();
  });

  const emptied = async (): Promise<SegmentEngine> => {
    const { db } = database;
    for (const { name } of await db.listCollections().toArray()) await db.collection(name).deleteMany({});
    const readStore = new MongoReadStore(db);
    await readStore.open('spec', { projections: [contactsProjection], journals: [] });
    const engine = new SegmentEngine({
      store: new MongoSegmentStore(db, readStore),
      fills: new FillState(db),
      events: { head: async () => engineState.head, lastOf: async () => null } as unknown as EventStore,
      clock: { now: () => new Date(engineState.now) },
      onTrouble: (error) => {
        throw error;
      },
    });
    await engine.begin(null);
    return engine;
  };
  const settled = async (engine: SegmentEngine, log: readonly AnyEvent[], now: number): Promise<void> => {
    engineState.now = now + 500;
    engineState.head = log.at(-1)?.meta.position ?? null;
    while (await engine.step());
  };
  const membershipsIn = (log: readonly AnyEvent[]): MembershipAtRevision => {
    const { db } = database;
    const decisions = {
      read: async (_: unknown, stream: string) => ({
        state: { status: statusOf(log, stream.slice('segment-'.length)) },
      }),
    } as unknown as DecisionRunner;
    return new Impatient(db, decisions, new FillState(db), new PendingChanges(db), new FactBuckets(db));
  };
  const contacts = () =>
    database.db
      .collection<{ _id: string; revision: number; segments: string[] }>('contacts_v3')
      .find()
      .toArray();

  it('is what it comes to be once the clock has ticked up to the instant', async () => {
    let [members, changed] = [0, 0];
    await fc.assert(
      fc.asyncProperty(anyLog, fc.integer({ min: 0, max: 60 * DAY_MS }), async (log, laterMs) => {
        const engine = await emptied();
        await engine.apply(log);
        const end = Date.parse((log.at(-1) as AnyEvent).meta.recordedAt);
        await settled(engine, log, end);
        const memberships = membershipsIn(log);
        const before = await contacts();
        const found = new Map<string, string[]>();
        for (const { _id, revision } of before) {
          const inside: string[] = [];
          for (const segmentId of ['s1', 's2', 's3', 's4']) {
            const standing = await memberships.standingOf(_id, segmentId, revision, iso(end + laterMs));
            if (statusOf(log, segmentId) === 'active') expect(standing).toMatch(/member/i);
            else expect(standing).toBe('notActive');
            if (standing === 'member') inside.push(segmentId);
          }
          found.set(_id, inside);
        }
        await settled(engine, log, end + laterMs);
        for (const { _id, segments } of await contacts()) {
          expect([_id, found.get(_id)]).toEqual([_id, segments]);
          members += segments.length;
          if (String(before.find((contact) => contact._id === _id)?.segments) !== String(segments))
            changed += 1;
        }
      }),
      { numRuns: 15 },
    );
    expect(members).toBeGreaterThan(10);
    expect(changed).toBeGreaterThan(0);
  });

  const rule = (root: object): Rule => parseRule({ dsl: 1, root });
  const speaks = (language: string): Rule => rule({ attr: 'profile.language', op: 'eq', value: language });
  const told = (version: number, of: Rule, day: number) => ({
    ...{ segmentId: 's1', occurredAt: at(day), template: null },
    ...{ rule: of, ruleHash: `v${version}`, version },
  });
  const defined = (of: Rule): SegmentEvent => ({
    type: 'segments.SegmentDefined.v1',
    data: { ...told(1, of, 2), name: 's1', description: null },
  });
  const logOf = (...events: readonly (ContactEvent | SegmentEvent)[]): readonly AnyEvent[] =>
    recordedLog(
      events as ContactEvent[],
      events.map((_, n) => at(n + 1)),
    ) as unknown as readonly AnyEvent[];
  const german = facts.registered({ profile: { language: 'de' }, occurredAt: at(1) });
  const credited = facts.credited('e1', 5, { occurredAt: at(3) });

  it('is what it was before, while a new rule is being brought to everybody', async () => {
    const changed: SegmentEvent = { type: 'segments.RuleChanged.v1', data: told(2, speaks('en'), 3) };
    const log = logOf(german, defined(speaks('de')), changed);
    const engine = await emptied();
    const memberships = membershipsIn(log);
    const standing = () => memberships.standingOf(CONTACT_ID, 's1', 0, at(4));
    await engine.apply(log.slice(0, 2));
    expect(await standing()).toBe('notMember');
    await settled(engine, log.slice(0, 2), Date.parse(at(2)));
    expect(await standing()).toBe('member');
    await engine.apply(log.slice(2));
    expect(await standing()).toBe('member');
    await settled(engine, log, Date.parse(at(3)));
    expect(await standing()).toBe('notMember');
  });

  it('is waited for', async () => {
    const log = logOf(german, defined(rule({ metric: 'points.balance', op: 'gte', value: 5 })), credited);
    const engine = await emptied();
    await engine.apply(log.slice(0, 2));
    await settled(engine, log.slice(0, 2), Date.parse(at(2)));
    const memberships = membershipsIn(log);
    expect(await memberships.standingOf(CONTACT_ID, 's1', 0, at(4))).toBe('notMember');
    const standing = memberships.standingOf(CONTACT_ID, 's1', 1, at(4));
    await engine.apply(log.slice(2));
    expect(await standing).toBe('member');
    expect(await memberships.standingOf(CONTACT_ID, 's1', 0, at(4))).toBe('moved');
  });

  it('is not waited for for ever', async () => {
    const log = logOf(german, defined(speaks('de')));
    const engine = await emptied();
    await engine.apply(log);
    await expect(membershipsIn(log).standingOf(CONTACT_ID, 's1', 1, at(4))).rejects.toThrow(
      MembershipBehindError,
    );
  });
});

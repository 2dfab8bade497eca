import { setTimeout as sleep } from 'node:timers/promises';
import { contactsProjection, type ContactEvent } from '@app/contacts';
import type { EventStore } from '@app/event-store';
import type { Clock, RecordedEvent } from '@app/kernel';
import { collectionOf, ReadStoreUnavailableError, type Folding } from '@app/read-store';
import { touchedBy } from '@app/rules';
import { BucketNotLoadedError } from '../facts/bucketed.facts';
import { bucketsNeeded } from '../facts/buckets-needed';
import { bucketId, bucketIds, bucketsWritten } from '../facts/facts.document';
import type { SegmentEvent } from '../domain/segment.events';
import type { Interval } from '../membership/membership';
import type { FillState } from '../read-models/mongo.fill-state';
import { announcementOf } from './announcements';
import { bringUp, foldContact, pastReferences, type Fold, type StoredBucket } from './contact-fold';
import { changeBy, DefinitionsLog, type DefinitionChange } from './definition-changes';
import { fillCandidates } from './fill-candidates';
import type { ContactWrite, GuardedContact, MongoSegmentStore, StayChange } from './mongo.segment-store';

type Recorded = RecordedEvent<ContactEvent>;

export type SegmentEngineOptions = Readonly<{
  store: MongoSegmentStore;
  fills: FillState;
  events: Pick<EventStore, 'head'>;
  clock: Clock;
  onTrouble: (error: unknown) => void;
}>;

const POLL_MS = 200;
/**
 * What the clock has made due is applied so much later: an event that was written before that instant, by a server whose
 * clock is as much behind, has been folded by then.
 */
const CLOCK_MARGIN_MS = 500;
const CHUNK_SIZE = 500;
/** So many definitions are brought to everybody in one go. */
const CHANGES_MAX = 32;
/** Each round somebody else made progress, so many in a row mean that something is wrong. */
const CONTENTION_ROUNDS_MAX = 20;

/**
 * Folds contacts with what they are in. Events are folded as they come, and bring the contact up to all definitions made
 * before them; beside that, new definitions are brought to everybody else (a fill), and what the clock makes due is applied.
 * Whatever is killed and however many are at work, memberships come out the same: see foldContact.
 */
export class SegmentEngine implements Folding {
  readonly collection = collectionOf(contactsProjection);
  private readonly serial = new Serial();
  private log = new DefinitionsLog();
  /** Changes of definitions up to here are applied to everybody. */
  private filledAt = -1n;
  /** All events up to here are folded; null: not begun. */
  private foldedTo: bigint | null = null;
  private fill: Readonly<{ target: bigint; afterId: string }> | null = null;
  /** What is due by then is applied once the log is folded to where it ended when it was that time. */
  private nextTick: Readonly<{ until: string; head: bigint | null }> | null = null;

  constructor(private readonly options: SegmentEngineOptions) {}

  async begin(checkpoint: bigint | null): Promise<bigint | null> {
    return this.serial.run(async () => {
      const { store, fills } = this.options;
      await store.open();
      this.log = new DefinitionsLog(await store.definitionChanges());
      if (checkpoint === null) await fills.set(-1n);
      this.filledAt = await fills.filledAt();
      this.fill = null;
      this.foldedTo = checkpoint ?? -1n;
      return checkpoint;
    });
  }

  async apply(events: readonly RecordedEvent[]): Promise<void> {
    await this.serial.run(() => this.foldBatch(events));
  }

  /** Fills and ticks until the signal aborts. What cannot be done now is tried again. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let hasMore = false;
      try {
        hasMore = await this.step();
      } catch (error) {
        this.options.onTrouble(error);
      }
      if (!hasMore) await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Fills some, or applies some of what is due. True: there may be more to do. */
  async step(): Promise<boolean> {
    return (await this.fillSome()) || (await this.tick());
  }

  private async foldBatch(events: readonly RecordedEvent[]): Promise<void> {
    const last = events.at(-1);
    if (last === undefined) return;
    const byContact = new Map<string, Recorded[]>();
    for (const event of events) {
      if (event.type.startsWith('segments.')) await this.learn(event as RecordedEvent<SegmentEvent>);
      if (!Object.hasOwn(contactsProjection.on, event.type)) continue;
      const { contactId } = (event as Recorded).data;
      const known = byContact.get(contactId);
      if (known === undefined) byContact.set(contactId, [event as Recorded]);
      else known.push(event as Recorded);
    }
    await this.foldContacts(byContact, last.meta.position);
    this.foldedTo = last.meta.position;
  }

  private async learn(event: RecordedEvent<SegmentEvent>): Promise<void> {
    const { segmentId } = event.data;
    const change = changeBy(this.log.before(segmentId, event.meta.position), event);
    if (change === null) return;
    await this.options.store.addDefinitionChange(change);
    this.log.add(change);
  }

  private async foldContacts(
    byContact: ReadonlyMap<string, readonly Recorded[]>,
    last: bigint,
  ): Promise<void> {
    const { store } = this.options;
    const ids = [...byContact.keys()];
    if (ids.length === 0) return;
    for (let round = 1; round <= CONTENTION_ROUNDS_MAX; round += 1) {
      const contacts = await store.loadContacts(ids);
      const wanted = new Map(
        ids.map((id) => {
          const events = byContact.get(id) as readonly Recorded[];
          // What is written for somebody new is new, too, unless it was written before a crash.
          const isNew = round === 1 && !contacts.has(id);
          return [id, isNew ? [] : this.bucketsFor(contacts.get(id) ?? null, events, last)];
        }),
      );
      const loaded = await this.load(contacts, wanted, last);
      const writes: ContactWrite[] = [];
      const stays: StayChange[] = [];
      for (const [id, events] of byContact) {
        const contact = contacts.get(id) ?? null;
        const fold = await this.withBuckets(loaded, id, contact, (surroundings) =>
          foldContact(contact, events, surroundings),
        );
        if (fold.contact === null || fold.contact.position === contact?.position) continue;
        writes.push(writeOf(fold, contact, loaded.buckets.get(id)));
        for (const change of this.announced(id, fold.stays)) stays.push(change);
      }
      if (await this.save(writes, stays)) return;
    }
    throw new ReadStoreUnavailableError();
  }

  /** Facts first, then stays, then the contact: what is folded again after a crash finds them written and changes nothing. */
  private async save(writes: readonly ContactWrite[], stays: readonly StayChange[]): Promise<boolean> {
    const { store } = this.options;
    if (!(await store.saveBuckets(writes))) return false;
    await store.saveStays(stays);
    await store.removeBuckets(
      writes.flatMap(({ contact: { contact } }) => (contact.erasure === 'erased' ? [contact.contactId] : [])),
    );
    return store.saveContacts(writes);
  }

  /** The buckets that events are written to, and those that the rules will ask for that are surely asked. */
  private bucketsFor(
    stored: GuardedContact | null,
    events: readonly Recorded[],
    last: bigint,
  ): readonly string[] {
    const ids = new Set<string>();
    const sizes = new Map(Object.entries(stored?.contact.facts.sizes ?? {}));
    for (const event of events) {
      if (stored !== null && event.meta.position <= stored.position) continue;
      for (const name of bucketsWritten({ sizes: Object.fromEntries(sizes) }, event)) {
        ids.add(bucketId(event.data.contactId, name));
        sizes.set(name.month, (sizes.get(name.month) ?? 0) + 1);
      }
    }
    if (stored === null) return [...ids];
    const first = events[0] as Recorded;
    const until = (events.at(-1) as Recorded).meta.recordedAt;
    for (const id of this.bucketsToAsk(
      stored,
      events.flatMap(touchedBy),
      first.meta.recordedAt,
      until,
      last,
    )) {
      ids.add(id);
    }
    return [...ids];
  }

  private bucketsToAsk(
    { contact: { facts, membership } }: GuardedContact,
    touched: readonly string[],
    from: string,
    until: string,
    before: bigint,
  ): readonly string[] {
    const definitions = this.log.at(before);
    const pending = this.pendingOf(membership.definitionsAt, before);
    const asked = new Set([
      ...definitions.dependingOn(touched),
      ...pending.map(({ segmentId }) => segmentId),
      ...Object.entries(membership.due).flatMap(([id, dueAt]) => (dueAt <= until ? [id] : [])),
    ]);
    for (const id of asked) for (const referrer of definitions.referringTo(id)) asked.add(referrer);
    if (asked.size === 0) return [];
    const instants = [from, membership.evaluatedAt ?? from, ...pending.map(({ at }) => at)];
    const earliest = Date.parse(instants.reduce((one, other) => (one < other ? one : other)));
    const months = new Set<string>();
    for (const id of asked) {
      const rule = definitions.get(id)?.rule;
      if (rule) for (const month of bucketsNeeded(rule, facts, earliest)) months.add(month);
    }
    return bucketIds(facts, [...months]);
  }

  private pendingOf(definitionsAt: string, before: bigint): readonly DefinitionChange[] {
    const appliedAt = BigInt(definitionsAt);
    return this.log.between(appliedAt > this.filledAt ? appliedAt : this.filledAt, before);
  }

  private async load(
    contacts: ReadonlyMap<string, GuardedContact>,
    wanted: ReadonlyMap<string, readonly string[]>,
    before: bigint,
  ): Promise<Loaded> {
    const { store } = this.options;
    const owners = new Map<string, string>();
    for (const [id, buckets] of wanted) for (const bucket of buckets) owners.set(bucket, id);
    const buckets = new Map<string, Map<string, StoredBucket>>();
    for (const [id, bucket] of await store.loadBuckets([...owners.keys()])) {
      putInto(buckets, owners.get(id) as string, id, bucket);
    }
    const endedStays = new Map<string, ReadonlyMap<string, readonly Interval[]>>();
    for (const [segmentId, contactIds] of this.pastAsked(contacts, before)) {
      endedStays.set(segmentId, await store.endedStays(contactIds, segmentId));
    }
    return { buckets, endedStays };
  }

  /** Of which contacts the past in which segments is to be known, for definitions that they are brought up to. */
  private pastAsked(
    contacts: ReadonlyMap<string, GuardedContact>,
    before: bigint,
  ): ReadonlyMap<string, readonly string[]> {
    const asked = new Map<string, string[]>();
    for (const [contactId, { contact }] of contacts) {
      for (const { definition, isActive } of this.pendingOf(contact.membership.definitionsAt, before)) {
        if (!isActive || definition.rule === null) continue;
        for (const segmentId of pastReferences(definition.rule)) {
          const known = asked.get(segmentId);
          if (known === undefined) asked.set(segmentId, [contactId]);
          else if (known.at(-1) !== contactId) known.push(contactId);
        }
      }
    }
    return asked;
  }

  /** Does it again with each month that turns out to be needed, of which there is an end. */
  private async withBuckets<T>(
    loaded: Loaded,
    contactId: string,
    stored: GuardedContact | null,
    work: (surroundings: Parameters<typeof foldContact>[2]) => T,
  ): Promise<T> {
    for (let missing = ''; ;) {
      const surroundings = {
        buckets: loaded.buckets.get(contactId) ?? new Map<string, StoredBucket>(),
        endedStays: (segmentId: string) => loaded.endedStays.get(segmentId)?.get(contactId) ?? [],
        log: this.log,
        filledAt: this.filledAt,
      };
      try {
        return work(surroundings);
      } catch (error) {
        if (!(error instanceof BucketNotLoadedError) || stored === null || error.month === missing)
          throw error;
        missing = error.month;
        const ids = bucketIds(stored.contact.facts, [missing]);
        for (const [id, bucket] of await this.options.store.loadBuckets(ids)) {
          putInto(loaded.buckets, contactId, id, bucket);
        }
      }
    }
  }

  private announced(contactId: string, stays: readonly Interval[]): readonly StayChange[] {
    // Where stays are built anew, whoever announces knows what was announced before.
    return stays.map((stay, n) => ({ contactId, stay, announce: announcementOf(stay, stays, n) }));
  }

  /** Brings definitions to the next contacts. True: there is more to do. */
  private async fillSome(): Promise<boolean> {
    return this.serial.run(async () => {
      if (this.foldedTo === null) return false;
      const pending = this.log.between(this.filledAt, this.foldedTo + 1n).slice(0, CHANGES_MAX);
      const target = this.fill?.target ?? pending.at(-1)?.position;
      if (target === undefined) return false;
      const afterId = this.fill?.afterId ?? '';
      const changes = pending.filter(({ position }) => position <= target);
      const contacts = await this.options.store.scan(afterId, fillCandidates(changes), CHUNK_SIZE);
      if (!(await this.bring(contacts, target + 1n, null))) return true;
      if (contacts.size === CHUNK_SIZE) {
        this.fill = { target, afterId: [...contacts.keys()].at(-1) as string };
        return true;
      }
      await this.options.fills.set(target);
      this.filledAt = target;
      this.fill = null;
      return true;
    });
  }

  /** Applies what has become due. True: there is more to do. */
  private async tick(): Promise<boolean> {
    const { clock, events, store } = this.options;
    const isLate = this.nextTick !== null;
    // Kept until it was applied: a log that grows all the time is never folded to its newest end.
    this.nextTick ??= {
      until: new Date(clock.now().getTime() - CLOCK_MARGIN_MS).toISOString(),
      head: await events.head(),
    };
    const { until, head } = this.nextTick;
    return this.serial.run(async () => {
      if (this.foldedTo === null || (head !== null && this.foldedTo < head)) return false;
      const contacts = await store.due(until, CHUNK_SIZE);
      const applied = contacts.size === 0 || (await this.bring(contacts, this.foldedTo + 1n, until));
      if (!applied || contacts.size === CHUNK_SIZE) return true;
      this.nextTick = null;
      return isLate;
    });
  }

  /** False: somebody else has written one of them; what is left to do is found again. */
  private async bring(
    contacts: ReadonlyMap<string, GuardedContact>,
    before: bigint,
    until: string | null,
  ): Promise<boolean> {
    const { store } = this.options;
    const wanted = new Map<string, readonly string[]>();
    for (const [id, stored] of contacts) {
      const pending = this.pendingOf(stored.contact.membership.definitionsAt, before);
      const from = until ?? pending[0]?.at;
      if (from === undefined) continue;
      wanted.set(id, this.bucketsToAsk(stored, [], from, until ?? (pending.at(-1)?.at as string), before));
    }
    const loaded = await this.load(contacts, wanted, before);
    const writes: ContactWrite[] = [];
    const stays: StayChange[] = [];
    for (const [id, stored] of contacts) {
      const fold = await this.withBuckets(loaded, id, stored, (surroundings) =>
        bringUp(stored, before, until, surroundings),
      );
      if (fold === null) continue;
      writes.push(writeOf(fold, stored, undefined));
      for (const change of this.announced(id, fold.stays)) stays.push(change);
    }
    await store.saveStays(stays);
    return store.saveContacts(writes);
  }
}

type Loaded = Readonly<{
  /** By contact and bucketId. */
  buckets: Map<string, Map<string, StoredBucket>>;
  /** By segment and contact. */
  endedStays: ReadonlyMap<string, ReadonlyMap<string, readonly Interval[]>>;
}>;

const putInto = <T>(maps: Map<string, Map<string, T>>, owner: string, key: string, value: T): void => {
  const known = maps.get(owner);
  if (known === undefined) maps.set(owner, new Map([[key, value]]));
  else known.set(key, value);
};

const writeOf = (
  { contact, buckets }: Fold,
  stored: GuardedContact | null,
  loadedBuckets: ReadonlyMap<string, StoredBucket> = new Map(),
): ContactWrite => {
  if (contact === null) throw new Error('There is no contact to write.');
  return { contact, stored, buckets, loadedBuckets };
};

/** One at a time, in the order in which they are asked for. */
class Serial {
  private last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.last.then(work);
    this.last = result.catch(() => undefined);
    return result;
  }
}

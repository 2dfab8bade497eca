import type { Round, Stop } from './in-flight';

/** Half open: `from` inclusive, `to` exclusive. Contacts of the bench are known by their number. */
export type Range = Readonly<{ from: number; to: number }>;

type Http = Readonly<{ url: string; key: string }>;
type EventStore = Readonly<{ eventStoreUrl: string }>;
type Load = Readonly<{ inFlight: number; stop: Stop }>;

/** The projector, all read models: without segments, with facts and no segment, with some, with many more that events do not touch, and with all asked each time. */
export const SEGMENT_FOLDS = ['plain', 'none', 'active', 'unrelated', 'naive'] as const;
export type SegmentFold = (typeof SEGMENT_FOLDS)[number];

/** What the client processes are asked to do, and what they answer. */
export type Jobs = {
  /** Registers contacts and lets each of them do a few things. */
  fill: {
    job: Http & Readonly<{ contacts: Range; inFlight: number; actions: 'few' | 'four' }>;
    answer: Round;
  };
  /** Credits points to contacts of the range in turn. */
  credit: {
    job: Http & Load & Readonly<{ contacts: Range }>;
    answer: Round & Readonly<{ position: string }>;
  };
  /** Pages through the contact list, 50 a page, one request at a time. */
  list: { job: Http & Readonly<{ sort: string; pages: number }>; answer: Round };
  /** A single read, again and again, one at a time. */
  read: { job: Http & Readonly<{ path: string; times: number }>; answer: Round };
  /** Looks at contacts of the range in turn. */
  view: { job: Http & Load & Readonly<{ contacts: Range }>; answer: Round };
  /** Erases contacts, one after the other: time from the call until the receipt says that nothing of them can be read. */
  erase: { job: Http & Readonly<{ contacts: Range }>; answer: Round };
  /** Credits points and reads the list with that position: time from the command's answer to the list's. */
  visible: { job: Http & Readonly<{ contacts: Range; times: number }>; answer: Round };
  /** Previews a rule, one at a time. */
  preview: { job: Http & Readonly<{ rule: object; times: number }>; answer: Round };
  /** Defines a segment: time from the call until all its members are shown. */
  defineSegment: { job: Http & Readonly<{ name: string; rule: object }>; answer: Readonly<{ ms: number }> };
  /** Waits until everything up to a position is in the read models. */
  settle: { job: Http & Readonly<{ position: string }>; answer: Readonly<{ ms: number }> };
  /** Bare appends of single events to existing streams. */
  rawAppend: {
    job: EventStore & Load & Readonly<{ event: RawEvent; streams: Range; batchSize: number }>;
    answer: Round;
  };
  /** Makes streams of so many events each. */
  rawFill: {
    job: EventStore & Readonly<{ event: RawEvent; streams: Range; eventsEach: number; inFlight: number }>;
    answer: Round;
  };
  /** Reads a stream and appends one event at the revision found. */
  rawReadAppend: {
    job: EventStore & Readonly<{ event: RawEvent; streams: Range; inFlight: number }>;
    answer: Round;
  };
  /** One event as it is stored in a contact's stream: its last. */
  sample: { job: EventStore & Readonly<{ stream: string }>; answer: RawEvent };
  /** Reads the log from its beginning. `iterate`: readAll with for await; `flow`: readAll with on('data'). */
  rawReadAll: {
    job: EventStore & Readonly<{ eventsMax: number; how: 'iterate' | 'flow' | 'subscribe' }>;
    answer: Readonly<{ count: number; perSecond: number }>;
  };
  /** Appends single events while subscribed: time from the call to the delivery. */
  rawDelivery: { job: EventStore & Readonly<{ event: RawEvent; times: number }>; answer: Round };
  /** Waits until a projector that fills `dbName` has reached `position`. */
  catchUp: {
    job: Readonly<{ mongodbUrl: string; dbName: string; position: string; timeoutMs: number }>;
    answer: Readonly<{
      /** From the first checkpoint seen to the last, and the share of the log that lies between. */
      seconds: number;
      share: number;
      collections: readonly Readonly<{ name: string; documents: number; indexes: number }>[];
    }>;
  };
  /** Writes all documents of one database to another by bare unordered bulks of replacements. */
  rawReplace: {
    job: Readonly<{ mongodbUrl: string; fromDb: string; toDb: string; bulkSize: number; inFlight: number }>;
    answer: Readonly<{ documents: number; seconds: number; perSecond: number }>;
  };
  /** Folds the same credits of points in all ways, each in a database of its own: events a second. */
  foldSegments: {
    job: Readonly<{
      mongodbUrl: string;
      dbName: string;
      contacts: number;
      batchedCount: number;
      singleCount: number;
      roundCount: number;
    }>;
    answer: Readonly<{
      rounds: readonly Readonly<Record<SegmentFold, Readonly<{ batched: number; single: number }>>>[];
      /** All active rules asked of everybody. */
      recomputeMs: number;
      activeCount: number;
      touchedCount: number;
      unrelatedCount: number;
    }>;
  };
  dropDatabase: {
    job: Readonly<{ mongodbUrl: string; dbName: string }>;
    answer: Readonly<Record<string, never>>;
  };
};

export type JobName = keyof Jobs;

export type Handlers = {
  readonly [Name in JobName]?: (job: Jobs[Name]['job']) => Promise<Jobs[Name]['answer']>;
};

/** An event as bytes on the wire would carry it, apart from its id. */
export type RawEvent = Readonly<{ type: string; data: object; metadata: object }>;

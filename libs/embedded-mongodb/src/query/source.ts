import { Collection } from '../storage/collection';
import { recordOfKey, recordOfValue } from '../storage/index-key';
import { Store } from '../storage/store';
import { Matcher } from './matcher';
import { Plan } from './planner';
import { Sorter } from './sort';

/**
 * Documents on demand. Each call looks at a bounded number of entries and returns what it found, perhaps nothing yet;
 * undefined is the end. Between calls the store may change: a source keeps its place by key, not by a snapshot.
 */
export interface Source {
  next(wanted: number): Buffer[] | undefined;
}

/** A document and where it is stored. */
export type Found = Readonly<{ recordId: number; document: Buffer }>;

export type ScanStats = { keysExamined: number; docsExamined: number };

const STEP_MAX = 256;

/** Walks a plan and filters; the lowest source of every query. */
export class Scan implements Source {
  readonly stats: ScanStats = { keysExamined: 0, docsExamined: 0 };
  private rangeAt = 0;
  private after: Buffer | undefined;
  private readonly seen: Set<number> | undefined;
  private done = false;
  private matched = 0;

  constructor(
    private readonly store: Store,
    private readonly collection: Collection,
    private readonly plan: Plan,
    private readonly matches: Matcher,
  ) {
    if (plan.kind === 'index' && plan.index.stored.multikey.some(Boolean)) this.seen = new Set();
    if (plan.kind === 'index' && plan.reverse) this.rangeAt = plan.ranges.length - 1;
  }

  next(wanted: number): Buffer[] | undefined {
    return this.find(wanted)?.map(({ document }) => document);
  }

  /** As `next`, with the records. */
  find(wanted: number): Found[] | undefined {
    if (this.done || !this.collection.alive) return undefined;
    // As many as are likely to hold the wanted ones, judged by what was found so far.
    const share = this.stats.docsExamined / Math.max(this.matched, 1);
    const step = Math.min(Math.ceil(Math.max(wanted, 1) * Math.max(share, 1)), STEP_MAX);
    switch (this.plan.kind) {
      case 'nothing':
        return undefined;
      case 'collection':
        return this.scanCollection(step);
      case 'index':
        return this.scanIndex(this.plan, step);
    }
  }

  private scanCollection(step: number): Found[] | undefined {
    const entries = this.store.entries(this.collection.range, step, false, this.after);
    if (entries.length < step) this.done = true;
    this.after = entries.at(-1)?.key ?? this.after;
    this.stats.docsExamined += entries.length;
    const found: Found[] = [];
    for (const { key, value } of entries) {
      if (this.matches(value, 0)) found.push({ recordId: recordOfKey(key), document: value });
    }
    this.matched += found.length;
    return found;
  }

  private scanIndex(plan: Extract<Plan, { kind: 'index' }>, step: number): Found[] {
    const found: Found[] = [];
    for (const recordId of this.nextRecords(plan, step)) {
      if (this.seen?.has(recordId)) continue;
      this.seen?.add(recordId);
      const document = this.collection.document(recordId);
      if (!document) continue;
      this.stats.docsExamined += 1;
      if (this.matches(document, 0)) found.push({ recordId, document });
    }
    this.matched += found.length;
    return found;
  }

  private nextRecords({ index, ranges, reverse }: Extract<Plan, { kind: 'index' }>, step: number): number[] {
    const records: number[] = [];
    let looked = 0;
    while (records.length < step && looked < STEP_MAX) {
      const range = ranges[this.rangeAt];
      if (!range) {
        this.done = true;
        break;
      }
      looked += 1;
      let isOver = true;
      if (range.point) {
        const value = this.store.get(range.start);
        if (value) records.push(recordOfValue(value));
      } else {
        const room = step - records.length;
        const count = index.stored.unique
          ? this.uniqueEntries(range, room, reverse, records)
          : this.plainEntries(range, room, reverse, records);
        looked += count;
        isOver = count < room;
      }
      if (isOver) {
        this.rangeAt += reverse ? -1 : 1;
        this.after = undefined;
      }
    }
    this.stats.keysExamined += records.length;
    return records;
  }

  private uniqueEntries(
    range: { start: Buffer; end: Buffer },
    room: number,
    reverse: boolean,
    into: number[],
  ): number {
    const entries = this.store.entries(range, room, reverse, this.after);
    for (const { value } of entries) into.push(recordOfValue(value));
    this.after = entries.at(-1)?.key ?? this.after;
    return entries.length;
  }

  private plainEntries(
    range: { start: Buffer; end: Buffer },
    room: number,
    reverse: boolean,
    into: number[],
  ): number {
    const keys = this.store.keys(range, room, reverse, this.after);
    for (const key of keys) into.push(recordOfKey(key));
    this.after = keys.at(-1) ?? this.after;
    return keys.length;
  }
}

/** Documents that are already there. */
export class ListSource implements Source {
  private at = 0;

  constructor(private readonly documents: readonly Buffer[]) {}

  next(wanted: number): Buffer[] | undefined {
    if (this.at >= this.documents.length) return undefined;
    const part = this.documents.slice(this.at, this.at + Math.max(wanted, 1));
    this.at += part.length;
    return part;
  }
}

/** Reads its input to the end, one step a call, and then hands out what `finish` makes of it. */
export class Gathering implements Source {
  private result: Source | undefined;

  constructor(
    private readonly input: Source,
    private readonly take: (document: Buffer) => void,
    private readonly finish: () => readonly Buffer[],
  ) {}

  next(wanted: number): Buffer[] | undefined {
    if (this.result) return this.result.next(wanted);
    const documents = this.input.next(STEP_MAX);
    if (documents) for (const document of documents) this.take(document);
    else this.result = new ListSource(this.finish());
    return [];
  }
}

export const sorted = (input: Source, sorter: Sorter): Source =>
  new Gathering(
    input,
    (document) => sorter.add(document),
    () => sorter.sorted(),
  );

/** Leaves out the first `skip` documents and ends after `limit` more. */
export class Slice implements Source {
  constructor(
    private readonly input: Source,
    private skip: number,
    private limit: number,
  ) {}

  next(wanted: number): Buffer[] | undefined {
    if (this.limit === 0) return undefined;
    const documents = this.input.next(Math.min(this.skip + wanted, this.skip + this.limit));
    if (!documents) return undefined;
    const skipped = Math.min(this.skip, documents.length);
    this.skip -= skipped;
    const part = documents.slice(skipped, skipped + this.limit);
    this.limit -= part.length;
    return part;
  }
}

/** Makes zero or more documents of each. */
export class Each implements Source {
  constructor(
    private readonly input: Source,
    private readonly make: (document: Buffer) => Buffer | readonly Buffer[] | undefined,
  ) {}

  next(wanted: number): Buffer[] | undefined {
    return this.input.next(wanted)?.flatMap((document) => this.make(document) ?? []);
  }
}

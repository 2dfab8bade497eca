import { Query } from '@nestjs/cqrs';
import type { ContactRow, Reader } from '@app/contacts';
import type { Cause } from '../../membership/membership';
import type { MemberChange } from './changes';
import type { Overlap } from './overlap';
import type { SeriesPoint } from './series';
import type { AskedOf } from '../../evaluation/shown-as-of';

export type Page<Item> = Readonly<{
  items: readonly Item[];
  nextCursor: string | null;
  asOfPosition: string;
}>;

export type Paging = Readonly<{ limit: number; cursor?: string | undefined }>;

/** Who was in by what was known then, as it is kept, or by what is known now of when things happened. */
export type Axis = 'recorded' | 'occurred';

/** A stay as it is shown. */
export type MembershipView = Readonly<{
  segmentId: string;
  contactId: string;
  from: string;
  to: string | null;
  version: number;
  causeIn: Cause;
  causeOut: Cause | null;
}>;

export type Member = Readonly<{
  contactId: string;
  membership: MembershipView;
  /** Left out of the past: it shows the present. */
  contact?: ContactRow;
  /** Of the past: nothing but that somebody was in is left. */
  erased?: true;
}>;

export type MemberPage = Page<Member>;

/** Who is in a segment, or was, by contact. Leaves out whom the reader may not see. */
export class ListMembersQuery extends Query<MemberPage> {
  constructor(
    readonly segmentId: string,
    readonly asked: AskedOf,
    readonly axis: Axis,
    readonly paging: Paging,
    readonly reader: Reader,
  ) {
    super();
  }
}

/** Who is in a snapshot. */
export class ListSnapshotMembersQuery extends Query<MemberPage> {
  constructor(
    readonly segmentId: string,
    readonly snapshotId: string,
    readonly paging: Paging,
    readonly reader: Reader,
    readonly minPosition?: bigint,
  ) {
    super();
  }
}

export type MemberCount = Readonly<{
  count: number;
  /** Which decided then; null: there was no such segment. */
  version: number | null;
  asOf: string;
  asOfPosition: string;
}>;

/** How many are in a segment, or were: all of them, exactly. */
export class CountMembersQuery extends Query<MemberCount> {
  constructor(
    readonly segmentId: string,
    readonly asked: AskedOf,
    readonly axis: Axis = 'recorded',
  ) {
    super();
  }
}

/** Half-open; what is left out has no end. */
export type Period = Readonly<{ from?: string | undefined; to?: string | undefined }>;

/** Who entered and left, oldest first. */
export class ListChangesQuery extends Query<Page<MemberChange>> {
  constructor(
    readonly segmentId: string,
    readonly period: Period,
    readonly paging: Paging,
    readonly reader: Reader,
    readonly minPosition?: bigint,
  ) {
    super();
  }
}

export type MemberSeries = Readonly<{ points: readonly SeriesPoint[]; asOfPosition: string }>;

/** How many were in at each of a row of instants, both ends included; none that lies in the future. */
export class GetMemberSeriesQuery extends Query<MemberSeries> {
  constructor(
    readonly segmentId: string,
    readonly from: string,
    readonly to: string,
    readonly step: string,
    readonly minPosition?: bigint,
  ) {
    super();
  }
}

export type OverlapAnswer = Overlap & Readonly<{ asOfPosition: string }>;

/** How many are in more than one of some segments. */
export class GetOverlapQuery extends Query<OverlapAnswer> {
  constructor(
    readonly segmentIds: readonly string[],
    readonly minPosition?: bigint,
  ) {
    super();
  }
}

/** What one contact is in and was in, the latest first. */
export class ListContactStaysQuery extends Query<Page<MembershipView>> {
  constructor(
    readonly contactId: string,
    readonly paging: Paging,
    readonly reader: Reader,
    readonly minPosition?: bigint,
  ) {
    super();
  }
}

export type SnapshotView = Readonly<{ snapshotId: string; name: string; asOf: string; takenAt: string }>;

/** A segment's snapshots, newest first. */
export class ListSnapshotsQuery extends Query<Page<SnapshotView>> {
  constructor(
    readonly segmentId: string,
    readonly paging: Paging,
    readonly minPosition?: bigint,
  ) {
    super();
  }
}

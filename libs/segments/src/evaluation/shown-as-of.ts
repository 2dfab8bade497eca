import { Injectable } from '@nestjs/common';
import { EventStore } from '@app/event-store';
import { Clock, DomainError } from '@app/kernel';
import { ReadBehindError, ReadGate } from '@app/read-store';
import { FillState } from '../read-models/mongo.fill-state';
import { SegmentReads } from '../read-models/segments/mongo.segment-reads';
import { SegmentNotShownError } from '../read-models/segments/segment-not-shown.error';
import type { SegmentDocument } from '../read-models/segments/segments.projection';
import { earlierOf, type Moment } from '../read-models/stays/moment';
import { PendingChanges } from '../read-models/stays/mongo.pending-changes';

/** What a question says of time; at most one of `asOf` and `asOfPosition`. */
export type AskedOf = Readonly<{
  asOf?: string | undefined;
  asOfPosition?: bigint | undefined;
  minPosition?: bigint | undefined;
}>;

/** Segments, and as of when each is shown. */
export type Shown = Readonly<{
  segments: ReadonlyMap<string, SegmentDocument>;
  /** Null: as it is now. */
  moments: ReadonlyMap<string, Moment | null>;
  /** At least up to there. */
  asOfPosition: bigint;
  now: string;
}>;

/** As long as a reader waits for read models. */
const WAIT_MS = 5_000;
/** Clocks of clients may be ahead of ours by so much. */
const AHEAD_MAX_MS = 60_000;
/** How often a question is asked again because definitions changed while it was answered. */
const TRIES_MAX = 3;

/** The instant or position that was asked for is none that there has been. */
export class InvalidMomentError extends DomainError {
  readonly kind = 'invalid';

  constructor(
    readonly code: `segments.${string}`,
    override readonly pointer: string,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Says as of when segments are shown: now, or when was asked for, or, while one is being filled with a new definition, as
 * they were before that. So everybody enters and leaves by a definition at once.
 */
@Injectable()
export class ShownAsOf {
  constructor(
    private readonly gate: ReadGate,
    private readonly segments: SegmentReads,
    private readonly fills: FillState,
    private readonly pending: PendingChanges,
    private readonly events: EventStore,
    private readonly clock: Clock,
  ) {}

  /**
   * Asks `read`; again where a definition changed meanwhile. With `minPosition`, definitions up to there are waited for, too.
   * Throws SegmentNotShownError, InvalidMomentError, ReadBehindError after 5 s, and what `read` throws.
   */
  async ask<Answer>(
    segmentIds: readonly string[],
    asked: AskedOf,
    read: (shown: Shown) => Promise<Answer>,
  ): Promise<Answer> {
    const { asOfPosition = -1n, minPosition = -1n } = asked;
    const now = this.clock.now().toISOString();
    const moment = await this.momentAsked(asked, now);
    const wanted = asOfPosition > minPosition ? asOfPosition : minPosition;
    const reached = await this.gate.wait(wanted < 0n ? undefined : wanted);
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const filledAt = await this.filled(asked.minPosition);
      const segments = await this.segments.findAll(segmentIds);
      if (segmentIds.some((id) => !segments.has(id))) throw new SegmentNotShownError();
      const before = await this.pending.reached(filledAt, segmentIds);
      const answer = await read(shownBy(segments, before, moment, reached, now));
      const after = await this.pending.reached(filledAt, segmentIds);
      if (after.size === before.size) return answer;
    }
    throw new ReadBehindError(reached, reached);
  }

  /**
   * Waits for `minPosition`, with definitions up to there; for questions that do not name their segments beforehand. Throws
   * ReadBehindError after 5 s.
   */
  async reach(minPosition?: bigint): Promise<Readonly<{ position: bigint; filledAt: bigint }>> {
    const position = await this.gate.wait(minPosition);
    return { position, filledAt: await this.filled(minPosition) };
  }

  /**
   * Waits until who was in a segment at an instant is known for good, as far as definitions go. Throws InvalidMomentError, and
   * ReadBehindError after 5 s.
   */
  async settled(segmentId: string, instant: string, minPosition?: bigint): Promise<void> {
    const now = this.clock.now().toISOString();
    await this.momentAsked({ asOf: instant }, now);
    const { position, filledAt } = await this.reach(minPosition);
    const change = (await this.pending.reached(filledAt, [segmentId])).get(segmentId);
    const last = await this.pending.lastIn(filledAt, position);
    if (change?.position === undefined || change.at > instant || last === null) return;
    const isFilled = await this.fills.untilFilled(last, Date.now() + WAIT_MS);
    if (!isFilled) throw new ReadBehindError(change.position, last);
  }

  /** Where it is not null, `asOf` or the event at `asOfPosition` decides. */
  private async momentAsked({ asOf, asOfPosition }: AskedOf, now: string): Promise<Moment | null> {
    if (asOfPosition !== undefined) {
      const at = await this.events.recordedAt(asOfPosition);
      if (at !== null) return { at, position: asOfPosition };
      throw new InvalidMomentError(
        'segments.unknown-position',
        '/asOfPosition',
        'Nothing was recorded at this position.',
      );
    }
    if (asOf === undefined) return null;
    if (Date.parse(asOf) > Date.parse(now) + AHEAD_MAX_MS) {
      throw new InvalidMomentError('segments.not-yet', '/asOf', 'This instant lies in the future.');
    }
    return { at: asOf };
  }

  /** Up to where definitions are applied to everybody: to those up to `minPosition` at least. */
  private async filled(minPosition: bigint | undefined): Promise<bigint> {
    const filledAt = await this.fills.filledAt();
    if (minPosition === undefined || filledAt >= minPosition) return filledAt;
    const last = await this.pending.lastIn(filledAt, minPosition);
    if (last === null) return filledAt;
    const isFilled = await this.fills.untilFilled(last, Date.now() + WAIT_MS);
    if (!isFilled) throw new ReadBehindError(last - 1n, minPosition);
    return this.fills.filledAt();
  }
}

const shownBy = (
  segments: ReadonlyMap<string, SegmentDocument>,
  pending: ReadonlyMap<string, Moment>,
  asked: Moment | null,
  reached: bigint,
  now: string,
): Shown => {
  const moments = new Map<string, Moment | null>();
  let asOfPosition = asked?.position ?? reached;
  for (const id of segments.keys()) {
    const unfilled = pending.get(id);
    const moment = unfilled === undefined ? asked : asked === null ? unfilled : earlierOf(asked, unfilled);
    moments.set(id, moment);
    if (moment?.position !== undefined && moment.position < asOfPosition) asOfPosition = moment.position;
  }
  return { segments, moments, asOfPosition, now };
};

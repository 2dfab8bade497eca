import { DomainError, type Decider, type Decision, type RecordedEvent } from '@app/kernel';
import { isRanked, lintRule, ruleHash, type Rule } from '@app/rules';
import { referencesOf } from './references';
import {
  AdmissionNeededError,
  ManualSegmentError,
  NotRankedError,
  RuleRefusedError,
  SegmentAlreadyExistsError,
  SegmentInactiveError,
  SegmentNotFoundError,
  SNAPSHOTS_MAX,
  TooManySnapshotsError,
  VersionChangedError,
} from './segment.errors';
import type { MadeFrom, SegmentEvent, SegmentRule } from './segment.events';

export type Segment =
  | Readonly<{ status: 'unknown' }>
  | Readonly<{
      status: 'active' | 'inactive' | 'deleted';
      name: string;
      ruleHash: string | null;
      version: number;
      /** Segments that its rule names. */
      references: readonly string[];
      /** The rule, if it ranks contacts. */
      ranked: Rule | null;
      snapshotCount: number;
    }>;

/** What the graph of all segments says to a definition: it may be made, or why not; null: it was not asked. */
export type Admission = 'granted' | DomainError | null;

type OnSegment = Readonly<{ segmentId: string; now: string }>;
type WithRule = Readonly<{
  /** Where the caller sent the rule's root, for findings in it: a JSON Pointer. */
  rootPointer: string;
  admission: Admission;
}>;
/** By a rule, by a rule that a template made (then `template` says which), or with null by hand. */
export type DefineSegment = OnSegment &
  WithRule &
  Readonly<{
    type: 'DefineSegment';
    name: string;
    description?: string | null;
    rule: Rule | null;
    template?: MadeFrom;
  }>;
/** What is left out stays. */
export type ChangeSegment = OnSegment &
  WithRule &
  Readonly<{
    type: 'ChangeSegment';
    name?: string | undefined;
    rule?: Rule | undefined;
    active?: boolean | undefined;
  }>;
export type DeleteSegment = OnSegment & Readonly<{ type: 'DeleteSegment' }>;
/** Whom a ranked rule lets in from now on. */
export type RecordCutOff = OnSegment &
  Readonly<{
    type: 'RecordCutOff';
    /** Of the rule that they were ranked by. */
    version: number;
    cutOff: number | null;
    membersCount: number;
    asOfPosition: string;
  }>;
/** Keeps under a name who was in at an instant. */
export type TakeSnapshot = OnSegment &
  Readonly<{ type: 'TakeSnapshot'; snapshotId: string; name: string; asOf: string }>;
export type SegmentCommand = DefineSegment | ChangeSegment | DeleteSegment | RecordCutOff | TakeSnapshot;

/** `version`: the one that decides after the command. */
export type SegmentAnswer = Readonly<{ segmentId: string; version: number }>;
export type SnapshotAnswer = Readonly<{ segmentId: string; snapshotId: string; name: string; asOf: string }>;
export type CutOffAnswer = Readonly<{ cutOff: number | null; membersCount: number; version: number }>;

type Shown = Exclude<Segment, { status: 'unknown' }>;

/** Throws SegmentNotFoundError. */
export const shown = (segment: Segment): Shown => {
  if (segment.status === 'unknown' || segment.status === 'deleted') throw new SegmentNotFoundError();
  return segment;
};

/** The rule to rank contacts by. Throws SegmentNotFoundError, SegmentInactiveError, NotRankedError. */
export const rankable = (segment: Segment): Readonly<{ rule: Rule; version: number }> => {
  const { status, ranked, version } = shown(segment);
  if (ranked === null) throw new NotRankedError();
  if (status !== 'active') throw new SegmentInactiveError();
  return { rule: ranked, version };
};

/** Throws RuleRefusedError for the first error that the linter finds. */
const assertMeant = (rule: Rule, rootPointer: string): void => {
  const error = lintRule(rule).find(({ level }) => level === 'error');
  if (error !== undefined) {
    throw new RuleRefusedError(error.code, error.pointer.replace('/root', rootPointer), error.detail);
  }
};

const assertAdmitted = (admission: Admission): void => {
  if (admission === null) throw new AdmissionNeededError();
  if (admission !== 'granted') throw admission;
};

const withHash = (rule: Rule | null, template: MadeFrom | null): SegmentRule => ({
  rule,
  ruleHash: rule === null ? null : ruleHash(rule),
  template,
});

const decideDefinition = (command: DefineSegment, segment: Segment): SegmentEvent[] => {
  if (segment.status !== 'unknown') throw new SegmentAlreadyExistsError();
  const { segmentId, now, name, description = null, rule, template = null } = command;
  if (rule !== null) assertMeant(rule, command.rootPointer);
  assertAdmitted(command.admission);
  const data = { segmentId, occurredAt: now, name, description, version: 1 };
  return [{ type: 'segments.SegmentDefined.v1', data: { ...data, ...withHash(rule, template) } }];
};

const decideChange = (command: ChangeSegment, segment: Shown): SegmentEvent[] => {
  const { segmentId, now, name, rule, active, admission } = command;
  const of = { segmentId, occurredAt: now };
  const events: SegmentEvent[] = [];
  if (name !== undefined && name !== segment.name) {
    events.push({ type: 'segments.SegmentRenamed.v1', data: { ...of, name } });
  }
  if (rule !== undefined) {
    if (segment.ruleHash === null) throw new ManualSegmentError();
    const changed = withHash(rule, null);
    // The same rule in other words of the same canonical form is the same version.
    if (changed.ruleHash !== segment.ruleHash) {
      assertMeant(rule, command.rootPointer);
      assertAdmitted(admission);
      const version = segment.version + 1;
      events.push({ type: 'segments.RuleChanged.v1', data: { ...of, ...changed, version } });
    }
  }
  if (active !== undefined && active !== (segment.status === 'active')) {
    if (active) assertAdmitted(admission);
    const type = active ? 'segments.SegmentActivated.v1' : 'segments.SegmentDeactivated.v1';
    events.push({ type, data: of });
  }
  return events;
};

const decideCutOff = (command: RecordCutOff, segment: Segment): SegmentEvent[] => {
  const { segmentId, now, version, cutOff, membersCount, asOfPosition } = command;
  const ranked = rankable(segment);
  if (ranked.version !== version) throw new VersionChangedError();
  const data = { segmentId, occurredAt: now, ...ranked, cutOff, membersCount, asOfPosition };
  return [{ type: 'segments.CutOffRecorded.v1', data }];
};

const decideSnapshot = (command: TakeSnapshot, segment: Segment): SegmentEvent[] => {
  if (shown(segment).snapshotCount >= SNAPSHOTS_MAX) throw new TooManySnapshotsError();
  const { segmentId, now, snapshotId, name, asOf } = command;
  const data = { segmentId, occurredAt: now, snapshotId, name, asOf };
  return [{ type: 'segments.SnapshotTaken.v1', data }];
};

const decideEvents = (command: SegmentCommand, segment: Segment): SegmentEvent[] => {
  switch (command.type) {
    case 'DefineSegment':
      return decideDefinition(command, segment);
    case 'ChangeSegment':
      return decideChange(command, shown(segment));
    case 'RecordCutOff':
      return decideCutOff(command, segment);
    case 'TakeSnapshot':
      return decideSnapshot(command, segment);
    case 'DeleteSegment': {
      if (segment.status === 'unknown') throw new SegmentNotFoundError();
      if (segment.status === 'deleted') return [];
      const { segmentId, now } = command;
      return [{ type: 'segments.SegmentDeleted.v1', data: { segmentId, occurredAt: now } }];
    }
  }
};

const decide = (
  command: SegmentCommand,
  segment: Segment,
): Decision<SegmentEvent, SegmentAnswer | CutOffAnswer | SnapshotAnswer> => {
  const events = decideEvents(command, segment);
  if (command.type === 'RecordCutOff') {
    const { cutOff, membersCount, version } = command;
    return { events, answer: { cutOff, membersCount, version } };
  }
  if (command.type === 'TakeSnapshot') {
    const { segmentId, snapshotId, name, asOf } = command;
    return { events, answer: { segmentId, snapshotId, name, asOf } };
  }
  const before = segment.status === 'unknown' ? 1 : segment.version;
  const version = events.reduce((latest, { data }) => ('version' in data ? data.version : latest), before);
  return { events, answer: { segmentId: command.segmentId, version } };
};

const namedBy = (rule: Rule | null): Pick<Shown, 'references' | 'ranked'> => ({
  references: referencesOf(rule),
  ranked: rule !== null && isRanked(rule.root) ? rule : null,
});

const evolve = (segment: Segment, event: RecordedEvent<SegmentEvent>): Segment => {
  if (event.type === 'segments.SegmentDefined.v1') {
    const { name, rule, ruleHash: hash, version } = event.data;
    return segment.status === 'unknown'
      ? { status: 'active', name, ruleHash: hash, version, snapshotCount: 0, ...namedBy(rule) }
      : segment;
  }
  if (segment.status === 'unknown' || segment.status === 'deleted') return segment;
  switch (event.type) {
    case 'segments.SegmentRenamed.v1':
      return { ...segment, name: event.data.name };
    case 'segments.RuleChanged.v1': {
      const { rule, ruleHash: hash, version } = event.data;
      return { ...segment, ruleHash: hash, version, ...namedBy(rule) };
    }
    case 'segments.SegmentActivated.v1':
      return { ...segment, status: 'active' };
    case 'segments.SegmentDeactivated.v1':
      return { ...segment, status: 'inactive' };
    case 'segments.SegmentDeleted.v1':
      return { ...segment, status: 'deleted' };
    case 'segments.CutOffRecorded.v1':
      return segment;
    case 'segments.SnapshotTaken.v1':
      return { ...segment, snapshotCount: segment.snapshotCount + 1 };
    default:
      return unreachable(event, segment);
  }
};

const unreachable = (_event: never, segment: Segment): Segment => segment;

/**
 * What a segment means, and which version of it decides. Editing never locks: a changed rule is a new version. Segments name
 * each other across streams, so that no stream can tell a cycle: what needs the view of all of them is admitted before, by
 * the graph, one definition after the other.
 */
export const segmentDecider: Decider<
  Segment,
  SegmentCommand,
  SegmentEvent,
  SegmentAnswer | CutOffAnswer | SnapshotAnswer
> = {
  name: 'segment',
  initialState: () => ({ status: 'unknown' }),
  decide,
  evolve,
};

import type { Decider, Decision, RecordedEvent } from '@app/kernel';
import { lintRule, ruleHash, type Rule } from '@app/rules';
import { assertReferences, type References } from './references';
import {
  ManualSegmentError,
  RuleRefusedError,
  SegmentAlreadyExistsError,
  SegmentNotFoundError,
} from './segment.errors';
import type { MadeFrom, SegmentEvent, SegmentRule } from './segment.events';

export type Segment =
  | Readonly<{ status: 'unknown' }>
  | Readonly<{
      status: 'active' | 'inactive' | 'deleted';
      name: string;
      ruleHash: string | null;
      version: number;
    }>;

type OnSegment = Readonly<{ segmentId: string; now: string }>;
/** By a rule, by a rule that a template made (then `template` says which), or with null by hand. */
export type DefineSegment = OnSegment &
  Readonly<{
    type: 'DefineSegment';
    name: string;
    description?: string | null;
    rule: Rule | null;
    template?: MadeFrom;
    /** Of all other segments that are not deleted, at the time of the command. */
    references: References;
  }>;
/** What is left out stays. */
export type ChangeSegment = OnSegment &
  Readonly<{
    type: 'ChangeSegment';
    name?: string | undefined;
    rule?: Rule | undefined;
    active?: boolean | undefined;
    references: References;
  }>;
export type DeleteSegment = OnSegment & Readonly<{ type: 'DeleteSegment' }>;
export type SegmentCommand = DefineSegment | ChangeSegment | DeleteSegment;

/** `version`: the one that decides after the command. */
export type SegmentAnswer = Readonly<{ segmentId: string; version: number }>;

type Shown = Exclude<Segment, { status: 'unknown' }>;

const shown = (segment: Segment): Shown => {
  if (segment.status === 'unknown' || segment.status === 'deleted') throw new SegmentNotFoundError();
  return segment;
};

/** Throws RuleRefusedError for the first error that the linter finds. */
const assertMeant = (rule: Rule): void => {
  const error = lintRule(rule).find(({ level }) => level === 'error');
  if (error !== undefined) {
    throw new RuleRefusedError(error.code, `/rule${error.pointer}`, error.detail);
  }
};

const withHash = (rule: Rule | null, template: MadeFrom | null): SegmentRule => ({
  rule,
  ruleHash: rule === null ? null : ruleHash(rule),
  template,
});

const decideDefinition = (command: DefineSegment, segment: Segment): SegmentEvent[] => {
  if (segment.status !== 'unknown') throw new SegmentAlreadyExistsError();
  const { segmentId, now, name, description = null, rule, template = null, references } = command;
  if (rule !== null) assertMeant(rule);
  assertReferences(segmentId, rule, references);
  const data = { segmentId, occurredAt: now, name, description, version: 1 };
  return [{ type: 'segments.SegmentDefined.v1', data: { ...data, ...withHash(rule, template) } }];
};

const decideChange = (command: ChangeSegment, segment: Shown): SegmentEvent[] => {
  const { segmentId, now, name, rule, active, references } = command;
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
      assertMeant(rule);
      assertReferences(segmentId, rule, references);
      const version = segment.version + 1;
      events.push({ type: 'segments.RuleChanged.v1', data: { ...of, ...changed, version } });
    }
  }
  if (active !== undefined && active !== (segment.status === 'active')) {
    const type = active ? 'segments.SegmentActivated.v1' : 'segments.SegmentDeactivated.v1';
    events.push({ type, data: of });
  }
  return events;
};

const decideEvents = (command: SegmentCommand, segment: Segment): SegmentEvent[] => {
  switch (command.type) {
    case 'DefineSegment':
      return decideDefinition(command, segment);
    case 'ChangeSegment':
      return decideChange(command, shown(segment));
    case 'DeleteSegment': {
      if (segment.status === 'unknown') throw new SegmentNotFoundError();
      if (segment.status === 'deleted') return [];
      const { segmentId, now } = command;
      return [{ type: 'segments.SegmentDeleted.v1', data: { segmentId, occurredAt: now } }];
    }
  }
};

const decide = (command: SegmentCommand, segment: Segment): Decision<SegmentEvent, SegmentAnswer> => {
  const events = decideEvents(command, segment);
  const before = segment.status === 'unknown' ? 1 : segment.version;
  const version = events.reduce((latest, { data }) => ('version' in data ? data.version : latest), before);
  return { events, answer: { segmentId: command.segmentId, version } };
};

const evolve = (segment: Segment, event: RecordedEvent<SegmentEvent>): Segment => {
  if (event.type === 'segments.SegmentDefined.v1') {
    const { name, ruleHash: hash, version } = event.data;
    return segment.status === 'unknown' ? { status: 'active', name, ruleHash: hash, version } : segment;
  }
  if (segment.status === 'unknown' || segment.status === 'deleted') return segment;
  switch (event.type) {
    case 'segments.SegmentRenamed.v1':
      return { ...segment, name: event.data.name };
    case 'segments.RuleChanged.v1':
      return { ...segment, ruleHash: event.data.ruleHash, version: event.data.version };
    case 'segments.SegmentActivated.v1':
      return { ...segment, status: 'active' };
    case 'segments.SegmentDeactivated.v1':
      return { ...segment, status: 'inactive' };
    case 'segments.SegmentDeleted.v1':
      return { ...segment, status: 'deleted' };
    case 'segments.CutOffRecorded.v1':
      return segment;
    default:
      return unreachable(event, segment);
  }
};

const unreachable = (_event: never, segment: Segment): Segment => segment;

/**
 * What a segment means, and which version of it decides. Editing never locks: a changed rule is a new version. Segments name
 * each other across streams, so that no stream can tell a cycle: the application gives the references in, and has to let one
 * definition in at a time.
 */
export const segmentDecider: Decider<Segment, SegmentCommand, SegmentEvent, SegmentAnswer> = {
  name: 'segment',
  initialState: () => ({ status: 'unknown' }),
  decide,
  evolve,
};

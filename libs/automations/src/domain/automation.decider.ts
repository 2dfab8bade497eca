import type { Decider, Decision, RecordedEvent } from '@app/kernel';
import { AutomationAlreadyExistsError, AutomationNotFoundError } from './automation.errors';
import type { AutomationEvent, AutomationTerms } from './automation.events';

export type Automation =
  | Readonly<{ status: 'unknown' | 'deleted' }>
  | Readonly<{
      status: 'known';
      terms: AutomationTerms;
      active: boolean;
      /** It acts on what is announced behind this position of the log. */
      listensBehind: bigint;
    }>;

type OnAutomation = Readonly<{ automationId: string; now: string }>;
export type CreateAutomation = OnAutomation &
  Readonly<{ type: 'CreateAutomation'; terms: AutomationTerms; active: boolean }>;
/** What is left out stays. */
export type ChangeAutomation = OnAutomation &
  Readonly<{ type: 'ChangeAutomation'; terms: Partial<AutomationTerms>; active?: boolean | undefined }>;
export type DeleteAutomation = OnAutomation & Readonly<{ type: 'DeleteAutomation' }>;
export type AutomationCommand = CreateAutomation | ChangeAutomation | DeleteAutomation;
export type AutomationAnswer = Readonly<{ automationId: string }>;

const decideEvents = (command: AutomationCommand, automation: Automation): AutomationEvent[] => {
  const { automationId, now } = command;
  const data = { automationId, occurredAt: now };
  if (command.type === 'CreateAutomation') {
    if (automation.status !== 'unknown') throw new AutomationAlreadyExistsError();
    const { terms, active } = command;
    return [{ type: 'automations.AutomationCreated.v1', data: { ...data, terms, active } }];
  }
  if (automation.status === 'deleted' && command.type === 'DeleteAutomation') return [];
  if (automation.status !== 'known') throw new AutomationNotFoundError();
  if (command.type === 'DeleteAutomation') return [{ type: 'automations.AutomationDeleted.v1', data }];
  const events: AutomationEvent[] = [];
  const terms = changedTerms(automation.terms, command.terms);
  if (Object.keys(terms).length > 0) {
    events.push({ type: 'automations.AutomationChanged.v1', data: { ...data, terms } });
  }
  const { active } = command;
  if (active !== undefined && active !== automation.active) {
    const type = active ? 'automations.AutomationActivated.v1' : 'automations.AutomationDeactivated.v1';
    events.push({ type, data });
  }
  return events;
};

const changedTerms = (before: AutomationTerms, terms: Partial<AutomationTerms>): Partial<AutomationTerms> =>
  Object.fromEntries(
    Object.entries(terms).filter(
      ([field, value]) => JSON.stringify(value) !== JSON.stringify(before[field as keyof AutomationTerms]),
    ),
  );

const decide = (
  command: AutomationCommand,
  automation: Automation,
): Decision<AutomationEvent, AutomationAnswer> => ({
  events: decideEvents(command, automation),
  answer: { automationId: command.automationId },
});

const evolve = (automation: Automation, event: RecordedEvent<AutomationEvent>): Automation => {
  const { position } = event.meta;
  if (event.type === 'automations.AutomationCreated.v1') {
    const { terms, active } = event.data;
    return automation.status === 'unknown'
      ? { status: 'known', terms, active, listensBehind: position }
      : automation;
  }
  if (automation.status !== 'known') return automation;
  switch (event.type) {
    case 'automations.AutomationChanged.v1': {
      const { terms } = event.data;
      const listensBehind = terms.on === undefined ? automation.listensBehind : position;
      return { ...automation, terms: { ...automation.terms, ...terms }, listensBehind };
    }
    case 'automations.AutomationActivated.v1':
      return { ...automation, active: true, listensBehind: position };
    case 'automations.AutomationDeactivated.v1':
      return { ...automation, active: false };
    case 'automations.AutomationDeleted.v1':
      return { status: 'deleted' };
    default:
      return unreachable(event, automation);
  }
};

const unreachable = (_event: never, automation: Automation): Automation => automation;

/** What is done on whose entering or leaving, and from when on. What comes of it is on the streams of the contacts. */
export const automationDecider: Decider<Automation, AutomationCommand, AutomationEvent, AutomationAnswer> = {
  name: 'automation',
  initialState: () => ({ status: 'unknown' }),
  decide,
  evolve,
};

import { decisionsOf, folded, recorded } from '@app/testing';
import { actionOf, type GivenAction } from './actions';
import { automationDecider } from './automation.decider';
import type { AutomationEvent, AutomationTerms } from './automation.events';

const automationId = 'a1';
const now = '2026-03-01T12:00:00.000Z';
const data = { automationId, occurredAt: now };
const credit = { type: 'creditPoints', points: 5, reason: 'hi' } as const;
const terms: AutomationTerms = {
  on: { segmentId: 's1', change: 'entered' },
  then: [credit],
  limitPerContact: null,
};
const created = (active = true): AutomationEvent => ({
  type: 'automations.AutomationCreated.v1',
  data: { ...data, terms, active },
});
const changed = (of: Partial<AutomationTerms>): AutomationEvent => ({
  type: 'automations.AutomationChanged.v1',
  data: { ...data, terms: of },
});
const activated: AutomationEvent = { type: 'automations.AutomationActivated.v1', data };
const deactivated: AutomationEvent = { type: 'automations.AutomationDeactivated.v1', data };
const deleted: AutomationEvent = { type: 'automations.AutomationDeleted.v1', data };
const { given } = decisionsOf(automationDecider);
const change = (of: Partial<AutomationTerms>, active?: boolean) =>
  ({ type: 'ChangeAutomation', automationId, terms: of, active, now }) as const;

describe('automations', () => {
  it('are created once', () => {
    const create = { type: 'CreateAutomation', automationId, terms, active: true, now } as const;
    given().when(create).then(created());
    given(created()).when(create).thenRefused('automations.already-exists');
  });

  it('note what changed, and nothing else', () => {
    given(created())
      .when(change({ then: [credit], limitPerContact: 2 }, false))
      .then(changed({ limitPerContact: 2 }), deactivated);
    given(created())
      .when(change({ then: [credit] }, true))
      .thenNothing();
    given(created(), deactivated).when(change({}, true)).then(activated);
    given().when(change({}, true)).thenRefused('automations.not-found');
  });

  it('are gone once they are deleted', () => {
    const remove = { type: 'DeleteAutomation', automationId, now } as const;
    given(created()).when(remove).then(deleted);
    given(created(), deleted).when(remove).thenNothing();
    given(created(), deleted).when(change({}, true)).thenRefused('automations.not-found');
    given().when(remove).thenRefused('automations.not-found');
  });

  it('listen from when they were last set going or pointed at something', () => {
    const from = (...history: AutomationEvent[]) => {
      const state = folded(
        automationDecider,
        history.map((event, index) => recorded(event, index + 1)),
      );
      return state.status === 'known' ? [state.active, state.listensBehind] : null;
    };
    expect(from(created())).toEqual([true, 1n]);
    expect(from(created(), changed({ limitPerContact: 3 }))).toEqual([true, 1n]);
    expect(from(created(), changed({ on: { segmentId: 's2', change: 'left' } }))).toEqual([true, 2n]);
    expect(from(created(), deactivated)).toEqual([false, 1n]);
    expect(from(created(), deactivated, activated)).toEqual([true, 3n]);
  });
});

describe('an action', () => {
  const refusal = (given: GivenAction) => {
    try {
      return actionOf(given, 3);
    } catch (error) {
      const { code, pointer } = error as { code: string; pointer: string };
      return [code.split('.')[1], pointer];
    }
  };
  it('has what its type needs', () => {
    expect(refusal({ ...credit, pool: 'extra', body: undefined })).toEqual({ ...credit, pool: 'extra' });
    const message = { type: 'sendMessage', channel: 'inbox', purpose: 'service', body: 'Hello' } as const;
    expect(refusal(message)).toEqual(message);
    expect(refusal({ ...message, body: undefined })).toEqual(['invalid-action', '/then/3/body']);
    expect(refusal({ ...message, points: 3 })).toEqual(['invalid-action', '/then/3/points']);
    expect(refusal({ ...credit, reason: undefined })).toEqual(['invalid-action', '/then/3/reason']);
    expect(refusal({ ...message, channel: 'email' })).toEqual(['unsupported-action', '/then/3/channel']);
    expect(refusal({ type: 'callWebhook' })).toEqual(['unsupported-action', '/then/3/type']);
  });
});

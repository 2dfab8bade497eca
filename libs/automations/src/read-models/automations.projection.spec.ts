import { readModelOf } from '@app/testing';
import type { AutomationEvent, AutomationTerms } from '../domain/automation.events';
import { automationsProjection } from './automations.projection';

const automationId = 'a1';
const data = { automationId, occurredAt: '2026-03-01T12:00:00.000Z' };
const terms: AutomationTerms = {
  on: { segmentId: 's1', change: 'entered' },
  then: [{ type: 'creditPoints', points: 5, reason: 'hi' }],
  limitPerContact: null,
};
const created: AutomationEvent = {
  type: 'automations.AutomationCreated.v1',
  data: { ...data, terms, active: true },
};
const { given } = readModelOf(automationsProjection);

describe('the automations shown', () => {
  it('are as they were made and changed', () =>
    given(
      created,
      { type: 'automations.AutomationChanged.v1', data: { ...data, terms: { limitPerContact: 2 } } },
      { type: 'automations.AutomationDeactivated.v1', data },
    ).then(automationId, {
      automationId,
      revision: 2,
      terms: { ...terms, limitPerContact: 2 },
      active: false,
      createdAt: data.occurredAt,
    }));

  it('are gone once they are deleted', () =>
    given(created, { type: 'automations.AutomationDeleted.v1', data }).then(automationId, null));
});

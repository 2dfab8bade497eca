import { decisionsOf, folded, recorded } from '@app/testing';
import type { RecordedEvent } from '@app/kernel';
import fc from 'fast-check';
import { contactDecider, type ContactCommand } from './contact.decider';
import { AutomationLimitError, AutomationsInARowError } from './contact.errors';
import type { ContactEvent } from './contact.events';

const contactId = 'c1';
const now = '2026-03-01T12:00:00.000Z';
const registered: ContactEvent = {
  type: 'contacts.ContactRegistered.v1',
  data: { contactId, occurredAt: '2026-01-01T00:00:00.000Z', source: 'app', profile: {} },
};
const run = { automationId: 'a1', announcementId: 'e1', action: 0, limitPerContact: null };
const credit = {
  type: 'CreditPoints',
  contactId,
  now,
  entryId: 'p1',
  pool: 'main',
  points: 5,
  reason: 'hi',
} as const;
const message = {
  type: 'SendMessage',
  contactId,
  now,
  messageId: 'm1',
  channel: 'inbox',
  purpose: 'service',
  content: { body: 'Hello' },
} as const;
const automation = { automationId: 'a1', announcementId: 'e1', action: 0, inARow: 1 };
const credited: ContactEvent = {
  type: 'contacts.PointsCredited.v1',
  data: {
    contactId,
    occurredAt: now,
    entryId: 'p1',
    pool: 'main',
    points: 5,
    balance: 5,
    reason: 'hi',
    automation,
  },
};
const { given } = decisionsOf(contactDecider);

describe('what automations do for a contact', () => {
  it('is marked as theirs', () => {
    given(registered)
      .when({ ...credit, automation: run })
      .then(credited);
    given(registered)
      .when({ ...message, automation: { ...run, action: 1 } })
      .then({
        type: 'contacts.MessageSent.v1',
        data: {
          contactId,
          occurredAt: now,
          messageId: 'm1',
          channel: 'inbox',
          purpose: 'service',
          content: { body: 'Hello' },
          automation: { ...automation, action: 1 },
        },
      });
  });

  it('is not done again for the same announcement, whatever has changed since', () => {
    const again = { ...credit, entryId: 'p2', points: 7, automation: { ...run, limitPerContact: 1 } };
    given(registered, credited).when(again).thenNothing();
    given(registered, credited).when(again).thenAnswer({ balance: 5 });
  });

  it('needs the consent that anybody needs', () =>
    given(registered)
      .when({ ...message, purpose: 'newsletter', automation: run })
      .thenRefused('contacts.no-consent'));

  it('ends where automations set off one another', () => {
    const caused = (eventId: string, inARow: number) =>
      recorded(
        { ...credited, data: { ...credited.data, automation: { ...automation, inARow } } } as ContactEvent,
        {
          eventId,
          position: BigInt(inARow),
        },
      );
    const next = { ...credit, automation: { ...run, announcementId: 'e9', causedBy: 'x' } };
    given(registered, caused('x', 4))
      .when(next)
      .then({
        ...credited,
        data: {
          ...credited.data,
          balance: 10,
          automation: { ...automation, announcementId: 'e9', inARow: 5 },
        },
      } as ContactEvent);
    given(registered, caused('x', 5)).when(next).thenRefused(AutomationsInARowError);
    given(registered, caused('y', 5)).when(next).thenAnswer({ points: 5 });
  });

  it('stays within the limit, and is done once an announcement and action', () =>
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            automationId: fc.constantFrom('a1', 'a2'),
            announcementId: fc.constantFrom('e1', 'e2', 'e3', 'e4'),
            action: fc.nat(1),
          }),
          { maxLength: 30 },
        ),
        fc.option(fc.integer({ min: 1, max: 3 })),
        (runs, limitPerContact) => {
          const history: RecordedEvent<ContactEvent>[] = [recorded(registered, 0)];
          const done: string[] = [];
          for (const asked of runs) {
            const command: ContactCommand = { ...credit, automation: { ...asked, limitPerContact } };
            const others = new Set(
              done.flatMap((key) => {
                const [automationId, announcementId] = key.split(' ');
                return automationId === asked.automationId && announcementId !== asked.announcementId
                  ? [announcementId]
                  : [];
              }),
            );
            const key = `${asked.automationId} ${asked.announcementId} ${asked.action}`;
            const isKnown = done.includes(key);
            const isBeyond = limitPerContact !== null && others.size >= limitPerContact;
            const decide = () => contactDecider.decide(command, folded(contactDecider, history));
            if (!isKnown && isBeyond) {
              expect(decide).toThrow(AutomationLimitError);
              continue;
            }
            const { events } = decide();
            expect(events).toHaveLength(isKnown ? 0 : 1);
            if (!isKnown) done.push(key);
            history.push(...events.map((event) => recorded(event, history.length)));
          }
        },
      ),
    ));
});

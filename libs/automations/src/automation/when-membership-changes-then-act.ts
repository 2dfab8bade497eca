import type { ContactDecisions } from '@app/contacts';
import { derivedUuid, RevisionConflictError, type DecisionRunner, type EventStore } from '@app/event-store';
import { DomainError, type Clock, type CommandContext, type RecordedEvent } from '@app/kernel';
import type { ReadGate } from '@app/read-store';
import { ANNOUNCEMENT_STREAM, type AnnouncementEvent } from '@app/segments';
import { automationDecider } from '../domain/automation.decider';
import {
  automationStream,
  PROGRESS_STREAM,
  type Action,
  type AnnouncementsHandled,
  type AutomationTerms,
  type Trigger,
} from '../domain/automation.events';
import type { AutomationReads } from '../read-models/mongo.automation-reads';

const BATCH_MAX = 500;
const BATCHES_A_ROUND_MAX = 20;
/** Contacts at once; what concerns one of them is done in order. */
const LANES = 16;
const COMMAND_TIME_MS = 10_000;
const MAIN_POOL = 'main';

type Announcement = RecordedEvent<AnnouncementEvent>;

/** Why an action came to nothing; it is not tried again. */
export type Refusal = Readonly<{
  automationId: string;
  contactId: string;
  action: number;
  /** Of the error: `contacts.no-consent`. */
  code: string;
}>;

export type MembershipAutomationsParts = Readonly<{
  events: Pick<EventStore, 'readStream' | 'lastOf' | 'append'>;
  decisions: Pick<DecisionRunner, 'read'>;
  contacts: Pick<ContactDecisions, 'run'>;
  automations: Pick<AutomationReads, 'listeningTo'>;
  gate: Pick<ReadGate, 'position'>;
  clock: Clock;
  onRefusal: (refusal: Refusal) => void;
}>;

/**
 * Follows what is announced of memberships, in order, and has automations act on it. What one has done stands on the contact's
 * own stream, which refuses to do it again: so it does no harm where an announcement is handled twice, after a crash or by two
 * processes. How far it got stands in the log, too, since what was refused once must not come back with a lost database.
 */
export class MembershipAutomations {
  /** What is known to be handled: it may be more. */
  private handled = -1;

  constructor(
    private readonly parts: MembershipAutomationsParts,
    private readonly batchMax = BATCH_MAX,
  ) {}

  /** Acts on what was announced since, up to a bound. Answers how many actions were done. Throws what no store or stream could take now. */
  async round(): Promise<number> {
    let count = 0;
    for (let batches = 0; batches < BATCHES_A_ROUND_MAX; batches += 1) {
      const step = await this.step();
      count += step.done;
      if (step.handled === 0) break;
    }
    return count;
  }

  /** One batch. `handled`: announcements; 0: there is nothing to do now. */
  async step(): Promise<Readonly<{ handled: number; done: number }>> {
    const { events, gate } = this.parts;
    const nothing = { handled: 0, done: 0 };
    const head = await events.lastOf(ANNOUNCEMENT_STREAM);
    if (head === null || head.meta.revision <= this.handled) return nothing;
    const progress = (await events.lastOf(PROGRESS_STREAM)) as RecordedEvent<AnnouncementsHandled> | null;
    this.handled = progress?.data.revision ?? -1;
    const batch = await this.read(this.handled + 1);
    const last = batch.at(-1);
    // Automations that were made before an announcement have to be known when it is handled.
    if (last === undefined || (await gate.position()) < last.meta.position) return nothing;
    const done = await this.handle(batch);
    await this.save(last.meta.revision, progress?.meta.revision ?? 'no-stream');
    this.handled = last.meta.revision;
    return { handled: batch.length, done };
  }

  private async read(from: number): Promise<readonly Announcement[]> {
    const batch: Announcement[] = [];
    for await (const event of this.parts.events.readStream(ANNOUNCEMENT_STREAM, from)) {
      batch.push(event as Announcement);
      if (batch.length === this.batchMax) break;
    }
    return batch;
  }

  /** All of them come to an end before an error goes up. */
  private async handle(batch: readonly Announcement[]): Promise<number> {
    const byContact = new Map<string, Announcement[]>();
    for (const announcement of batch) {
      const { contactId } = announcement.data;
      byContact.set(contactId, [...(byContact.get(contactId) ?? []), announcement]);
    }
    const listening = new Map<string, Promise<readonly string[]>>();
    const waiting = [...byContact.values()];
    let done = 0;
    const lane = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        for (const announcement of next) {
          // Other lanes count while this one waits.
          const count = await this.actOn(announcement, listening);
          done += count;
        }
      }
    };
    const lanes = await Promise.allSettled(Array.from({ length: LANES }, lane));
    for (const outcome of lanes) if (outcome.status === 'rejected') throw outcome.reason;
    return done;
  }

  private async actOn(
    announcement: Announcement,
    listening: Map<string, Promise<readonly string[]>>,
  ): Promise<number> {
    const trigger = triggerOf(announcement);
    const key = `${trigger.change} ${trigger.segmentId}`;
    const found = listening.get(key) ?? this.parts.automations.listeningTo(trigger);
    listening.set(key, found);
    let done = 0;
    for (const automationId of await found) done += await this.run(automationId, announcement, trigger);
    return done;
  }

  private async run(automationId: string, announcement: Announcement, trigger: Trigger): Promise<number> {
    let done = 0;
    for (let action = 0; ; action += 1) {
      // Asked before each action, so that one that was stopped does nothing more.
      const terms = await this.termsInForce(automationId, announcement, trigger);
      const next = terms?.then[action];
      if (terms === null || next === undefined) return done;
      if (await this.act(automationId, announcement, terms, next, action)) done += 1;
    }
  }

  /** Null: it does not act on this announcement. */
  private async termsInForce(
    automationId: string,
    { meta }: Announcement,
    { segmentId, change }: Trigger,
  ): Promise<AutomationTerms | null> {
    const stream = automationStream(automationId);
    const { state } = await this.parts.decisions.read(automationDecider, stream);
    if (state.status !== 'known' || !state.active || meta.position <= state.listensBehind) return null;
    const { on } = state.terms;
    return on.segmentId === segmentId && on.change === change ? state.terms : null;
  }

  private async act(
    automationId: string,
    announcement: Announcement,
    { limitPerContact }: AutomationTerms,
    what: Action,
    action: number,
  ): Promise<boolean> {
    const { data, meta } = announcement;
    const { contactId } = data;
    const now = this.parts.clock.now();
    const name = `automation ${automationId} ${meta.eventId} ${action}`;
    const context: CommandContext = {
      commandId: derivedUuid(name),
      repeatable: false,
      actor: { id: automationId, role: 'system', method: 'internal' },
      command: COMMANDS[what.type],
      correlationId: meta.correlationId,
      causationId: meta.eventId,
      now: now.toISOString(),
      deadlineMs: Date.now() + COMMAND_TIME_MS,
    };
    const announcementId = meta.eventId;
    const causedBy = data.cause.eventId;
    const automation = { automationId, announcementId, action, limitPerContact, causedBy };
    const id = derivedUuid(`${name} fact`);
    const on = { contactId, now: context.now, automation } as const;
    try {
      const { unchanged } = await this.parts.contacts.run(
        what.type === 'creditPoints'
          ? {
              type: 'CreditPoints',
              ...on,
              entryId: id,
              pool: what.pool ?? MAIN_POOL,
              points: what.points,
              reason: what.reason,
            }
          : {
              type: 'SendMessage',
              ...on,
              messageId: id,
              channel: what.channel,
              purpose: what.purpose,
              content: { body: what.body, ...(what.subject !== undefined && { subject: what.subject }) },
            },
        context,
        what,
      );
      return unchanged !== true;
    } catch (error) {
      if (!(error instanceof DomainError) || error.kind === 'unavailable') throw error;
      this.parts.onRefusal({ automationId, contactId, action, code: error.code });
      return false;
    }
  }

  private async save(revision: number, expected: number | 'no-stream'): Promise<void> {
    const now = this.parts.clock.now();
    const occurredAt = now.toISOString();
    const handled: AnnouncementsHandled = {
      type: 'automations.AnnouncementsHandled.v1',
      data: { revision, occurredAt },
    };
    const commandId = derivedUuid(`announcements handled ${revision}`);
    try {
      await this.parts.events.append(PROGRESS_STREAM, [handled], expected, {
        commandId,
        repeatable: false,
        actor: { id: 'membership-automations', role: 'system', method: 'internal' },
        correlationId: commandId,
        now: occurredAt,
        deadlineMs: Date.now() + COMMAND_TIME_MS,
      });
    } catch (error) {
      // Another process was as far, or further.
      if (!(error instanceof RevisionConflictError)) throw error;
    }
  }
}

const COMMANDS = {
  sendMessage: { name: 'SendMessage', action: 'message.send' },
  creditPoints: { name: 'CreditPoints', action: 'contact.command' },
} as const;

const triggerOf = ({ type, data: { segmentId } }: AnnouncementEvent): Trigger => ({
  segmentId,
  change: type === 'segments.SegmentEntered.v1' ? 'entered' : 'left',
});

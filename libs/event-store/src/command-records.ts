import type { RecordedEvent } from '@app/kernel';

/** What one command left behind, enough to answer it again. */
export type AnsweredCommand = Readonly<{
  /** Absent where the writer had no payload to tell apart. */
  mac: string | undefined;
  answer: object;
  revision: number;
  position: bigint;
  /** Epoch milliseconds. */
  recordedAtMs: number;
}>;

export const REMEMBERED_MS = 24 * 60 * 60 * 1000;
export const REMEMBERED_COMMANDS_MAX = 10_000;

/**
 * The commands of one stream that may come again, folded from its events: by command id for 24 hours (10,000 a stream),
 * by natural key without limit of time.
 */
export class CommandRecords {
  private readonly byId = new Map<string, AnsweredCommand>();
  private readonly byNaturalKey = new Map<string, AnsweredCommand>();
  /** Natural keys of the command whose last event, with the answer, is still to come. */
  private unanswered: { commandId: string; naturalKeys: string[] } | undefined;

  /** `naturalKey`: that of the event, where it has one. */
  fold(event: RecordedEvent, naturalKey: string | undefined): void {
    const { commandId, mac, answer, revision, position } = event.meta;
    if (this.unanswered?.commandId !== commandId) this.unanswered = undefined;
    if (naturalKey !== undefined) {
      this.unanswered ??= { commandId, naturalKeys: [] };
      this.unanswered.naturalKeys.push(naturalKey);
      // Even without an answer, the key is taken.
      this.byNaturalKey.set(naturalKey, { mac, answer: {}, revision, position, recordedAtMs: 0 });
    }
    if (answer === undefined) return;
    const command = { mac, answer, revision, position, recordedAtMs: Date.parse(event.meta.recordedAt) };
    for (const key of this.unanswered?.naturalKeys ?? []) this.byNaturalKey.set(key, command);
    this.unanswered = undefined;
    this.byId.delete(commandId);
    this.byId.set(commandId, command);
    this.forgetBefore(command.recordedAtMs - REMEMBERED_MS);
  }

  /** The command of this id, where it was answered less than 24 hours before `nowMs`. */
  withId(commandId: string, nowMs: number): AnsweredCommand | undefined {
    const command = this.byId.get(commandId);
    return command !== undefined && command.recordedAtMs > nowMs - REMEMBERED_MS ? command : undefined;
  }

  withNaturalKey(key: string): AnsweredCommand | undefined {
    return this.byNaturalKey.get(key);
  }

  /** For the estimate of what it holds in memory. */
  get parts(): readonly object[] {
    return [this.byId, this.byNaturalKey];
  }

  private forgetBefore(timeMs: number): void {
    for (const [commandId, { recordedAtMs }] of this.byId) {
      if (recordedAtMs >= timeMs && this.byId.size <= REMEMBERED_COMMANDS_MAX) return;
      this.byId.delete(commandId);
    }
  }
}

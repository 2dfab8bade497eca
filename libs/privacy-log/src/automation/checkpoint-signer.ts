import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { RevisionConflictError, type EventStore } from '@app/event-store';
import type { Clock, CommandContext, RecordedEvent } from '@app/kernel';
import type { Lease } from '@app/read-store';
import { rootAt, rootOf, signCheckpoint } from '@app/transparency-log';
import type { PrivacyLogSigner } from '../application/signing/privacy-log-signer';
import { CHECKPOINT_STREAM, type CheckpointSigned } from '../domain/privacy.events';
import type { PrivacyLogReads } from '../read-models/entries/mongo.privacy-log-reads';
import type { PrivacyLogState } from '../read-models/entries/privacy-log.ledger';
import type { Witness } from './witness';

const POLL_MS = 1_000;
/** While entries arrive, a checkpoint follows each within less than 5 s. */
const INTERVAL_MIN_MS = 2_000;
const ENTRIES_MAX = 1_000;
/** Also where nothing happens, so that a log that was cut off is noticed. */
const IDLE_MS = 10 * 60_000;
const APPEND_TIME_MS = 5_000;
const WITNESS_BACKOFF_MS = 1_000;
const WITNESS_BACKOFF_MAX_MS = 60_000;

/** The tree as folded now is not a continuation of what was signed. Nothing is signed until somebody has looked into it. */
export class LogNotConsistentError extends Error {
  constructor(size: number) {
    super(
      `The privacy log as folded now has another root at size ${size} than the one that was signed. Nothing more is signed. ` +
        'Rebuild the read database; if the error stays, the event store was changed: compare it with the witness.',
    );
  }
}

export type CheckpointSignerParts = Readonly<{
  events: Pick<EventStore, 'append' | 'readStream'>;
  log: Pick<PrivacyLogReads, 'state' | 'tiles'>;
  signer: Pick<PrivacyLogSigner, 'inForce' | 'keyName'>;
  lease: Pick<Lease, 'take' | 'raise' | 'release'>;
  witness: Witness | undefined;
  clock: Clock;
  /** Told of what could not be done and will be tried again. */
  onError: (error: unknown) => void;
}>;

type Last = Readonly<{
  size: number;
  root: string;
  note: string;
  revision: number;
  fence: number;
  signedAtMs: number;
}>;

/**
 * Signs how far the log has come, and hands it on. One process at a time does so (the lease), and who is late is refused by
 * the event store: a checkpoint is written only behind the one that its signer has seen, so that sizes never go back and the
 * chain never forks, whatever the lease says.
 */
export class CheckpointSigner {
  private last: Last | null = null;
  private handedOn = '';
  private witnessFailures = 0;
  private nextHandingMs = 0;

  constructor(private readonly parts: CheckpointSignerParts) {}

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.step();
      } catch (error) {
        this.parts.onError(error);
      }
      await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
    await this.parts.lease.release().catch((error: unknown) => this.parts.onError(error));
  }

  /** Does what is due now. Throws LogNotConsistentError, and what the stores throw. */
  async step(): Promise<void> {
    const { lease, log, clock } = this.parts;
    const token = await lease.take(clock.now().getTime());
    if (token === null) return;
    const state = await log.state();
    await this.catchUp(state);
    const fence =
      this.last !== null && token < this.last.fence ? await lease.raise(this.last.fence + 1) : token;
    if (fence !== null && this.isDue(state)) await this.sign(state, fence);
    await this.handOn();
  }

  /** Reads what was signed since: by another process, or before this one started. */
  private async catchUp({ checkpoint }: PrivacyLogState): Promise<void> {
    const from = this.last?.revision ?? (checkpoint === null ? -1 : checkpoint.revision - 1);
    for await (const event of this.parts.events.readStream(CHECKPOINT_STREAM, from + 1)) {
      this.last = lastOf(event as RecordedEvent<CheckpointSigned>);
    }
  }

  private isDue({ size }: PrivacyLogState): boolean {
    const { last } = this;
    if (last === null) return size > 0;
    const grown = size - last.size;
    // The read model is being built again.
    if (grown < 0) return false;
    const ageMs = this.parts.clock.now().getTime() - last.signedAtMs;
    return grown >= ENTRIES_MAX || ageMs >= (grown > 0 ? INTERVAL_MIN_MS : IDLE_MS);
  }

  private async sign({ size, frontier }: PrivacyLogState, fence: number): Promise<void> {
    const { events, log, signer, clock } = this.parts;
    const { last } = this;
    if (last !== null && (await rootAt(log.tiles, last.size)).toString('base64') !== last.root)
      throw new LogNotConsistentError(last.size);
    const { keyNumber, signer: key } = await signer.inForce();
    const root = rootOf(frontier, size);
    const note = signCheckpoint({ origin: signer.keyName, size, root }, key);
    const data = { size, root: root.toString('base64'), note, keyNumber, fence };
    const now = clock.now();
    try {
      const { revision } = await events.append(
        CHECKPOINT_STREAM,
        [{ type: 'privacy.CheckpointSigned.v1', data }],
        last === null ? 'no-stream' : last.revision,
        contextOf(now),
      );
      this.last = { ...data, revision, signedAtMs: now.getTime() };
    } catch (error) {
      // Another process has signed; what it did is read before the next time.
      if (!(error instanceof RevisionConflictError)) throw error;
    }
  }

  /** The newest note says all that the ones before did, so only it is tried again. */
  private async handOn(): Promise<void> {
    const { witness, clock, onError } = this.parts;
    const nowMs = clock.now().getTime();
    if (!witness || this.last === null || this.last.note === this.handedOn || nowMs < this.nextHandingMs)
      return;
    const { note } = this.last;
    try {
      await witness.hand(note);
      this.handedOn = note;
      this.witnessFailures = 0;
      this.nextHandingMs = 0;
    } catch (error) {
      this.witnessFailures += 1;
      this.nextHandingMs =
        nowMs + Math.min(WITNESS_BACKOFF_MS * 2 ** (this.witnessFailures - 1), WITNESS_BACKOFF_MAX_MS);
      onError(error);
    }
  }
}

const lastOf = ({ data, meta }: RecordedEvent<CheckpointSigned>): Last => ({
  size: data.size,
  root: data.root,
  note: data.note,
  revision: meta.revision,
  fence: data.fence,
  signedAtMs: Date.parse(meta.recordedAt),
});

/** Not a command of anybody: checkpoints leave no entry, or the log would never come to rest. */
const contextOf = (now: Date): CommandContext => ({
  commandId: randomUUID(),
  repeatable: false,
  actor: { id: 'privacy-log-signer', role: 'system', method: 'internal' },
  correlationId: randomUUID(),
  now: now.toISOString(),
  deadlineMs: Date.now() + APPEND_TIME_MS,
});

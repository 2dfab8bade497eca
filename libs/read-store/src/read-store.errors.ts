import { DomainError } from '@app/kernel';

/** The read database did not answer, or not in time; the same again may succeed. */
export class ReadStoreUnavailableError extends DomainError {
  readonly code = 'reads.unavailable';
  readonly kind = 'unavailable';

  constructor(options?: ErrorOptions) {
    super('The read database is not available.', options);
  }
}

/** The read models did not reach the position asked for in time. */
export class ReadBehindError extends DomainError {
  readonly code = 'reads.behind';
  readonly kind = 'unavailable';
  override readonly details: Readonly<{ asOfPosition: string; minPosition: string }>;

  constructor(asOfPosition: bigint, minPosition: bigint) {
    super('The read models have not reached the position asked for; try again in a moment.');
    this.details = { asOfPosition: asOfPosition.toString(), minPosition: minPosition.toString() };
  }
}

/** The checkpoint that this runner continued from is gone: somebody emptied the read database underneath it. */
export class CheckpointLostError extends Error {
  constructor(runner: string) {
    super(`The checkpoint of runner ${runner} is gone or was made anew.`);
  }
}

/** The read database was folded from another log than the one it is to follow. */
export class ForeignReadDatabaseError extends Error {
  constructor(checkpoint: bigint, head: bigint | null) {
    super(
      `The read database was built from another event store: its checkpoint ${checkpoint} lies beyond the end of the log ` +
        `(${head ?? 'empty'}). Drop the read database, it is rebuilt from the log; or correct EVENTSTORE_URL or MONGODB_URL.`,
    );
  }
}

/**
 * A read model cannot fold an event. Neither message nor stack repeat what was thrown, which may hold a personal
 * value: they name the read model, the event's type and position, and where in the code it happened.
 */
export class ProjectionError extends Error {
  constructor(
    readModel: string,
    event: Readonly<{ type: string; meta: { position: bigint } }>,
    thrown: unknown,
  ) {
    const kind = thrown instanceof Error ? thrown.constructor.name : typeof thrown;
    super(`Read model ${readModel} cannot fold ${event.type} at position ${event.meta.position} (${kind}).`);
    const frames = thrown instanceof Error ? (thrown.stack ?? '').split('\n') : [];
    this.stack = [`ProjectionError: ${this.message}`, ...frames.filter((line) => /^\s+at /.test(line))].join(
      '\n',
    );
  }
}

import type { INestApplicationContext } from '@nestjs/common';
import type { Config, Logger } from '@app/config';
import { EventStore } from '@app/event-store';
import { Clock } from '@app/kernel';
import {
  CheckpointSigner,
  LogNotConsistentError,
  PrivacyLogReads,
  PrivacyLogSigner,
  witnessAt,
} from '@app/privacy-log';
import { Lease, READ_DB } from '@app/read-store';

const LEASE = 'privacy-log-checkpoints';
/** Another process takes over so long after this one was last heard of. */
const LEASE_TIME_MS = 10_000;

/** Signs how far the privacy log has come; of several projectors, one does so at a time. */
export const checkpointSignerOf = (
  app: INestApplicationContext,
  { privacyWitness }: Config,
  logger: Logger,
): CheckpointSigner =>
  new CheckpointSigner({
    events: app.get(EventStore),
    log: app.get(PrivacyLogReads),
    signer: app.get(PrivacyLogSigner),
    lease: new Lease(app.get(READ_DB), LEASE, LEASE_TIME_MS),
    witness: privacyWitness === undefined ? undefined : witnessAt(privacyWitness),
    clock: app.get(Clock),
    onError: (err) => {
      if (err instanceof LogNotConsistentError) logger.error({ err }, 'No checkpoint is signed.');
      else logger.warn({ err }, 'A checkpoint was not signed or handed on; it will be tried again.');
    },
  });

import { runHttpJob } from './http-jobs';
import { runEventStoreJob } from './event-store-jobs';
import { runMongodbJob } from './mongodb-jobs';
import { runSegmentJob } from './segment-jobs';
import type { JobName } from './jobs';

const handlers = { ...runHttpJob, ...runEventStoreJob, ...runMongodbJob, ...runSegmentJob } as Readonly<
  Record<JobName, (job: object) => Promise<object>>
>;

/** A process of its own beside the system: makes load or talks to the servers bare, one job at a time. */
process.on('message', ({ name, job }: { name: JobName; job: object }) => {
  handlers[name](job).then(
    (answer) => process.send?.({ answer }),
    (error: unknown) =>
      process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));

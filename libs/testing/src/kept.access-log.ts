import { AccessLog, type AccessRecord } from '@app/http';

/** Keeps in memory what it is given; fails while it is told to. */
export class KeptAccessLog extends AccessLog {
  readonly records: AccessRecord[] = [];
  failure: Error | undefined;

  record(record: AccessRecord): Promise<void> {
    if (this.failure) return Promise.reject(this.failure);
    this.records.push(record);
    return Promise.resolve();
  }
}

import { StaleRevisionError } from '@app/event-store';
import { DomainError } from '@app/kernel';

/** Refused for certain: after anything else the event may have been written. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof StaleRevisionError || (error instanceof DomainError && error.kind !== 'unavailable');

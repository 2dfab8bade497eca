import { DomainError } from '@app/kernel';

/** Nothing is shown that could not be written into the privacy log first. */
export class AccessNotRecordedError extends DomainError {
  readonly code = 'privacy-log.unavailable';
  readonly kind = 'unavailable';

  constructor(options?: ErrorOptions) {
    super('The privacy log cannot be written at the moment, so nothing is shown.', options);
  }
}

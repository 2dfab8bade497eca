export type DomainErrorKind = 'invalid' | 'forbidden' | 'not-found' | 'conflict' | 'gone' | 'unavailable';

/** A rule said no. `code` is part of the API; `message` is for people and holds no personal value. */
export abstract class DomainError extends Error {
  /** `<context>.<kebab-case>`, never changed. */
  abstract readonly code: string;
  abstract readonly kind: DomainErrorKind;
  /** JSON Pointer into the request body, where one field is to blame. */
  readonly pointer?: string;
  /** Figures the caller can act on (a balance, a limit); extension members of the problem document. */
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
}

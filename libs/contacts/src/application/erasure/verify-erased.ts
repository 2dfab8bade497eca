import type { RecordedEvent } from '@app/kernel';
import { contactEventDefinitions } from '../../domain/contact.events';

/** A personal value of an erased contact still opens. Names the field, never the value. */
export class ErasureNotVerifiedError extends Error {
  constructor(
    readonly position: bigint,
    type: string,
    field: string,
  ) {
    super(`After an erasure, field ${field} of ${type} at position ${position} can still be opened.`);
  }
}

export type VerifiedErasure = Readonly<{
  /** Sealed values that open no more, and such as the law has us keep. */
  valuesErased: number;
  valuesRetained: number;
  /** Of the stream's last event. */
  position: bigint;
}>;

/** Sealed fields of what goes into the books, by event type. */
const ACCOUNTING = new Map(
  contactEventDefinitions.map(({ type, fields }) => [
    type,
    new Set(
      Object.entries(fields).flatMap(([name, mark]) =>
        mark.kind === 'sealed' && mark.purpose === 'accounting' ? [name] : [],
      ),
    ),
  ]),
);

/**
 * Goes through a contact's whole stream, from its first event, and tries what was sealed. `retained`: what is in the books
 * may still open. Throws ErasureNotVerifiedError at the first value that should not.
 */
export const verifyErased = async (
  stream: AsyncIterable<RecordedEvent>,
  retained: boolean,
): Promise<VerifiedErasure> => {
  let [valuesErased, valuesRetained, position] = [0, 0, 0n];
  for await (const { type, data, meta } of stream) {
    position = meta.position;
    for (const field of Object.keys(meta.sealed ?? {})) {
      const opened = (data as Readonly<Record<string, unknown>>)[field] !== null;
      if (!opened) valuesErased += 1;
      else if (retained && ACCOUNTING.get(type)?.has(field)) valuesRetained += 1;
      else throw new ErasureNotVerifiedError(position, type, field);
    }
  }
  return { valuesErased, valuesRetained, position };
};

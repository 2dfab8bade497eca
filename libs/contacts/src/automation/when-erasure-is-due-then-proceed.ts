import type { CommandContext } from '@app/kernel';
import type { ErasureProcess } from '../application/erasure/erasure-process';
import type { DueErasures } from './mongo.due-erasures';

const ERASURES_A_ROUND_MAX = 1_000;
/** Of which most wait, for read models and for a purge that they share. */
const AT_ONCE = 128;

/**
 * Goes on with erasures whose time has come: that have cooled off, that whoever began them has left, and whose retained data
 * are to be destroyed. Rounds that overlap do no harm. One that fails keeps none of the others; the first failure is
 * thrown at the end. Answers how many were looked at.
 */
export const proceedWithDueErasures = async (
  due: DueErasures,
  process: ErasureProcess,
  context: CommandContext,
): Promise<number> => {
  const contactIds = [...(await due.contactIds(context.now, ERASURES_A_ROUND_MAX))];
  const count = contactIds.length;
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (let id = contactIds.shift(); id !== undefined; id = contactIds.shift()) {
      await process.proceed(id, context).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, worker));
  if (failures.length > 0) throw failures[0];
  return count;
};

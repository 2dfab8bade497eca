import { setTimeout as sleep } from 'node:timers/promises';
import { Lanes } from '../lanes';
import { OpsError } from '../ops.errors';
import type { RegularsApi } from '../regulars-api';

export type EraseOptions = Readonly<{ legalGround: string; wait: boolean; inFlight: number }>;

/** What came of the contacts; each is in one of the counts. */
export type EraseResult = {
  /** Unreachable, or about to be within a second; with `wait`, no byte is left. */
  erased: number;
  /** Their erasure had begun before. */
  already: number;
  unknown: number;
  /** Cooling off: to be cancelled first. */
  pending: number;
};

const POLL_MS = 250;
const WAIT_MAX_MS = 10 * 60_000;
const ENDED = new Set(['completed', 'partlyRetained']);

/** Erases contacts, and may be run again: what is erased is found to be so. `onDone` is called for each. Throws what RegularsApi.send throws. */
export const eraseContacts = async (
  api: Pick<RegularsApi, 'send'>,
  contactIds: readonly string[],
  { legalGround, wait, inFlight }: EraseOptions,
  onDone: () => void,
): Promise<EraseResult> => {
  const result: EraseResult = { erased: 0, already: 0, unknown: 0, pending: 0 };
  const lanes = new Lanes(inFlight, inFlight);
  for (const contactId of contactIds) {
    await lanes.add(contactId, async () => {
      const outcome = await eraseOne(api, contactId, legalGround);
      if (wait && (outcome === 'erased' || outcome === 'already')) await ended(api, contactId);
      result[outcome] += 1;
      onDone();
    });
  }
  await lanes.drain();
  return result;
};

const eraseOne = async (
  api: Pick<RegularsApi, 'send'>,
  contactId: string,
  legalGround: string,
): Promise<keyof EraseResult> => {
  const request = { method: 'DELETE', path: `/contacts/${contactId}`, body: { legalGround } } as const;
  const { status } = await api.send(request, [404, 409, 410]);
  if (status === 404) return 'unknown';
  if (status === 409) return 'pending';
  return status === 410 ? 'already' : 'erased';
};

/** Until the second stage of the receipt. */
const ended = async (api: Pick<RegularsApi, 'send'>, contactId: string): Promise<void> => {
  const deadline = Date.now() + WAIT_MAX_MS;
  for (;;) {
    const path = `/contacts/${contactId}/erasure`;
    // Right after the erasure the read model may not know of it yet.
    const { body } = await api.send<{ state?: string }>({ method: 'GET', path }, [404]);
    if (ENDED.has(body.state ?? '')) return;
    if (Date.now() > deadline)
      throw new OpsError(`The erasure of ${contactId} is not complete after 10 minutes.`);
    await sleep(POLL_MS);
  }
};

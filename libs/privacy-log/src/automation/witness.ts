import { open } from 'node:fs/promises';

const ANSWER_TIME_MS = 10_000;

/** Somebody in another domain of trust, who keeps what was signed. */
export interface Witness {
  /** Resolves once the witness has the note. */
  hand(note: string): Promise<void>;
}

/** The note did not reach the witness; the address may hold a secret, so it is not repeated. */
export class WitnessError extends Error {}

/** Notes one after another, each on disk before the next. */
const fileWitness = (path: string): Witness => ({
  hand: async (note) => {
    const file = await open(path, 'a');
    try {
      await file.writeFile(note);
      await file.sync();
    } finally {
      await file.close();
    }
  },
});

/** Each note as the body of a POST. */
const urlWitness = (url: string): Witness => ({
  hand: async (note) => {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'text/plain; charset=utf-8' },
      body: note,
      signal: AbortSignal.timeout(ANSWER_TIME_MS),
    });
    await answer.body?.cancel();
    if (!answer.ok) throw new WitnessError(`The witness answered with ${answer.status}.`);
  },
});

/** `target`: an http(s) address, or the path of a file. */
export const witnessAt = (target: string): Witness =>
  /^https?:\/\//.test(target) ? urlWitness(target) : fileWitness(target);

import { createHmac } from 'node:crypto';
import { HttpProblem } from '../problem/problem';
import { uuidOf } from './entity-id';

const CHARS_MAX = 255;
/** A string of RFC 8941: printable ASCII in quotes, quote and backslash escaped. */
const QUOTED = /^"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;
/** Without quotes: what cannot be taken for a list, a parameter or a quoted string. */
const BARE = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+$/;

/** The key that a header's value names, quoted or bare. Throws a 400 problem on anything else. */
export const parseIdempotencyKey = (header: string): string => {
  const quoted = QUOTED.exec(header);
  const key = quoted ? quoted[1]!.replace(/\\(["\\])/g, '$1') : BARE.test(header) ? header : '';
  if (key.length >= 1 && key.length <= CHARS_MAX) return key;
  throw new HttpProblem(
    400,
    'invalid-idempotency-key',
    `Idempotency-Key must be 1 to ${CHARS_MAX} printable ASCII characters, in double quotes if it holds spaces, commas or semicolons.`,
  );
};

/** What makes two requests with one key the same command: who, which route, on what. */
export type KeyedRequest = Readonly<{
  clientId: string;
  method: string;
  /** The route's pattern, not the path. */
  route: string;
  params: Readonly<Record<string, string>>;
  key: string;
}>;

/** The command's id: the same for the same request again, unguessable without the secret, and nothing of the key in it. */
export const commandIdOf = (
  { clientId, method, route, params, key }: KeyedRequest,
  secret: Buffer,
): string => {
  const named = Object.keys(params)
    .sort()
    .map((name) => [name, params[name]!.toLowerCase()]);
  const text = JSON.stringify([clientId, method, route, named, key]);
  return uuidOf(createHmac('sha256', secret).update(text).digest());
};

import { request } from 'undici';
import { KeyServiceError } from './key-ring.errors';

export type KeyServiceOptions = Readonly<{
  /** Such as `https://vault.example.com:8200`. */
  url: string;
  token: string;
  /** Name of the key in the service. */
  keyName: string;
  /** How long to wait for one answer. */
  timeoutMs?: number;
  /** How often to ask where the service is away or slow. */
  triesMax?: number;
  /** How long to wait before the second try; longer before each further one. */
  backoffMs?: number;
}>;

const TIMEOUT_MS = 5_000;
const TRIES_MAX = 5;
const BACKOFF_MS = 200;
const ANSWER_BYTES_MAX = 65_536;
const PLAINTEXT = /^[A-Za-z0-9+/]+={0,2}$/;
const CIPHERTEXT_LENGTH_MAX = 4_096;

/**
 * Wraps and unwraps keys by a service that speaks as the transit engine of Vault does (`/v1/transit/encrypt/<key>`,
 * `/v1/transit/decrypt/<key>`, base64 in JSON, the token in `X-Vault-Token`). Throws KeyServiceError, whose message is one
 * line for people and repeats nothing of what was sent or answered.
 */
export class TransitKeyService {
  constructor(private readonly options: KeyServiceOptions) {}

  /** What the service must be given to get the key back. */
  async wrap(key: Buffer): Promise<string> {
    const { ciphertext } = await this.ask('encrypt', { plaintext: key.toString('base64') });
    if (typeof ciphertext !== 'string' || ciphertext === '' || ciphertext.length > CIPHERTEXT_LENGTH_MAX)
      throw new KeyServiceError('answered what is no wrapped key', true);
    return ciphertext;
  }

  async unwrap(wrapped: string): Promise<Buffer> {
    const { plaintext } = await this.ask('decrypt', { ciphertext: wrapped });
    if (typeof plaintext !== 'string' || !PLAINTEXT.test(plaintext))
      throw new KeyServiceError('answered what is no key', true);
    return Buffer.from(plaintext, 'base64');
  }

  private async ask(what: 'encrypt' | 'decrypt', body: object): Promise<Readonly<Record<string, unknown>>> {
    const triesMax = this.options.triesMax ?? TRIES_MAX;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.askOnce(what, body);
      } catch (error) {
        if (!(error instanceof KeyServiceError) || error.isFinal || attempt >= triesMax) throw error;
        await new Promise((resolve) => setTimeout(resolve, (this.options.backoffMs ?? BACKOFF_MS) * attempt));
      }
    }
  }

  private async askOnce(
    what: 'encrypt' | 'decrypt',
    body: object,
  ): Promise<Readonly<Record<string, unknown>>> {
    const { url, token, keyName, timeoutMs = TIMEOUT_MS } = this.options;
    let status: number;
    let text: string;
    try {
      const answer = await request(new URL(`/v1/transit/${what}/${encodeURIComponent(keyName)}`, url), {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-vault-request': 'true', 'x-vault-token': token },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(timeoutMs),
      });
      status = answer.statusCode;
      const pieces: Buffer[] = [];
      let size = 0;
      for await (const piece of answer.body as AsyncIterable<Buffer>) {
        size += piece.length;
        if (size > ANSWER_BYTES_MAX) throw new KeyServiceError('answered too much', true);
        pieces.push(piece);
      }
      text = Buffer.concat(pieces).toString('utf8');
    } catch (error) {
      if (error instanceof KeyServiceError) throw error;
      // Not as the cause: the client's error may hold what was sent.
      const { name, code } = error as NodeJS.ErrnoException;
      const reason = name === 'TimeoutError' ? `no answer within ${timeoutMs} ms` : (code ?? name);
      throw new KeyServiceError(`cannot be reached (${reason})`, false);
    }
    if (status === 401 || status === 403) throw new KeyServiceError('refuses the token', true);
    if (status === 404) throw new KeyServiceError(`has no key named ${keyName}`, true);
    if (status === 429 || status >= 500) throw new KeyServiceError(`answers ${status}`, false);
    if (status !== 200) throw new KeyServiceError(`answers ${status}`, true);
    const data = dataOf(text);
    if (data === undefined) throw new KeyServiceError('answered what is not its JSON', true);
    return data;
  }
}

const dataOf = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const { data } = JSON.parse(text) as { data?: unknown };
    return typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
};

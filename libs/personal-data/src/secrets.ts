import { expand } from './data-key';

/** Keys of the system as a whole, the same for all processes on one key ring and for all time. */
export abstract class Secrets {
  /** 32 bytes for one use, named by its label; different labels tell nothing of each other. */
  abstract derive(label: string): Buffer;
}

/** Derives every key from one secret. */
export class DerivedSecrets extends Secrets {
  readonly #derived = new Map<string, Buffer>();

  /** Hidden from whatever prints or serialises the object. */
  readonly #secret: Buffer;

  constructor(secret: Buffer) {
    super();
    this.#secret = secret;
  }

  derive(label: string): Buffer {
    let key = this.#derived.get(label);
    if (key === undefined) {
      key = expand(this.#secret, `regulars:secret:${label}`);
      this.#derived.set(label, key);
    }
    return key;
  }
}

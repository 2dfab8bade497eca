import { expand } from './data-key';

/** Keys of the system as a whole, the same for all processes on one key ring and for all time. */
export abstract class Secrets {
  /** 32 bytes for one use, named by its label; different labels tell nothing of each other. */
  abstract derive(label: string): Buffer;
}

/** Derives every key from one secret. */
export class DerivedSecrets extends Secrets {
  private readonly derived = new Map<string, Buffer>();

  constructor(private readonly secret: Buffer) {
    super();
  }

  derive(label: string): Buffer {
    let key = this.derived.get(label);
    if (key === undefined) {
      key = expand(this.secret, `regulars:secret:${label}`);
      this.derived.set(label, key);
    }
    return key;
  }
}

/** What a process that has died throws at whoever still asks it. */
export class Crash extends Error {}

const WRITES = ['insert', 'share', 'drop', 'postpone', 'append', 'destroy', 'purge'];

/** A process that dies at its n-th write, before or after it took effect: nothing it calls works any more. */
export class Death {
  private writes = 0;
  private dead = false;

  constructor(
    private readonly at = Infinity,
    private readonly when: 'before' | 'after' = 'before',
  ) {}

  /** Writes until now. */
  get count(): number {
    return this.writes;
  }

  /** The same target as the process calls it. */
  on<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (_, name) => {
        const member = Reflect.get(target, name) as unknown;
        if (typeof member !== 'function') return member;
        if (!WRITES.includes(String(name))) {
          return (...args: unknown[]) => {
            this.check();
            return Reflect.apply(member, target, args) as unknown;
          };
        }
        return async (...args: unknown[]) => {
          this.check();
          this.writes += 1;
          const dies = this.writes === this.at;
          if (dies && this.when === 'before') this.dead = true;
          this.check();
          const result = (await Reflect.apply(member, target, args)) as unknown;
          if (dies) this.dead = true;
          this.check();
          return result;
        };
      },
    });
  }

  private check(): void {
    if (this.dead) throw new Crash();
  }
}

export type ReadinessReport = Readonly<{
  ready: boolean;
  /** By part (`eventStore`, `readStore`, `keyRing`): whether it can be used. */
  parts: Readonly<Record<string, 'up' | 'down'>>;
  /** How far the slowest read model is behind the log, in positions; null while unknown. */
  lag: string | null;
}>;

/** Tells whether this process can serve. Answers within about a second, whatever is down. */
export abstract class Readiness {
  abstract report(): Promise<ReadinessReport>;
}

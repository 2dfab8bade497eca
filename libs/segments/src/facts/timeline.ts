import type { Fact, Tally } from '@app/rules';

/** Facts of one series in order of time, with what they add up to, so that a stretch is counted without walking over it. */
export class Timeline {
  /** What the facts before each add up to, and after the last all. */
  private readonly counts: number[] = [0];
  private readonly sums: number[] = [0];

  constructor(private readonly facts: readonly Fact[]) {
    let [count, sum] = [0, 0];
    for (const fact of facts) {
      this.counts.push((count += fact.count));
      this.sums.push((sum += fact.amount));
    }
  }

  /** Of `(after, upTo]`. */
  tally(after: number, upTo: number): Tally {
    const [from, to] = this.stretch(after, upTo);
    return { count: differenceIn(this.counts, from, to), sum: differenceIn(this.sums, from, to) };
  }

  /** Of `(after, upTo]`, the oldest first. */
  list(after: number, upTo: number): readonly Fact[] {
    return this.facts.slice(...this.stretch(after, upTo));
  }

  private stretch(after: number, upTo: number): readonly [number, number] {
    const from = this.firstLater(after);
    return [from, Math.max(from, this.firstLater(upTo))];
  }

  private firstLater(instant: number): number {
    let [from, to] = [0, this.facts.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.facts[middle] as Fact).at > instant) to = middle;
      else from = middle + 1;
    }
    return from;
  }
}

const differenceIn = (sums: readonly number[], from: number, to: number): number =>
  (sums[to] as number) - (sums[from] as number);

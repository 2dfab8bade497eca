/** The largest so many of any number of figures, and how many more are as large as the least of them. */
export class Largest {
  private kept: number[] = [];
  /** Of those that are kept for sure; below it, nothing is. */
  private least: number | null = null;
  /** Figures like `least` that were left out. */
  private tiesCount = 0;

  /** `rank`: at least 1. No more than twice as many figures are held. */
  constructor(private readonly rank: number) {}

  add(figure: number): void {
    if (this.least !== null && figure <= this.least) {
      if (figure === this.least) this.tiesCount += 1;
      return;
    }
    this.kept.push(figure);
    if (this.kept.length >= this.rank * 2) this.compact();
  }

  /** The figure at the rank, or the last there is; `count`: how many are at or above it. Null: there were none. */
  result(): Readonly<{ figure: number; count: number }> | null {
    this.compact();
    const figure = this.kept.at(-1);
    return figure === undefined ? null : { figure, count: this.kept.length + this.tiesCount };
  }

  private compact(): void {
    this.kept.sort((one, other) => other - one);
    if (this.kept.length < this.rank) return;
    const least = this.kept[this.rank - 1] as number;
    const leftOut = this.kept.slice(this.rank).filter((figure) => figure === least).length;
    this.tiesCount = least === this.least ? this.tiesCount + leftOut : leftOut;
    this.least = least;
    this.kept = this.kept.slice(0, this.rank);
  }
}

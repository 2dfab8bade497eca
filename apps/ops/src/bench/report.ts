import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform, totalmem } from 'node:os';
import { join } from 'node:path';

/** One measured figure, with what it stands beside. */
export type Figure = Readonly<{
  part: string;
  what: string;
  value: number | null;
  unit: 'per s' | 'ms' | 'MiB' | 'documents/s' | 'bytes';
  /** The bare figure of the same run, and what it is. */
  bare?: number;
  ratio?: number;
  /** What to reach: a least ratio, a least rate or a most in milliseconds. */
  target?: Readonly<{ kind: 'ratio-min' | 'value-min' | 'value-max'; value: number }>;
  /** What held it up. */
  bound?: string;
  /** Rounds, percentiles, errors: everything behind the figure. */
  details?: object;
}>;

export class Report {
  private readonly figures: Figure[] = [];
  private readonly startedAt = new Date();

  constructor(
    private readonly servers: string,
    private readonly print: (line: string) => void,
  ) {}

  /** Rows are printed as they come, so that a long run shows what it has. */
  add(figure: Figure): void {
    if (this.figures.at(-1)?.part !== figure.part) {
      this.print('');
      this.print(row(figure.part, 'measured', 'bare', 'ratio', 'to reach', 'bound by'));
      this.print('-'.repeat(120));
    }
    this.figures.push(figure);
    const { what, value, unit, bare, ratio, target, bound } = figure;
    this.print(
      row(
        what,
        value === null ? 'unknown' : `${format(value)} ${unit}`,
        bare === undefined ? '' : format(bare),
        ratio === undefined ? '' : ratio.toFixed(2),
        target ? `${SIGN[target.kind]} ${format(target.value)}${reached(figure) ? '' : ' (missed)'}` : '',
        bound ?? '',
      ),
    );
  }

  /** Writes everything as JSON; the path of the file. */
  write(directory: string): string {
    mkdirSync(directory, { recursive: true });
    const file = join(directory, `bench-${this.startedAt.toISOString().replaceAll(/[:.]/g, '-')}.json`);
    const machine = {
      node: process.version,
      system: `${platform()} ${arch()}`,
      cpus: cpus().map(({ model }) => model),
      memoryMiB: Math.round(totalmem() / 2 ** 20),
    };
    const { figures, servers, startedAt } = this;
    const report = { startedAt, finishedAt: new Date(), servers, machine, figures };
    writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
    return file;
  }
}

const SIGN = { 'ratio-min': 'ratio ≥', 'value-min': '≥', 'value-max': '≤' } as const;

const reached = ({ value, ratio, target }: Figure): boolean => {
  if (!target) return true;
  const measured = target.kind === 'ratio-min' ? ratio : value;
  if (measured === undefined || measured === null) return false;
  return target.kind === 'value-max' ? measured <= target.value : measured >= target.value;
};

const format = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(value >= 10 ? 1 : 2);

const WIDTHS = [46, 18, 10, 7, 20, 0] as const;

const row = (...cells: readonly string[]): string =>
  cells
    .map((cell, index) =>
      index > 0 && index < 4 ? cell.padStart(WIDTHS[index]!) : cell.padEnd(WIDTHS[index] ?? 0),
    )
    .join('  ')
    .trimEnd();

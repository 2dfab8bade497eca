/** Figures by the name of a pool or a currency. */
export type Figures = Readonly<Record<string, number>>;

/** The figure of a name; null where there is none. A pool may be called `constructor`. */
export const figureOf = (figures: Figures, name: string): number | null =>
  Object.hasOwn(figures, name) ? (figures[name] ?? null) : null;

/**
 * Figures by the name of a pool or a currency. Names are keys of stored documents and part of the paths that the store
 * looks for, so the dots that a name may have are written in another way there.
 */
export type Figures = Readonly<Record<string, number>>;

const DOTS = /\./g;
const WRITTEN_DOTS = /~/g;

/** The key a name is stored under; names hold no `~`. */
export const figureKey = (name: string): string => name.replace(DOTS, '~');

/** The figure of a name; null where there is none. */
export const figureOf = (figures: Figures, name: string): number | null => {
  const key = figureKey(name);
  return Object.hasOwn(figures, key) ? (figures[key] ?? null) : null;
};

export const withFigure = (figures: Figures, name: string, figure: number): Figures => ({
  ...figures,
  [figureKey(name)]: figure,
});

/** By the names that people know. */
export const shownFigures = (figures: Figures): Figures =>
  Object.keys(figures).some((key) => key.includes('~'))
    ? Object.fromEntries(
        Object.entries(figures).map(([key, figure]) => [key.replace(WRITTEN_DOTS, '.'), figure]),
      )
    : figures;

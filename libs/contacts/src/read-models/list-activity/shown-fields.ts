type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Opened fields as the API shows them: what a message holds stands beside its figures, and what was destroyed with its key
 * is left out.
 */
export const shownFields = ({ content, ...others }: Fields): Fields => ({
  ...Object.fromEntries(Object.entries(others).filter(([, value]) => value !== null)),
  ...(isObject(content) && content),
});

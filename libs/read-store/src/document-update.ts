import { isDeepStrictEqual } from 'node:util';

type Fields = Readonly<Record<string, unknown>>;

/** Operators of MongoDB's update; neither is there where it would be empty, as MongoDB demands. */
export type DocumentUpdate = Readonly<{ $set?: Record<string, unknown>; $unset?: Record<string, ''> }>;

/**
 * What makes of one document another: the deepest fields that differ, arrays as a whole. A field that is undefined is not
 * there. What is the same object is taken for equal without a look, so that a document folded without change costs little.
 */
export const updateBetween = (before: object, after: object): DocumentUpdate => {
  const set: Record<string, unknown> = {};
  const unset: Record<string, ''> = {};
  compare(before as Fields, after as Fields, '', set, unset);
  return {
    ...(Object.keys(set).length > 0 && { $set: set }),
    ...(Object.keys(unset).length > 0 && { $unset: unset }),
  };
};

const compare = (
  before: Fields,
  after: Fields,
  prefix: string,
  set: Record<string, unknown>,
  unset: Record<string, ''>,
): void => {
  for (const [key, value] of Object.entries(after)) {
    const known = Object.hasOwn(before, key) ? before[key] : undefined;
    if (value === known || value === undefined) continue;
    if (isPlain(value) && isPlain(known) && isAddressable(value) && isAddressable(known))
      compare(known, value, `${prefix}${key}.`, set, unset);
    else if (!isDeepStrictEqual(value, known)) set[prefix + key] = value;
  }
  for (const [key, known] of Object.entries(before)) {
    if (known !== undefined && (!Object.hasOwn(after, key) || after[key] === undefined))
      unset[prefix + key] = '';
  }
};

const isPlain = (value: unknown): value is Fields => {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

/** Its fields have paths of their own: a dot in a name would begin a deeper one, a dollar an operator. */
const isAddressable = (fields: Fields): boolean =>
  Object.keys(fields).every((key) => key !== '' && !key.includes('.') && !key.startsWith('$'));

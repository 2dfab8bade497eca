import { LogFormatError } from './log-format.error';

const DEPTH_MAX = 32;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** What may stand in a log entry: no floats, so that every language writes the same digits. */
export type CanonicalValue =
  | string
  | number
  | boolean
  | null
  | readonly CanonicalValue[]
  | { readonly [name: string]: CanonicalValue | undefined };

/**
 * The one text of a JSON value (RFC 8785): names in order of their UTF-16 units, no white space, shortest escapes.
 * A property that is undefined is left out, as JSON.stringify does. Throws LogFormatError for whatever two implementations
 * could write differently or not at all: numbers that are no safe integers, lone surrogates, anything that is no plain
 * JSON value, nesting deeper than 32.
 */
export const canonicalJson = (value: unknown): string => textOf(value, 0);

const textOf = (value: unknown, depth: number): string => {
  if (typeof value === 'string') return textOfString(value);
  // Minus zero is written as 0 (RFC 8785, section 3.2.2.3).
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  if (typeof value === 'boolean' || value === null) return String(value);
  if (typeof value !== 'object')
    throw new LogFormatError(`No canonical JSON for a ${typeof value} like this.`);
  if (depth === DEPTH_MAX) throw new LogFormatError(`Nested deeper than ${DEPTH_MAX}.`);
  if (Array.isArray(value)) {
    // Not `map`, which would pass over holes.
    return `[${Array.from(value, (item) => textOf(item, depth + 1)).join(',')}]`;
  }
  return `{${propertiesOf(value, depth)
    .map(({ text }) => text)
    .join(',')}}`;
};

/** A property of an object in canonical form: `"name":value`. */
export type CanonicalProperty = Readonly<{ name: string; text: string }>;

/** The properties of an object in canonical form and order, to put parts of it together. Throws as canonicalJson does. */
export const canonicalProperties = (value: object): readonly CanonicalProperty[] => propertiesOf(value, 0);

const propertiesOf = (value: object, depth: number): readonly CanonicalProperty[] => {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw new LogFormatError('Not a plain object.');
  const found: CanonicalProperty[] = [];
  // The default order of sort is that of UTF-16 units (RFC 8785, section 3.2.3).
  for (const name of Object.keys(value).sort()) {
    const property = (value as Readonly<Record<string, unknown>>)[name];
    if (property === undefined) continue;
    found.push({ name, text: `${textOfString(name)}:${textOf(property, depth + 1)}` });
  }
  return found;
};

/** JSON.stringify escapes strings as RFC 8785, section 3.2.2.2 asks, but for lone surrogates, which have no UTF-8. */
const textOfString = (text: string): string => {
  if (LONE_SURROGATE.test(text)) throw new LogFormatError('A text with half a surrogate pair.');
  return JSON.stringify(text);
};

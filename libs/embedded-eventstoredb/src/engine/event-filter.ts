import type { LogRecord } from '../log/record';

export type FilterExpression = Readonly<{
  on: 'stream' | 'type';
  /** Used where `regex` is empty. */
  prefixes: readonly string[];
  regex: string;
}>;

export type EventFilter = (record: LogRecord) => boolean;

/** Throws SyntaxError on a regular expression that JavaScript does not accept. */
export const compileFilter = ({ on, prefixes, regex }: FilterExpression): EventFilter => {
  const pattern = regex === '' ? null : new RegExp(regex, 'u');
  const matches = pattern
    ? (text: string) => pattern.test(text)
    : (text: string) => prefixes.some((prefix) => text.startsWith(prefix));
  return on === 'stream' ? (record) => matches(record.stream) : (record) => matches(record.type);
};

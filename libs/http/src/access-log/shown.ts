import { createHash } from 'node:crypto';
import { isUuid } from '../input/rules';

export const SUBJECTS_NAMED_MAX = 100;
const FIELDS_NAMED_MAX = 100;

/** What an answer shows: of whom, how many rows, and which fields by name. */
export type Shown = Readonly<{
  subjects: readonly string[];
  subjectCount: number;
  subjectsHash?: string;
  rows?: number;
  fields: readonly string[];
}>;

/** Members that say where the answer stands, not what it shows. */
const ABOUT_THE_ANSWER = new Set(['asOfPosition', 'nextCursor', 'items', 'revision', 'contactId', 'total']);
/** Their inner fields are named one by one. */
const OPENED = new Set(['profile', 'contact']);

/** `named`: whom the request itself names. */
export const shownBy = (answer: unknown, named: string | undefined): Shown => {
  const ids = new Set<string>(named === undefined ? [] : [named]);
  const fields = new Set<string>();
  const items = itemsOf(answer);
  for (const shown of items ?? [answer]) {
    if (typeof shown !== 'object' || shown === null) continue;
    noteContact(shown, ids);
    noteFields(shown, '', fields);
  }
  const subjects = [...ids];
  return {
    subjects: subjects.slice(0, SUBJECTS_NAMED_MAX),
    subjectCount: subjects.length,
    ...(items !== undefined && { subjectsHash: hashOf(subjects), rows: items.length }),
    fields: [...fields].slice(0, FIELDS_NAMED_MAX),
  };
};

/** The rows of a list, or those that an answer on many contacts shows as a sample. */
const itemsOf = (answer: unknown): readonly unknown[] | undefined => {
  const { items, sample } = (answer ?? {}) as { items?: unknown; sample?: unknown };
  const rows = items ?? sample;
  return Array.isArray(rows) ? rows : undefined;
};

const noteContact = (shown: object, ids: Set<string>): void => {
  const { contactId } = shown as { contactId?: unknown };
  if (isUuid(contactId)) ids.add(contactId);
};

const noteFields = (shown: object, prefix: string, fields: Set<string>): void => {
  for (const name of Object.keys(shown)) {
    if (ABOUT_THE_ANSWER.has(name)) continue;
    const value = (shown as Record<string, unknown>)[name];
    if (OPENED.has(name) && typeof value === 'object' && value !== null)
      noteFields(value, `${prefix}${name}.`, fields);
    else fields.add(prefix + name);
  }
};

const hashOf = (ids: readonly string[]): string =>
  createHash('sha256')
    .update([...ids].sort().join('\n'))
    .digest('base64');

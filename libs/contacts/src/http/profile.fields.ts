import { isEmail } from 'class-validator';
import { rules, type FieldRule } from '@app/http';

const AHEAD_OF_UTC_MS = 14 * 3_600_000;

export const email: FieldRule = {
  code: 'email',
  detail: 'must be an e-mail address of at most 254 characters',
  accepts: (value) =>
    typeof value === 'string' && value.length <= 254 && isEmail(value, { allow_utf8_local_part: true }),
  schema: { type: 'string', format: 'email', maxLength: 254 },
};

export const phone: FieldRule = {
  code: 'phone',
  detail:
    'must be a phone number of 3 to 20 digits, with + in front or not; spaces, dots, dashes, slashes and brackets are fine',
  accepts: (value) =>
    typeof value === 'string' &&
    value.length <= 40 &&
    /^\+?[\d ()./-]+$/.test(value) &&
    /^\d{3,20}$/.test(value.replace(/\D/g, '')),
  schema: { type: 'string', maxLength: 40, pattern: '^\\+?[\\d ()./-]+$' },
};

export const birthday: FieldRule = {
  code: 'birthday',
  detail: 'must be a date from 1900-01-01 until today, such as 1990-05-17',
  accepts: (value) =>
    rules.calendarDate.accepts(value) &&
    (value as string) >= '1900-01-01' &&
    // Today begins in the east.
    (value as string) <= new Date(Date.now() + AHEAD_OF_UTC_MS).toISOString().slice(0, 10),
  schema: { type: 'string', format: 'date' },
};

export const language: FieldRule = {
  code: 'language',
  detail: 'must be a language code of two or three small letters, such as de',
  accepts: (value) => typeof value === 'string' && /^[a-z]{2,3}$/.test(value),
  schema: { type: 'string', pattern: '^[a-z]{2,3}$' },
};

export const country: FieldRule = {
  code: 'country',
  detail: 'must be a country code of two capital letters, such as AT',
  accepts: (value) => typeof value === 'string' && /^[A-Z]{2}$/.test(value),
  schema: { type: 'string', pattern: '^[A-Z]{2}$' },
};

/** Starts with a letter, so that no name means something to JavaScript or to the stores. */
export const CUSTOM_FIELD_NAME = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

const customText = rules.text({ min: 0, max: 1_000 });
const choice = rules.text({ max: 200 });

export const customField: FieldRule = {
  code: 'custom-field',
  detail:
    'must be a text of at most 1000 characters, a number, true or false, or a list of at most 50 texts of at most 200',
  accepts: (value) =>
    typeof value === 'boolean' ||
    Number.isFinite(value) ||
    customText.accepts(value) ||
    (Array.isArray(value) && value.length <= 50 && value.every(choice.accepts)),
  schema: {
    anyOf: [
      { type: 'boolean' },
      { type: 'number' },
      customText.schema,
      { type: 'array', items: choice.schema, maxItems: 50 },
    ],
  },
};

/** In a patch, null removes. */
export const customFieldChange: FieldRule = {
  ...customField,
  detail: `${customField.detail}; null removes it`,
  accepts: (value) => value === null || customField.accepts(value),
  schema: { anyOf: [{ type: 'null' }, ...(customField.schema.anyOf as object[])] },
};

export const tag = rules.text({ max: 64 });

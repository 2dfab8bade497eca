import { Field, type FieldOptions } from './field';
import * as rules from './rules';

/** A text of `min` (default 1) to `max` characters, without control characters. */
export const IsText = ({
  min,
  max,
  pattern,
  ...options
}: FieldOptions & { min?: number; max: number; pattern?: RegExp }): PropertyDecorator =>
  Field(rules.text({ max, ...(min === undefined ? {} : { min }), ...(pattern ? { pattern } : {}) }), options);

/** A code of ours: `a-z0-9-_.`, at most 64. */
export const IsSlug = (options: FieldOptions = {}): PropertyDecorator => Field(rules.slug, options);

/** A key that another system issued: 1 to 200 characters. */
export const IsForeignKey = (options: FieldOptions = {}): PropertyDecorator =>
  Field(rules.foreignKey, options);

/** A UUID; kept in lower case. */
export const IsUuid = (options: FieldOptions = {}): PropertyDecorator => Field(rules.uuid, options);

/** An instant as in RFC 3339; kept as ISO 8601 in UTC with milliseconds. */
export const IsRfc3339 = (options: FieldOptions = {}): PropertyDecorator => Field(rules.instant, options);

/** A date without time, YYYY-MM-DD, that exists. */
export const IsCalendarDate = (options: FieldOptions = {}): PropertyDecorator =>
  Field(rules.calendarDate, options);

/** A whole number; never a text in a body, digits in a query string. */
export const IsWholeNumber = ({
  min,
  max,
  ...options
}: FieldOptions & { min: number; max: number }): PropertyDecorator =>
  Field(rules.wholeNumber({ min, max }), options);

/** true or false. */
export const IsFlag = (options: FieldOptions = {}): PropertyDecorator => Field(rules.flag, options);

export const IsOneOf = (values: readonly string[], options: FieldOptions = {}): PropertyDecorator =>
  Field(rules.oneOf(values), options);

/** Any JSON object, unchecked inside; in a query string, its JSON text. */
export const IsJsonObject = (options: FieldOptions = {}): PropertyDecorator =>
  Field(rules.jsonObject, options);

/** An amount in minor units of a currency. */
export class MoneyDto {
  @IsWholeNumber({
    min: 0,
    max: 1_000_000_000_000,
    description: 'In minor units: 1250 is 12.50 EUR.',
    example: 1250,
  })
  readonly minor!: number;

  @Field(rules.currency, { description: 'ISO 4217.', example: 'EUR' })
  readonly currency!: string;
}

import { ApiProperty } from '@nestjs/swagger';
import { ValidateBy, ValidateIf, ValidateNested } from 'class-validator';

/** A part of an OpenAPI 3.1 schema. */
export type Schema = Readonly<Record<string, unknown>>;

/** What a value must be, said once: for validation, for the answer that refuses it and for the API's description. */
export type FieldRule = Readonly<{
  /** `errors[].code` when the value does not fit; part of the API. */
  code: string;
  /** What the value must be, for people; never the value itself. */
  detail: string;
  accepts: (value: unknown) => boolean;
  schema: Schema;
  /** Reads a query string's text; gives the text back where it cannot. Bodies are never converted. */
  fromText?: (text: string) => unknown;
  /** Turns an accepted value into its one canonical form (times to UTC, ids to lower case). */
  normalise?: (value: unknown) => unknown;
}>;

export type FieldOptions = Readonly<{
  /** May be left out. Without it, it is required. */
  optional?: boolean;
  /** May be null. */
  nullable?: boolean;
  description?: string;
  example?: unknown;
}>;

export type DtoClass = new () => object;

/** How the pipe builds one field of a DTO. */
export type FieldPlan = Readonly<{
  shape: 'value' | 'nested' | 'list';
  /** The DTO of a nested object or of the objects of a list. */
  dto?: () => DtoClass;
  fromText?: (text: string) => unknown;
  normalise?: (value: unknown) => unknown;
}>;

const plans = new WeakMap<object, Map<string, FieldPlan>>();

/** The planned fields of a DTO class and of the classes it extends. */
export const plannedFieldsOf = (dto: DtoClass): Map<string, FieldPlan> => {
  const fields = new Map<string, FieldPlan>();
  for (
    let proto = dto.prototype as object | null;
    proto !== null;
    proto = Object.getPrototypeOf(proto) as object | null
  ) {
    for (const [name, plan] of plans.get(proto) ?? []) if (!fields.has(name)) fields.set(name, plan);
  }
  return fields;
};

const planField = (target: object, name: string, plan: FieldPlan): void => {
  const own = plans.get(target) ?? new Map<string, FieldPlan>();
  plans.set(target, own.set(name, plan));
};

const applyAll =
  (
    name: (target: object, key: string) => void,
    ...decorators: readonly PropertyDecorator[]
  ): PropertyDecorator =>
  (target, key) => {
    name(target, key as string);
    for (const decorate of decorators) decorate(target, key);
  };

/** Decorators that skip the checks of a value that may be missing or null. */
const presence = ({ optional, nullable }: FieldOptions): PropertyDecorator[] => [
  ...(optional ? [ValidateIf((_, value) => value !== undefined)] : []),
  ...(nullable ? [ValidateIf((_, value) => value !== null)] : []),
];

const described = (schema: Schema, options: FieldOptions): PropertyDecorator =>
  ApiProperty({
    ...schema,
    required: options.optional !== true,
    ...(options.nullable ? { nullable: true } : {}),
    ...(options.description === undefined ? {} : { description: options.description }),
    ...(options.example === undefined ? {} : { example: options.example }),
  });

const checked = (code: string, detail: string, accepts: (value: unknown) => boolean): PropertyDecorator =>
  ValidateBy({ name: code, validator: { validate: accepts, defaultMessage: () => detail } });

const isPlainObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A field that follows one rule. The decorators of this library are made of it; a context makes its own with it. */
export const Field = (rule: FieldRule, options: FieldOptions = {}): PropertyDecorator =>
  applyAll(
    (target, key) =>
      planField(target, key, {
        shape: 'value',
        ...(rule.fromText ? { fromText: rule.fromText } : {}),
        ...(rule.normalise ? { normalise: rule.normalise } : {}),
      }),
    ...presence(options),
    checked(rule.code, rule.detail, rule.accepts),
    described(rule.schema, options),
  );

/** An object with fields of its own. */
export const IsNested = (dto: () => DtoClass, options: FieldOptions = {}): PropertyDecorator =>
  applyAll(
    (target, key) => planField(target, key, { shape: 'nested', dto }),
    ...presence(options),
    checked('object', 'must be an object', isPlainObject),
    ValidateNested(),
    // The generator knows a deferred class by the name of this very function, `type`.
    described({ type: () => dto() }, options),
  );

export type ListOptions = FieldOptions & Readonly<{ min?: number; max: number }>;

const sized = (value: unknown, { min = 0, max }: ListOptions): value is readonly unknown[] =>
  Array.isArray(value) && value.length >= min && value.length <= max;

/** A list of objects. */
export const IsListOf = (dto: () => DtoClass, options: ListOptions): PropertyDecorator =>
  applyAll(
    (target, key) => planField(target, key, { shape: 'list', dto }),
    ...presence(options),
    checked(
      'list',
      `must be a list of ${options.min ?? 0} to ${options.max} objects`,
      (value) => sized(value, options) && value.every(isPlainObject),
    ),
    ValidateNested(),
    described(
      { type: () => dto(), isArray: true, minItems: options.min ?? 0, maxItems: options.max },
      options,
    ),
  );

/** A list of values that all follow one rule; in a query string, the parameter repeated. */
export const IsListOfValues = (rule: FieldRule, options: ListOptions): PropertyDecorator => {
  const { normalise } = rule;
  return Field(
    {
      code: 'list',
      detail: `must be a list of ${options.min ?? 0} to ${options.max} values, each of which ${rule.detail}`,
      accepts: (value) => sized(value, options) && value.every(rule.accepts),
      schema: { type: 'array', items: rule.schema, minItems: options.min ?? 0, maxItems: options.max },
      fromText: (text) => [rule.fromText?.(text) ?? text],
      ...(normalise ? { normalise: (value) => (value as unknown[]).map(normalise) } : {}),
    },
    options,
  );
};

/** An object whose keys the client chooses; every value follows one rule. */
export const IsRecordOf = (
  rule: FieldRule,
  options: FieldOptions & Readonly<{ keys: RegExp; max: number }>,
): PropertyDecorator => {
  const { normalise } = rule;
  return Field(
    {
      code: 'record',
      detail: `must be an object of at most ${options.max} entries, with keys like ${options.keys.source} and values each of which ${rule.detail}`,
      accepts: (value) => {
        if (!isPlainObject(value)) return false;
        const entries = Object.entries(value as object);
        return (
          entries.length <= options.max &&
          entries.every(([key, entry]) => options.keys.test(key) && rule.accepts(entry))
        );
      },
      schema: {
        type: 'object',
        additionalProperties: rule.schema,
        propertyNames: { type: 'string', pattern: options.keys.source },
        maxProperties: options.max,
      },
      ...(normalise
        ? {
            normalise: (value) =>
              Object.fromEntries(
                Object.entries(value as object).map(([key, entry]) => [key, normalise(entry)]),
              ),
          }
        : {}),
    },
    options,
  );
};

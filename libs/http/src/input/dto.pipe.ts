import { Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';
import { getMetadataStorage, validateSync, type ValidationError } from 'class-validator';
import { InvalidInputProblem, type FieldError } from '../problem/problem';
import { plannedFieldsOf, type DtoClass, type FieldPlan } from './field';
import { QUERY_NAMES_READ_APART } from './min-position';

const ERRORS_MAX = 50;
const POINTER_CHARS_MAX = 300;

/** All the pipe knows of a DTO class; found out once. */
type DtoPlan = Readonly<{
  fields: ReadonlyMap<string, FieldPlan>;
  /** Initial values that the class gives its fields. */
  defaults: readonly (readonly [string, unknown])[];
  normalised: readonly (readonly [string, FieldPlan])[];
}>;

const VALUE: FieldPlan = { shape: 'value' };
const plans = new Map<DtoClass, DtoPlan>();

const planOf = (dto: DtoClass): DtoPlan => {
  const known = plans.get(dto);
  if (known) return known;
  const fields = plannedFieldsOf(dto);
  // Fields that carry decorators of class-validator itself are known fields too.
  for (const { propertyName } of getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false)) {
    if (!fields.has(propertyName)) fields.set(propertyName, VALUE);
  }
  const plan: DtoPlan = {
    fields,
    defaults: Object.entries(new dto()).filter(([, value]) => value !== undefined),
    normalised: [...fields].filter(
      ([, { shape, normalise }]) => shape !== 'value' || normalise !== undefined,
    ),
  };
  plans.set(dto, plan);
  return plan;
};

/** Names of the query parameters or body fields that a DTO class takes. */
export const fieldNamesOf = (dto: DtoClass): readonly string[] => [...planOf(dto).fields.keys()];

const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

const pointerTo = (parent: string, name: string): string =>
  `${parent}/${escaped(name)}`.slice(0, POINTER_CHARS_MAX);

/** Builds the instance: only what the client sent, and defaults; unknown fields become errors. */
const build = (
  dto: DtoClass,
  source: Record<string, unknown>,
  pointer: string,
  errors: FieldError[],
): object => {
  const { fields, defaults } = planOf(dto);
  const instance = Object.create(dto.prototype as object) as Record<string, unknown>;
  for (const [name, value] of defaults) instance[name] = value;
  for (const name of Object.keys(source)) {
    const plan = fields.get(name);
    if (plan === undefined) {
      if (errors.length < ERRORS_MAX) {
        errors.push({
          pointer: pointerTo(pointer, name),
          code: 'unknown-field',
          detail: 'is not a field of this request',
        });
      }
      continue;
    }
    instance[name] = buildField(plan, source[name], pointerTo(pointer, name), errors);
  }
  return instance;
};

/** What has another shape than the field's is left as it is, for the checks to refuse. */
const buildField = (
  { shape, dto }: FieldPlan,
  value: unknown,
  pointer: string,
  errors: FieldError[],
): unknown => {
  if (dto === undefined) return value;
  if (shape === 'nested') return isPlainObject(value) ? build(dto(), value, pointer, errors) : value;
  if (!Array.isArray(value)) return value;
  return value.map((item: unknown, index) =>
    isPlainObject(item) ? build(dto(), item, `${pointer}/${index}`, errors) : item,
  );
};

const collect = (found: readonly ValidationError[], parent: string, errors: FieldError[]): void => {
  for (const { property, constraints, children } of found) {
    if (errors.length >= ERRORS_MAX) return;
    const pointer = pointerTo(parent, property);
    for (const [code, detail] of Object.entries(constraints ?? {}))
      errors.push({ pointer, code: kebab(code), detail });
    collect(children ?? [], pointer, errors);
  }
};

/** class-validator's own constraints are named in camel case. */
const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Turns accepted values into their canonical form, in place. */
const normalise = (dto: DtoClass, instance: Record<string, unknown>): void => {
  for (const [name, plan] of planOf(dto).normalised) {
    const value = instance[name];
    if (value === undefined || value === null) continue;
    if (plan.normalise) instance[name] = plan.normalise(value);
    if (!plan.dto) continue;
    const inner = plan.dto();
    for (const item of Array.isArray(value) ? value : [value])
      normalise(inner, item as Record<string, unknown>);
  }
};

/** Reads the texts of a query string as the DTO's fields say; what cannot be read stays text and is refused later. */
const fromTexts = (dto: DtoClass, query: Record<string, unknown>): Record<string, unknown> => {
  const { fields } = planOf(dto);
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(query)) {
    const read = fields.get(name)?.fromText;
    const text = query[name];
    if (QUERY_NAMES_READ_APART.has(name) && !fields.has(name)) continue;
    if (read === undefined) values[name] = text;
    else
      values[name] = Array.isArray(text) ? text.flatMap((item: string) => read(item)) : read(text as string);
  }
  return values;
};

/**
 * Validates bodies and query strings against their DTO class, once, and hands out an instance of it. Throws a 422
 * problem that names every field at fault. Values are never converted, but for query strings, which are all text.
 */
@Injectable()
export class DtoPipe implements PipeTransform {
  transform(value: unknown, { type, metatype, data }: ArgumentMetadata): unknown {
    const dto = metatype as DtoClass | undefined;
    if ((type !== 'body' && type !== 'query') || data !== undefined || !isDto(dto)) return value;
    return type === 'body' ? bodyOf(dto, value) : queryOf(dto, value as Record<string, unknown>);
  }
}

const isDto = (metatype: DtoClass | undefined): metatype is DtoClass =>
  metatype !== undefined &&
  metatype !== Object &&
  metatype !== (Array as unknown) &&
  metatype !== (String as unknown);

const bodyOf = (dto: DtoClass, body: unknown): object => {
  const source = body === undefined ? {} : body;
  if (!isPlainObject(source)) {
    throw new InvalidInputProblem([{ pointer: '', code: 'object', detail: 'must be a JSON object' }]);
  }
  return validated(dto, source, []);
};

const queryOf = (dto: DtoClass, query: Record<string, unknown>): object => {
  try {
    return validated(dto, fromTexts(dto, query), []);
  } catch (error) {
    if (!(error instanceof InvalidInputProblem)) throw error;
    throw new InvalidInputProblem((error.extra.errors ?? []).map((found) => ({ ...found, in: 'query' })));
  }
};

const validated = (dto: DtoClass, source: Record<string, unknown>, errors: FieldError[]): object => {
  const instance = build(dto, source, '', errors);
  if (planOf(dto).fields.size > 0) {
    collect(
      validateSync(instance, { stopAtFirstError: true, validationError: { target: false, value: false } }),
      '',
      errors,
    );
  }
  if (errors.length > 0) throw new InvalidInputProblem(errors);
  normalise(dto, instance as Record<string, unknown>);
  return instance;
};

/** Refuses query parameters that a route does not take; `known` are the names it takes. */
export const refuseUnknownQuery = (
  query: Readonly<Record<string, unknown>>,
  known: ReadonlySet<string>,
): void => {
  const unknown = Object.keys(query).filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new InvalidInputProblem(
    unknown.slice(0, ERRORS_MAX).map((name) => ({
      pointer: pointerTo('', name),
      in: 'query',
      code: 'unknown-parameter',
      detail: 'is not a query parameter of this route',
    })),
  );
};

/** Refuses a body where a route takes none; an empty object passes, since many clients send one. */
export const refuseUnexpectedBody = (body: unknown): void => {
  if (body === undefined || body === null) return;
  if (!isPlainObject(body)) {
    throw new InvalidInputProblem([{ pointer: '', code: 'unexpected-body', detail: 'must be left out' }]);
  }
  const errors: FieldError[] = Object.keys(body)
    .slice(0, ERRORS_MAX)
    .map((name) => ({
      pointer: pointerTo('', name),
      code: 'unknown-field',
      detail: 'is not a field of this request',
    }));
  if (errors.length > 0) throw new InvalidInputProblem(errors);
};

import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { HttpRequest } from '../access/request';
import { InvalidInputProblem } from '../problem/problem';

export const QUERY_NAMES = 'regulars:query-names';
const MIN_POSITION = 'minPosition';
/** Query parameters that are read beside the route's query DTO. */
export const QUERY_NAMES_READ_APART: ReadonlySet<string> = new Set([MIN_POSITION]);
const POSITION_MAX = 2n ** 63n - 1n;

/** A log position as the API writes it: decimal digits, 63 bits. Throws a 422 problem. */
export const parsePosition = (text: unknown, name: string): bigint => {
  const position = typeof text === 'string' && /^\d{1,19}$/.test(text) ? BigInt(text) : null;
  if (position !== null && position <= POSITION_MAX) return position;
  throw new InvalidInputProblem([
    {
      pointer: `/${name}`,
      in: 'query',
      code: 'position',
      detail: 'must be a position that this API answered with',
    },
  ]);
};

const readMinPosition = createParamDecorator((_: unknown, context: ExecutionContext): bigint | undefined => {
  const query = context.switchToHttp().getRequest<HttpRequest>().query as Record<string, unknown>;
  return query[MIN_POSITION] === undefined ? undefined : parsePosition(query[MIN_POSITION], MIN_POSITION);
});

/** Makes query parameters known that a route reads in another way than by a DTO or `@Query(name)`. */
export const acceptQuery = (target: object, key: string | symbol, names: readonly string[]): void => {
  const known = (Reflect.getOwnMetadata(QUERY_NAMES, target, key) as readonly string[] | undefined) ?? [];
  Reflect.defineMetadata(QUERY_NAMES, [...known, ...names], target, key);
};

/** The query parameter `minPosition` as bigint, or undefined; hand it to ReadGate. */
export const MinPosition = (): ParameterDecorator => (target, key, index) => {
  if (key === undefined) throw new Error('@MinPosition() belongs on a parameter of a method.');
  acceptQuery(target, key, [MIN_POSITION]);
  readMinPosition()(target, key, index);
};

/** Rewrites what is of OpenAPI 3.0 in a generated description: `nullable` became a type in 3.1. */
export const inOpenApi31 = <T>(node: T): T => {
  if (Array.isArray(node)) return node.map((item: unknown) => inOpenApi31(item)) as T;
  if (typeof node !== 'object' || node === null) return node;
  const { nullable, ...rest } = node as Record<string, unknown>;
  const written = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, inOpenApi31(value)]));
  if (typeof nullable !== 'boolean')
    return nullable === undefined ? (written as T) : ({ ...written, nullable: inOpenApi31(nullable) } as T);
  if (!nullable) return written as T;
  if (typeof written['type'] === 'string') return { ...written, type: [written['type'], 'null'] } as T;
  return { anyOf: [written, { type: 'null' }] } as T;
};

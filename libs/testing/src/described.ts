type Schema = Readonly<{
  $ref?: string;
  type?: string | readonly string[];
  properties?: Readonly<Record<string, Schema>>;
  required?: readonly string[];
  items?: Schema;
  enum?: readonly unknown[];
}>;

/** An OpenAPI description, as far as `undescribed` reads it. */
export type Description = Readonly<{
  paths: Readonly<Record<string, Readonly<Record<string, Readonly<{ responses: object }>>>>>;
  components: Readonly<{ schemas: Readonly<Record<string, Schema>> }>;
}>;

/**
 * Where an answer is not as it is described: members that the description does not know, required ones that are not there,
 * and values that are none of those listed. One JSON Pointer each; empty where all is as described.
 */
export const undescribed = (
  { paths, components }: Description,
  [method, path, status]: readonly [string, string, number],
  answer: unknown,
): string[] => {
  const responses = (paths[path]?.[method]?.responses ?? {}) as Record<
    string,
    { content?: Record<string, { schema?: Schema }> }
  >;
  const schema = responses[status]?.content?.['application/json']?.schema;
  const faults = (value: unknown, given: Schema | undefined, at: string): string[] => {
    const named = given?.$ref === undefined ? given : components.schemas[given.$ref.split('/').at(-1) ?? ''];
    if (named === undefined) return [`${at}: not described`];
    if (named.enum !== undefined && !named.enum.includes(value)) return [`${at}: not one of its values`];
    if (Array.isArray(value)) return value.flatMap((item, n) => faults(item, named.items, `${at}/${n}`));
    const { properties } = named;
    if (typeof value !== 'object' || value === null || properties === undefined) return [];
    const missing = (named.required ?? []).filter((name) => !(name in value));
    return [
      ...missing.map((name) => `${at}/${name}: missing`),
      ...Object.entries(value).flatMap(([name, inner]) => faults(inner, properties[name], `${at}/${name}`)),
    ];
  };
  return faults(answer, schema, '');
};

import type { RoutePlan } from '../access/request';

const ref = (kind: string, name: string): object => ({ $ref: `#/components/${kind}/${name}` });

/** Parameters that routes read by a decorator of their own, where the generator does not see them. */
export const PARAMETERS_READ_APART: Readonly<Record<string, object>> = {
  minPosition: ref('parameters', 'MinPosition'),
};

/** The headers that a route takes. */
export const headersOf = ({ access }: RoutePlan, path: string): object[] => {
  if (access === null) return [];
  const always = [ref('parameters', 'OnBehalfOf'), ref('parameters', 'Purpose')];
  if (access.command === undefined) return always;
  const isOfContact = path.startsWith('/v1/contacts/');
  return [
    ref('parameters', 'IdempotencyKey'),
    ...(isOfContact ? [ref('parameters', 'IfMatch')] : []),
    ...always,
  ];
};

/** The answers that a route may give because it is a route of this API. */
export const commonResponses = (
  { access, takesBody }: RoutePlan,
  path: string,
  answers: Readonly<Record<string, string>>,
): Record<string, object> => {
  const isCommand = access?.command !== undefined;
  const statuses = [
    ...(isCommand ? [409, 412] : []),
    ...(isCommand || takesBody ? [413, 415] : []),
    // 400 also of what every route takes: the headers of who looks, cursors.
    ...(access === null ? [] : [400, 401, 403, 429]),
    ...(path.includes('{') ? [404, 410] : []),
    422,
    503,
  ];
  return Object.fromEntries([
    ...Object.entries(answers).map(([status, name]) => [status, ref('responses', name)]),
    ...statuses.map((status) => [String(status), ref('responses', 'Problem')]),
  ]) as Record<string, object>;
};

const header = (name: string, description: string, schema: object): object => ({
  name,
  in: 'header',
  required: false,
  description,
  schema,
});

const slug = { type: 'string', pattern: '^[a-z0-9_.-]{1,64}$' };
const requestId = {
  'X-Request-Id': { description: 'Names this request in logs.', schema: { type: 'string', format: 'uuid' } },
};

/** Schemas, parameters and responses that all routes refer to. */
export const commonComponents = (): Readonly<{ schemas: object; parameters: object; responses: object }> => ({
  schemas: {
    Problem: {
      type: 'object',
      description: 'RFC 9457. Some problems carry figures beside these members, such as a balance.',
      required: ['type', 'title', 'status', 'detail', 'instance', 'code', 'requestId'],
      properties: {
        type: { type: 'string', format: 'uri' },
        title: { type: 'string' },
        status: { type: 'integer', minimum: 400, maximum: 599 },
        detail: { type: 'string', description: 'What to change; no personal values.' },
        instance: { type: 'string', description: 'The path, without query.' },
        code: { type: 'string', description: 'Stable; what programs decide by.' },
        requestId: { type: 'string' },
        errors: { type: 'array', items: ref('schemas', 'FieldError') },
      },
    },
    FieldError: {
      type: 'object',
      required: ['pointer', 'code', 'detail'],
      properties: {
        pointer: { type: 'string', description: 'JSON Pointer (RFC 6901).' },
        in: {
          type: 'string',
          enum: ['query', 'path'],
          description: 'Where it points, when not into the body.',
        },
        code: { type: 'string' },
        detail: { type: 'string' },
      },
    },
    CommandAnswer: {
      type: 'object',
      required: ['revision', 'position'],
      properties: {
        revision: { type: 'integer', minimum: 0, description: 'Revision of the stream behind the command.' },
        position: {
          type: 'string',
          description: 'Position in the log; pass it as minPosition to read what was written.',
        },
      },
      additionalProperties: true,
    },
  },
  parameters: {
    IdempotencyKey: header(
      'Idempotency-Key',
      'The same key and payload again within 24 hours is answered as the first time; another payload is refused.',
      { type: 'string', minLength: 1, maxLength: 257 },
    ),
    IfMatch: header('If-Match', 'The ETag that the caller has seen; 412 where the contact moved on.', {
      type: 'string',
    }),
    OnBehalfOf: header('Regulars-On-Behalf-Of', 'Pseudonym of the person behind a shared key.', slug),
    Purpose: header('Regulars-Purpose', 'Why it is done or looked at.', slug),
    MinPosition: {
      name: 'minPosition',
      in: 'query',
      required: false,
      description: 'Waits up to 5 s until what was written at this position can be read; else 503.',
      schema: { type: 'string', pattern: '^[0-9]{1,19}$' },
    },
  },
  responses: {
    Problem: {
      description: 'A problem document.',
      headers: requestId,
      content: { 'application/problem+json': { schema: ref('schemas', 'Problem') } },
    },
    CommandAnswer: {
      description: 'Done.',
      headers: {
        ...requestId,
        ETag: { description: 'On contacts: the revision.', schema: { type: 'string' } },
        'Idempotency-Replayed': {
          description: '`true` on the answer to a repeated command.',
          schema: { type: 'string' },
        },
      },
      content: { 'application/json': { schema: ref('schemas', 'CommandAnswer') } },
    },
    EventStream: {
      description: 'Server-sent events, until one side ends them.',
      headers: requestId,
      content: { 'text/event-stream': { schema: { type: 'string' } } },
    },
    Text: {
      description: 'Text, in UTF-8.',
      headers: requestId,
      content: { 'text/plain': { schema: { type: 'string' } } },
    },
    Bytes: {
      description: 'Bytes.',
      headers: requestId,
      content: { 'application/octet-stream': {} },
    },
    Lines: {
      description: 'One JSON object a line.',
      headers: requestId,
      content: { 'application/x-ndjson': { schema: { type: 'string' } } },
    },
    Answer: {
      description: 'Found.',
      headers: requestId,
      content: { 'application/json': { schema: { type: 'object', additionalProperties: true } } },
    },
  },
});

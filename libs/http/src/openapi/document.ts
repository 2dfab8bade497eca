import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { DeclaredAccessCheck, type DeclaredRoute } from '../access/declared-access.check';
import { commonComponents, commonResponses, headersOf, PARAMETERS_READ_APART } from './common';
import { inOpenApi31 } from './dialect';

/** Where `@ApiProduces` keeps what it was told. */
const PRODUCES = 'swagger/apiProduces';
/** By media type, the shared response that describes an answer that is not JSON. */
const ANSWER_OF_TYPE: Readonly<Record<string, string>> = {
  'text/event-stream': 'EventStream',
  'text/plain': 'Text',
  'application/octet-stream': 'Bytes',
  'application/x-ndjson': 'Lines',
};
const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

type Operation = {
  operationId?: string;
  tags?: string[];
  security?: object[];
  parameters?: object[];
  responses: Record<string, unknown>;
};

/**
 * The OpenAPI 3.1 description of all routes. What every route shares (key, headers, problem documents) is added here, so
 * that controllers describe only their own.
 */
export const openApiDocument = (app: INestApplication): OpenAPIObject => {
  const base = new DocumentBuilder()
    .setTitle('Regulars')
    .setDescription('An open-source, event-sourced backend for customer loyalty.')
    .setVersion('1')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .setOpenAPIVersion('3.1.0')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An API key.' }, 'apiKey')
    .build();
  const document = SwaggerModule.createDocument(app, base, { operationIdFactory: operationId });
  const routes = new Map(
    app
      .get(DeclaredAccessCheck)
      .routes()
      .map((route) => [operationId(route.controller.name, route.method), route]),
  );
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method] as Operation | undefined;
      const route = routes.get(operation?.operationId ?? '');
      if (operation && route) complete(operation, route, path);
    }
  }
  const components = commonComponents();
  document.components = {
    ...document.components,
    ...components,
    schemas: { ...document.components?.schemas, ...components.schemas },
  } as NonNullable<OpenAPIObject['components']>;
  return inOpenApi31(document);
};

/** `PointsController.credit` → `pointsCredit`: unique, since class and method names are. */
const operationId = (controller: string, method: string): string => {
  const subject = controller.replace(/Controller$/, '');
  return (
    subject.charAt(0).toLowerCase() + subject.slice(1) + method.charAt(0).toUpperCase() + method.slice(1)
  );
};

const complete = (operation: Operation, route: DeclaredRoute, path: string): void => {
  const { plan } = route;
  operation.tags = [path.split('/')[2] ?? path];
  operation.security = plan.access === null ? [] : [{ apiKey: [] }];
  const declared = new Set(
    (operation.parameters ?? []).map((parameter) => (parameter as { name?: string }).name),
  );
  operation.parameters = [
    ...(operation.parameters ?? []),
    ...Object.entries(PARAMETERS_READ_APART)
      .filter(([name]) => plan.queryNames.has(name) && !declared.has(name))
      .map(([, parameter]) => parameter),
    ...headersOf(plan, path),
  ];
  operation.responses = {
    ...commonResponses(plan, path, answersOf(operation, route)),
    ...described(operation.responses),
  };
};

/**
 * By status, the name of the shared response that describes it as long as the route does not. A refusal that other routes do not
 * give is named by a bare `@ApiNotFoundResponse()` and the like, beside a bare `@ApiOkResponse()`.
 */
const answersOf = (
  { responses }: Operation,
  { controller, method, plan }: DeclaredRoute,
): Record<string, string> => {
  const produces = Reflect.getMetadata(
    PRODUCES,
    (controller.prototype as Record<string, object>)[method]!,
  ) as unknown;
  const kind = Array.isArray(produces) ? ANSWER_OF_TYPE[String(produces[0])] : undefined;
  const name = kind ?? (plan.access?.command === undefined ? 'Answer' : 'CommandAnswer');
  return Object.fromEntries(
    Object.keys(responses).map((status) => [status, status.startsWith('2') ? name : 'Problem']),
  );
};

const described = (responses: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(responses).filter(([, response]) => !isBare(response)));

/** What the generator writes for a route that does not describe its answer. */
const isBare = (response: unknown): boolean => {
  const { content, description } = response as { content?: unknown; description?: string };
  return content === undefined && !description;
};

import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';

const error = (properties: object, required: string[]): object => ({
  type: 'object',
  properties,
  required,
  additionalProperties: true,
});
const text = { type: 'string' };
const told = (description: string, schema: object = text): object => ({ ...schema, description });
const gatewayCode = told("The gateway's own word for it; missing where the provider's answer is passed on.");
const requestId = told('Of the call, in the log and in the bill.');
const message = told('What is wrong, and what to do.');

/** The shapes `renderError` gives; written here because no controller returns them. */
const ERROR_SCHEMAS = {
  Problem: error(
    {
      type: told('`urn:openclawmu:error:` and the code.'),
      title: told('What is wrong, the same for each error of the code.'),
      status: told('As in the status line.', { type: 'integer' }),
      detail: told('What is wrong in this case, and what to do.'),
      code: told('What a program should act on.'),
      requestId: told('Of the request, in the log and in the audit log.'),
      fields: told('With `validation_failed`: which fields, and what is wrong with each.', {
        type: 'array',
        items: error({ field: text, problem: text }, ['field', 'problem']),
      }),
      moreFields: told('How many more are wrong than `fields` names, if there are such.', { type: 'integer' }),
    },
    ['type', 'title', 'status', 'detail', 'code', 'requestId'],
  ),
  OpenAiError: error(
    {
      error: error({ message, type: text, param: { ...text, nullable: true }, code: text, gateway_code: gatewayCode }, [
        'message',
        'type',
        'code',
      ]),
      request_id: requestId,
    },
    ['error'],
  ),
  AnthropicError: error(
    {
      type: told('`error`'),
      error: error({ type: text, message, gateway_code: gatewayCode }, ['type', 'message']),
      request_id: requestId,
    },
    ['type', 'error'],
  ),
};

const DESCRIPTION = `One gateway for every department's language models.

Admins authorise with an admin key (\`ak_…\`), departments with a tenant token (\`tk_…\`); neither opens the other's routes.
Errors outside \`/v1\` are RFC 9457 problem documents; under \`/v1\` they have the shape of the API that was called.
Amounts are decimal strings in the currency of the rate card, instants are UTC.`;

export function describeApi(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('OpenClawMU')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addServer('/', 'This gateway')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An admin key: `ak_…`' }, 'adminKey')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'A tenant token: `tk_…`' }, 'tenantToken')
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    operationIdFactory: (_, method) => method,
  });
  document.paths = byName(document.paths);
  document.components = {
    ...document.components,
    schemas: byName({ ...document.components?.schemas, ...ERROR_SCHEMAS }),
  };
  sortEnums(document);
  freeDefaults(document.paths);
  return document;
}

/** Nest lists them as the modules come, and a module that moves should not rewrite the committed document. */
const byName = <T>(members: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1)));

/**
 * The plugin lists the members of a union type as the compiler happens to number them, which another file may change; the
 * committed document must not depend on it.
 */
function sortEnums(part: unknown): void {
  if (typeof part !== 'object' || part === null) return;
  for (const [name, value] of Object.entries(part)) {
    if (name === 'enum' && Array.isArray(value)) value.sort();
    else sortEnums(value);
  }
}

/** The plugin takes a property with a default for one that must be given; a client made from the document would insist on it. */
function freeDefaults(paths: OpenAPIObject['paths']): void {
  for (const operations of Object.values(paths) as Record<string, { parameters?: Parameter[] }>[])
    for (const { parameters = [] } of Object.values(operations))
      for (const parameter of parameters) if (parameter.schema?.default !== undefined) parameter.required = false;
}

interface Parameter {
  required?: boolean;
  readonly schema?: { readonly default?: unknown };
}

/** Swagger UI at /docs, the document at /docs/openapi.json. */
export function serveDocs(app: INestApplication): void {
  SwaggerModule.setup('docs', app, () => describeApi(app), {
    jsonDocumentUrl: 'docs/openapi.json',
    yamlDocumentUrl: 'docs/openapi.yaml',
    customSiteTitle: 'OpenClawMU API',
    swaggerOptions: {
      tagsSorter: 'alpha',
      requestInterceptor: (request: { headers: Record<string, string> }) => {
        request.headers['x-openclawmu-client'] = 'swagger';
        return request;
      },
    },
  });
}

const WHY = 'the API description holds no data';

/** What `serveDocs` mounts beside the controllers, for the check that every route is declared. */
export const DOCS_ROUTES: Readonly<Record<string, string>> = Object.fromEntries(
  [
    '',
    '/',
    '/LICENSE',
    '/docs/swagger-ui-init.js',
    '/index.html',
    '/openapi.json',
    '/openapi.yaml',
    '/swagger-ui-init.js',
  ].map((path) => [`GET /docs${path}`, WHY]),
);

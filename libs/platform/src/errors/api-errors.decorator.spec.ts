import 'reflect-metadata';
import { ApiErrors } from './api-errors.decorator';
import { ERRORS, type ErrorCode } from './catalogue';
import type { Dialect } from './render';

interface Documented {
  readonly description: string;
  readonly content: Record<string, { schema: { $ref: string }; examples: Record<string, { value: object }> }>;
}

/** What the OpenAPI document will say about a route that is decorated so. */
function documented(codes?: readonly ErrorCode[], dialect?: Dialect): Record<string, Documented> {
  class Routes {
    @ApiErrors(codes, dialect)
    route(this: void): void {
      // only its decoration matters
    }
  }
  return Reflect.getMetadata('swagger/apiResponse', Routes.prototype.route) as Record<string, Documented>;
}

it('documents what every authenticated route can answer', () => {
  expect(Object.keys(documented())).toEqual(['401', '403', '500', '503']);
});

it('gives each status its codes, each once, with an example as it is rendered', () => {
  const { '404': missing } = documented(['tenant_not_found', 'token_not_found', 'tenant_not_found']);
  const problem = missing?.content['application/problem+json'];
  expect(Object.keys(problem?.examples ?? {})).toEqual(['tenant_not_found', 'token_not_found']);
  expect(problem?.schema.$ref).toBe('#/components/schemas/Problem');
  expect(problem?.examples.token_not_found?.value).toMatchObject({ status: 404, code: 'token_not_found' });
  expect(missing?.description).toBe(
    '`tenant_not_found`: There is no such tenant.\n\n`token_not_found`: There is no such token.',
  );
});

it.each<[Dialect, string, string]>([
  ['openai', 'application/json', 'OpenAiError'],
  ['anthropic', 'application/json', 'AnthropicError'],
  ['problem', 'application/problem+json', 'Problem'],
])('speaks the dialect %s', (dialect, mediaType, schema) => {
  const { '429': spent } = documented(['budget_exceeded'], dialect);
  expect(Object.keys(spent?.content ?? {})).toEqual([mediaType]);
  expect(spent?.content[mediaType]?.schema.$ref).toBe(`#/components/schemas/${schema}`);
  expect(JSON.stringify(spent?.content[mediaType]?.examples)).toContain('"budget_exceeded"');
});

it('can document every code there is', () => {
  const all = Object.keys(ERRORS) as ErrorCode[];
  const shown = Object.values(documented(all)).flatMap(({ content }) =>
    Object.values(content).flatMap(({ examples }) => Object.keys(examples)),
  );
  expect(shown.sort()).toEqual([...all].sort());
});

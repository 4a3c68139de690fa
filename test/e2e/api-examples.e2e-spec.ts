import { createDepartment, type Department } from '../support/department';
import { Gateway } from '../support/gateway';

interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly example?: unknown;
  readonly default?: unknown;
  readonly pattern?: string;
  readonly maximum?: number;
}

interface Media {
  readonly schema: Schema;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
}

/** Bodies that Swagger UI puts before whoever tries a route; somebody who changes nothing in one must not be told that it is wrong. */
let gateway: Gateway;
let department: Department;
let document: Document;

beforeAll(async () => {
  // The catalogue's example is a model of OpenAI's.
  gateway = await Gateway.start({ env: { OPENAI_API_KEY: 'sk-not-used' } });
  department = await createDepartment(gateway, { id: 'legal' });
  await createDepartment(gateway, { id: 'finance' });
  document = await gateway.must<Document & Record<string, unknown>>('GET', '/docs/openapi.json', undefined, '');
});
afterAll(() => gateway.remove());

/** A value as Swagger UI makes one up from a schema. @throws Error where that would be noise that somebody has to take out first */
function madeUp(schema: Schema, where: string): unknown {
  if (schema.example !== undefined) return schema.example;
  if (schema.default !== undefined) return schema.default;
  if (schema.$ref) return madeUp(document.components.schemas[schema.$ref.split('/').at(-1) as string] as Schema, where);
  if (schema.additionalProperties === true) throw new Error(`${where} may have any member, and has no example`);
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((part) => madeUp(part, where)));
  if (schema.enum) return schema.enum[0];
  if (schema.type === 'array') return [madeUp(schema.items as Schema, `${where}[]`)];
  if (schema.type === 'boolean') return true;
  if (schema.properties)
    return Object.fromEntries(
      Object.entries(schema.properties).map(([name, each]) => [name, madeUp(each, `${where}.${name}`)]),
    );
  throw new Error(`${where} has no example`);
}

function bodies(): [string, string, string, unknown][] {
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, { requestBody }]) => {
      const media = requestBody?.content['application/json'];
      if (!media) return [];
      const { examples, example = media.schema.example } = media;
      const given = examples ? Object.entries(examples).map(([name, { value }]) => [name, value] as const) : null;
      const all = given ?? [['example', example ?? madeUp(media.schema, `${method} ${path}`)] as const];
      return all.map(([name, body]): [string, string, string, unknown] => [method.toUpperCase(), path, name, body]);
    }),
  );
}

test('every body that Swagger UI offers is taken as it stands', async () => {
  const faults: string[] = [];
  // Models first: there will be a policy, which demands a header of them.
  const offered = bodies().sort(([, a], [, b]) => Number(b.startsWith('/v1/')) - Number(a.startsWith('/v1/')));
  expect(offered.length).toBeGreaterThan(30);
  for (const [method, path, name, body] of offered) {
    const key = path.startsWith('/api/v1/admin/') ? undefined : department.token;
    const url = path.replace('{tenantId}', 'legal').replace(/\{\w+\}/g, 'nobody');
    const { status, text } = await gateway.call(method, url, body, key);
    // What a path names may not be there, or be in another state; the body was looked at before.
    if (status >= 300 && status !== 404 && status !== 409)
      faults.push(`${method} ${path} (${name}): ${status} ${text}`);
  }
  expect(faults).toEqual([]);
});

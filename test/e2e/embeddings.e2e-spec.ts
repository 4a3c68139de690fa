import type OpenAI from 'openai';
import type { Books } from '../support/books';
import { costNanosOf, createDepartment, eventually } from '../support/department';
import type { FakeProvider } from '../support/fake-provider';
import { failureOf, openaiClient } from '../support/fake-provider/sdk-clients';
import type { Gateway } from '../support/gateway';
import { GatewayWorld } from '../support/gateway-world';

/** Vectors, with the official SDK: it asks for base64 unless told otherwise, and decodes it. */

let world: GatewayWorld;
let fake: FakeProvider;
let gateway: Gateway;
let books: Books;

beforeAll(async () => {
  world = await GatewayWorld.open();
  ({ books, fake, gateway } = world);
});
afterAll(() => world.close());

const rowsOf = (tenant: string) =>
  eventually(
    () =>
      books.query(
        'SELECT status, reason, input_tokens::int AS input, output_tokens::int AS output, cost_nanos FROM ledger WHERE tenant_id = $1',
        [tenant],
      ),
    ({ length }) => length > 0,
  );

const embed = (token: string, body: Partial<OpenAI.EmbeddingCreateParams>) =>
  openaiClient(gateway.url, token).embeddings.create({ model: 'fake', input: 'Hello!', ...body });

type Format = OpenAI.EmbeddingCreateParams['encoding_format'];

test.each<[what: string, input: string | string[] | number[] | number[][], format: Format, count: number]>([
  ['one text', 'Hello!', undefined, 1],
  ['texts, as numbers', ['Hello!', 'Good bye!'], 'float', 2],
  ['texts, in base64', ['Hello!', 'Good bye!', ''], 'base64', 3],
  ['token ids', [1, 2, 3], undefined, 1],
  ['several of them', [[1, 2], [3]], undefined, 2],
])('%s are answered and billed as the provider counted', async (what, input, format, count) => {
  const department = await createDepartment(gateway, { budget: '1.00' });
  const model = `fake-i${100 + count}-s${what.length}`;
  const answer = await embed(department.token, {
    model,
    input,
    ...(format && { encoding_format: format }),
  });
  expect(answer.data).toHaveLength(count);
  const [first] = answer.data;
  if (format === 'base64')
    expect(first?.embedding).toBe(Buffer.from(Float32Array.from([0, 0.125, 0.25, 0.375]).buffer).toString('base64'));
  else expect(first?.embedding).toEqual([0, 0.125, 0.25, 0.375]);
  expect(answer.usage).toEqual({ prompt_tokens: 100 + count, total_tokens: 100 + count });
  const cost = costNanosOf(fake.tally(model).tokens);
  expect(await rowsOf(department.id)).toEqual([
    { status: 'actual', reason: null, input: 100 + count, output: 0, cost_nanos: String(cost) },
  ]);
});

test('a budget holds what the texts can cost and nothing for an answer', async () => {
  const department = await createDepartment(gateway, { budget: '0.01' });
  await embed(department.token, {});
  const error = await failureOf(embed(department.token, { input: 'x'.repeat(4_000) }));
  expect(error).toMatchObject({ status: 429, code: 'insufficient_quota' });
});

test('vectors without a usage are billed as an estimate of the texts', async () => {
  const department = await createDepartment(gateway, { budget: '1.00' });
  await embed(department.token, { model: 'fake-u', input: 'x'.repeat(4_000) });
  const [row] = await rowsOf(department.id);
  expect(row).toMatchObject({ status: 'estimated', reason: 'usage_missing', output: 0 });
  expect(row?.['input']).toBeGreaterThan(1_000);
  expect(row?.['input']).toBeLessThan(1_100);
});

test('a refusal of the provider comes in its own words and costs nothing', async () => {
  const department = await createDepartment(gateway, { budget: '1.00' });
  expect(await failureOf(embed(department.token, { model: 'fake-e400' }))).toMatchObject({ status: 400 });
  expect(await rowsOf(department.id)).toMatchObject([{ status: 'actual', input: 0, cost_nanos: '0' }]);
});

test('a model of another dialect has none', async () => {
  const { token } = await createDepartment(gateway);
  expect(await failureOf(embed(token, { model: 'claude/fake' }))).toMatchObject({
    status: 400,
    error: { gateway_code: 'dialect_not_supported' },
  });
});

test('the built-in model makes some without a key: the same for the same text, of length 1', async () => {
  const { token } = await createDepartment(gateway);
  const { data } = await embed(token, { model: 'local/demo', input: ['a', 'b', 'a'], dimensions: 64 });
  const [a, b, again] = data.map(({ embedding }) => embedding) as [number[], number[], number[]];
  expect(a).toHaveLength(64);
  expect(Math.hypot(...a)).toBeCloseTo(1, 5);
  expect(again).toEqual(a);
  expect(b).not.toEqual(a);
});

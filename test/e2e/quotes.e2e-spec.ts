import { Books } from '../support/books';
import { createDepartment, eventually, fakeProviders, offerFakeModels, type Department } from '../support/department';
import { readExposition } from '../support/exposition';
import { FakeProvider } from '../support/fake-provider';
import { Gateway } from '../support/gateway';
import { expectNothingLeft } from '../support/processes';

/** Worst cases near the edge of a budget: counted before anything is refused, shortened where the tenant chose so, and fair. */

let fake: FakeProvider;
let gateway: Gateway;
let books: Books;

beforeAll(async () => {
  fake = await FakeProvider.start();
  gateway = await Gateway.start({ providers: fakeProviders(fake), config: { budgets: { waitMs: 60_000 } } });
  await offerFakeModels(gateway);
  await gateway.must('PUT', '/api/v1/admin/models/fake-n4-counted', {
    provider: 'fake-openai',
    upstreamModel: 'fake-n4-i15000',
    displayName: 'Counted',
    contextTokens: 200_000,
    maxOutputTokens: 1_000,
    tokenizer: 'o200k_base',
  });
  books = await Books.open(gateway.place.database);
});
afterAll(async () => {
  await books.close();
  await gateway.remove();
  await fake.close();
  await expectNothingLeft(gateway.place.folder);
});

const PATHS = { openai: '/v1/chat/completions', anthropic: '/v1/messages' } as const;

const ask = (
  dialect: keyof typeof PATHS,
  { token }: Department,
  body: object,
  signal?: AbortSignal,
): Promise<Response> =>
  fetch(gateway.url + PATHS[dialect], {
    method: 'POST',
    ...(signal ? { signal } : {}),
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'anthropic-version': '2023-06-01',
    },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'Hello!' }], ...body }),
  });

const chooseShorterAnswers = ({ token }: Department): Promise<unknown> =>
  gateway.must('PATCH', '/api/v1/tenant', { settings: { clampOutput: true } }, token);

test('a long prompt that its bytes alone would have refused is counted, and admitted', async () => {
  const department = await createDepartment(gateway, { budget: '0.20' });
  const messages = [{ role: 'user', content: 'The quick brown fox jumps over the lazy dog. '.repeat(1_500) }];
  expect((await ask('openai', department, { model: 'fake-n4', max_tokens: 100, messages })).status).toBe(429);
  expect((await ask('openai', department, { model: 'fake-n4-counted', max_tokens: 100, messages })).status).toBe(200);
  // By the provider, where that counts.
  expect((await ask('anthropic', department, { model: 'claude/fake-n4', max_tokens: 100, messages })).status).toBe(200);
  expect(fake.requests.filter(({ path }) => path.endsWith('/count_tokens'))).toHaveLength(1);
});

test.each([
  ['openai', 'fake-n900', false],
  ['openai', 'fake-n900', true],
  ['anthropic', 'claude/fake-n900', false],
  ['anthropic', 'claude/fake-n900', true],
] as const)(
  'a tenant that chose so gets as much as its budget covers: %s, %s, stream: %s',
  async (dialect, model, stream) => {
    const department = await createDepartment(gateway, { budget: '0.012' });
    const body = { model, max_tokens: 1_000, stream };
    expect((await ask(dialect, department, body)).status).toBe(429);
    await chooseShorterAnswers(department);
    const answer = await eventually(
      () => ask(dialect, department, body),
      ({ status }) => status === 200,
    );
    const limit = Number(answer.headers.get('x-openclawmu-output-clamped'));
    expect(limit).toBeGreaterThan(256);
    expect(limit).toBeLessThan(1_000);
    expect(await answer.text()).toMatch(/"(?:finish_reason":"length|stop_reason":"max_tokens)"/);
    const rows = await eventually(
      () => books.query('SELECT status, output_tokens FROM ledger WHERE tenant_id = $1', [department.id]),
      ({ length }) => length > 0,
    );
    expect(rows).toEqual([{ status: 'actual', output_tokens: String(limit) }]);
  },
);

test('many calls that ask for very long answers all get through a small budget, one after the other', async () => {
  const department = await createDepartment(gateway, { budget: '0.03' });
  const calls = Array.from({ length: 40 }, () =>
    ask('openai', department, { model: 'fake-n2', max_tokens: 1_000 }).then(async (answer) => {
      await answer.text();
      return answer.status;
    }),
  );
  expect(new Set(await Promise.all(calls))).toEqual(new Set([200]));
  const [budget] = await eventually(
    () =>
      books.query(
        `SELECT spent, leased, limit_amount FROM budget_windows
         WHERE tenant_id = $1 AND metric = 'cost' AND limit_amount IS NOT NULL`,
        [department.id],
      ),
    ([window]) => window?.['leased'] === '0',
    30_000,
  );
  const [ledger] = await books.query('SELECT count(*), sum(cost_nanos) FROM ledger WHERE tenant_id = $1', [
    department.id,
  ]);
  expect(ledger).toEqual({ count: '40', sum: budget?.['spent'] });
  expect(BigInt(String(budget?.['spent'])) <= BigInt(String(budget?.['limit_amount']))).toBe(true);
}, 120_000);

test('whoever leaves while it waits for budget leaves the queue, and holds nothing', async () => {
  const department = await createDepartment(gateway, { budget: '0.03' });
  const body = { model: 'fake-n4-h2-i3', stream: true, max_tokens: 1_000 };
  const first = await ask('openai', department, body);
  const upstream = await fake.waitForRequest(body.model);
  const leaving = new AbortController();
  const waiting = ask('openai', department, { model: 'fake-n3', max_tokens: 1_000 }, leaving.signal);
  const left = waiting.catch((error: unknown) => error);
  const [active, held] = ['openclawmu_active_calls', 'openclawmu_open_holds'];
  const standing = async (): Promise<(number | undefined)[]> => {
    const samples = readExposition((await gateway.call('GET', '/metrics')).text);
    return [active, held].map((wanted) => samples.find(({ name }) => name === wanted)?.value);
  };
  await eventually(standing, ([calls]) => calls === 2);
  leaving.abort();
  await left;
  await eventually(standing, ([calls, holds]) => calls === 1 && holds === 1);
  expect(fake.requests.some(({ model }) => model === 'fake-n3')).toBe(false);
  upstream.resume();
  await first.text();
  expect((await ask('openai', department, { model: 'fake-n4', max_tokens: 1_000 })).status).toBe(200);
});

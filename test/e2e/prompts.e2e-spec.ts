import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { eventually } from '../support/department';
import { Gateway, type Answer } from '../support/gateway';
import { ScriptedProvider, silent, streaming, whole } from '../support/scripted-provider';

/** The prompt log of the built gateway: off twice, kept encrypted, read with a record. The tests follow each other. */

const PROMPT = 'the acquisition of Brightwater closes on Friday';
const ANSWER = 'nobody outside the department knows';
const HEADER = 'x-openclawmu-prompt-log';
const keyOf = (id: string): object => ({ id, key: randomBytes(32).toString('base64') });
const [first, second] = [keyOf('first'), keyOf('second')];

let provider: ScriptedProvider;
let providers: Record<string, unknown>;
let gateway: Gateway;
let owner: Client;
let token = '';

beforeAll(async () => {
  provider = await ScriptedProvider.start();
  providers = { own: { dialect: 'openai', internal: true, apiKey: 'k', baseUrl: provider.url } };
  gateway = await Gateway.start({ providers });
  await gateway.must('PUT', '/api/v1/admin/models/m', {
    ...{ provider: 'own', upstreamModel: 'm', displayName: 'm', contextTokens: 8_000, maxOutputTokens: 100 },
  });
  const prices = [{ model: 'm', input: '3', output: '15' }];
  await gateway.must('POST', '/api/v1/admin/rate-cards', { currency: 'USD', note: 'test', prices });
  await gateway.must('POST', '/api/v1/admin/tenants', { id: 'finance', name: 'Finance' });
  const created = await gateway.must<{ token: string }>('POST', '/api/v1/admin/tenants/finance/tokens', {
    ...{ label: 't', role: 'owner' },
  });
  token = created.token;
  owner = new Client({ connectionString: gateway.place.database.superuserUrl });
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await gateway.remove();
  await provider.close();
});
beforeEach(() => {
  const message = { role: 'assistant', content: ANSWER };
  provider.play(whole({}, { choices: [{ index: 0, message, finish_reason: 'stop' }] }));
});

const ask = (stream = false, content = PROMPT): Promise<Answer> =>
  gateway.call(
    'POST',
    '/v1/chat/completions',
    { model: 'm', stream, max_tokens: 10, messages: [{ role: 'user', content }] },
    token,
  );
const idOf = ({ headers }: Answer): string => headers.get('x-openclawmu-request-id') as string;
const rows = async (): Promise<number> => (await owner.query('SELECT 1 FROM openclawmu.prompt_log')).rowCount ?? 0;
const show = (id: string, key?: string) =>
  gateway.call<{ request: string; answer: string; keyId: string }>(
    'GET',
    `/api/v1/admin/prompts/${id}`,
    undefined,
    key,
  );
const shown = (id: string) =>
  eventually(
    () => show(id),
    ({ status }) => status === 200,
  );
const audited = async (action: string): Promise<{ target: { id: string }; actor: { id: string } }[]> =>
  (
    await gateway.must<{ items: { action: string; target: { id: string }; actor: { id: string } }[] }>(
      'GET',
      '/api/v1/admin/audit?limit=200',
    )
  ).items.filter((record) => record.action === action);

async function reload(promptLog: object): Promise<void> {
  const before = (await audited('config.reloaded')).length;
  await gateway.configure({ promptLog });
  process.kill(gateway.process.pid as number, 'SIGHUP');
  await eventually(
    () => audited('config.reloaded'),
    ({ length }) => length > before,
  );
}

test('off in the configuration, or for the tenant, nothing is kept', async () => {
  await gateway.must('PATCH', '/api/v1/admin/tenants/finance', { promptLog: true });
  expect((await ask()).headers.get(HEADER)).toBeNull();
  await gateway.must('PATCH', '/api/v1/admin/tenants/finance', { promptLog: false });
  await reload({ enabled: true, keys: [first] });
  expect((await ask()).headers.get(HEADER)).toBeNull();
  expect(await rows()).toBe(0);
});

test('a tenant sees that it is on, and cannot change it', async () => {
  await gateway.must('PATCH', '/api/v1/admin/tenants/finance', { promptLog: true });
  expect(await gateway.must('GET', '/api/v1/tenant', undefined, token)).toMatchObject({ promptLog: true });
  const models = await eventually(
    () => gateway.call('GET', '/v1/models', undefined, token),
    ({ headers }) => headers.get(HEADER) === 'kept',
  );
  expect(models.status).toBe(200);
  for (const body of [{ promptLog: false }, { settings: { promptLog: false } }])
    expect((await gateway.call('PATCH', '/api/v1/tenant', body, token)).body).toMatchObject({
      code: 'setting_reserved',
    });
});

test('request and answer are kept as they were, whole and streamed, and only encrypted', async () => {
  const answer = await ask();
  expect(answer.headers.get(HEADER)).toBe('kept');
  const told = (await shown(idOf(answer))).body;
  expect(JSON.parse(told.request)).toMatchObject({ messages: [{ content: PROMPT }] });
  expect(told.answer).toBe(answer.text);
  provider.play(streaming('piece ', 'by piece'));
  const stream = await ask(true);
  expect((await shown(idOf(stream))).body.answer).toBe(stream.text);
  const { rows: found } = await owner.query<{ found: boolean }>(
    `SELECT bool_or(position($1::bytea IN sealed) > 0 OR prompt_log::text LIKE '%' || $2 || '%') AS found FROM openclawmu.prompt_log`,
    [Buffer.from(PROMPT), PROMPT],
  );
  expect(found).toEqual([{ found: false }]);
  expect(gateway.logs).not.toContain('Brightwater');
});

test('each look is in the audit log, and only an administrator may look', async () => {
  const { items } = await gateway.must<{ items: { requestId: string }[] }>(
    'GET',
    '/api/v1/admin/prompts?tenant=finance',
  );
  expect(items.length).toBeGreaterThanOrEqual(2);
  const [listed] = await audited('prompts.listed');
  expect(listed).toMatchObject({ target: { id: 'finance' }, actor: { id: 'root' } });
  const id = items[0]?.requestId as string;
  const before = (await audited('prompt.read')).length;
  await shown(id);
  expect((await audited('prompt.read')).slice(0, 1)).toMatchObject([{ target: { id }, actor: { id: 'root' } }]);
  for (const key of [gateway.place.keys.finance, gateway.place.keys.security, token])
    expect((await show(id, key)).status).toBe(403);
  expect(await audited('prompt.read')).toHaveLength(before + 1);
  expect(await show('req_00000000000000000000000000000000')).toMatchObject({
    status: 404,
    body: { code: 'prompt_not_found' },
  });
});

test('a key is rotated by a reload: old entries open while their key is listed', async () => {
  const old = idOf(await ask());
  expect((await shown(old)).body.keyId).toBe('first');
  await reload({ enabled: true, keys: [second, first] });
  const fresh = idOf(await ask());
  expect((await shown(fresh)).body.keyId).toBe('second');
  expect((await show(old)).status).toBe(200);
  await reload({ enabled: true, keys: [second] });
  expect(await show(old)).toMatchObject({ status: 409, body: { code: 'prompt_key_missing' } });
});

test('what a policy masks is kept masked, and what it refuses is not kept', async () => {
  const people = { name: 'people', action: 'mask', on: 'both', detect: ['personal_data'] };
  const words = { name: 'words', action: 'refuse', on: 'request', words: ['Brightwater'] };
  await gateway.must('PUT', '/api/v1/admin/tenants/finance/policy', { rules: [people, words] });
  const refused = await eventually(
    () => ask(),
    ({ status }) => status === 400,
  );
  expect(refused.headers.get(HEADER)).toBeNull();
  const message = { role: 'assistant', content: 'ask bob@example.com' };
  provider.play(whole({}, { choices: [{ index: 0, message, finish_reason: 'stop' }] }));
  const answer = await ask(false, 'write to ann@example.com');
  const { request, answer: kept } = (await shown(idOf(answer))).body;
  expect([request, kept].map((text) => text.includes('[email removed]'))).toEqual([true, true]);
  expect(request + kept).not.toContain('@example.com');
  expect((await show(idOf(refused))).status).toBe(404);
  await gateway.must('PUT', '/api/v1/admin/tenants/finance/policy', { rules: [] });
  await eventually(
    () => ask(),
    ({ status }) => status === 200,
  );
});

test('killed before it could write, it has noted every answer that was given, and what was sent and not answered', async () => {
  await shown(idOf(await ask()));
  const before = await rows();
  await owner.query('BEGIN; LOCK TABLE openclawmu.prompt_log IN ACCESS EXCLUSIVE MODE');
  const answers = [await ask(), await ask(), await ask()];
  provider.play(silent);
  const unanswered = ask().catch(() => undefined);
  await eventually(
    () => Promise.resolve(provider.asked.length),
    (asked) => asked === 1,
  );
  await gateway.kill();
  await owner.query('ROLLBACK');
  await unanswered;
  expect(await rows()).toBe(before);

  const { place } = gateway;
  gateway = await Gateway.start({ place, providers, config: { promptLog: { enabled: true, keys: [second] } } });
  await eventually(rows, (count) => count === before + 4);
  for (const answer of answers) expect((await shown(idOf(answer))).body.answer).toBe(answer.text);
  const { items } = await gateway.must<{ items: { requestId: string; status: number; whole: boolean }[] }>(
    'GET',
    '/api/v1/admin/prompts?tenant=finance&limit=1',
  );
  expect(items).toMatchObject([{ status: 0, whole: false }]);
  expect(JSON.parse((await shown(items[0]?.requestId as string)).body.request)).toMatchObject({
    messages: [{ content: PROMPT }],
  });
  const metrics = await gateway.call('GET', '/metrics');
  expect(metrics.text).toContain('openclawmu_prompt_log_recovered_total 4');
});

test('what waits is written before the end', async () => {
  await shown(idOf(await ask()));
  const before = await rows();
  for (let i = 0; i < 5; i++) await ask();
  expect(await gateway.stop()).toBe(0);
  expect(await rows()).toBe(before + 5);
});

import { BadRequestError as AnthropicBadRequest } from '@anthropic-ai/sdk';
import type Anthropic from '@anthropic-ai/sdk';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import type OpenAI from 'openai';
import { BadRequestError } from 'openai';
import { createDepartment, eventually, type Department } from '../support/department';
import { readExposition } from '../support/exposition';
import type { FakeProvider } from '../support/fake-provider';
import { anthropicClient, collect, failureOf, openaiClient } from '../support/fake-provider/sdk-clients';
import type { Gateway } from '../support/gateway';
import { GatewayWorld } from '../support/gateway-world';

/** What a department's calls have to obey, on every route, with the official SDKs. */
let world: GatewayWorld;
let fake: FakeProvider;
let gateway: Gateway;
let probes = 0;

const KEY = `sk-ant-${'aB3'.repeat(20)}`;
const ANN = 'ann@example.com';
const MASK = '[email removed]';
const ADMIN = '/api/v1/admin';
const keyNamed = (id: string) => ({ id, key: randomBytes(32).toString('base64') });
const SEAL_KEY = keyNamed('2026-11');

beforeAll(async () => {
  const promptLog = { enabled: true, keys: [keyNamed('log')] };
  world = await GatewayWorld.open({ config: { thoughts: { keys: [SEAL_KEY] }, promptLog } });
  ({ fake, gateway } = world);
  // Each piece ends in the middle of an address, which the next one goes on with.
  fake.script('fake-mail', { text: 'nn@example.com and a', chunks: 4 });
  fake.script('claude/fake-mail', { text: 'nn@example.com and a', chunks: 4 });
  const toolCall = { name: 'send', arguments: { to: ANN, card: 4111111111111111, note: 'x\n"y"' } };
  for (const model of ['fake-call', 'claude/fake-call']) fake.script(model, { toolCall });
  for (const model of ['fake-leak', 'claude/fake-leak'])
    fake.script(model, { text: `${KEY.slice(20)} ${KEY.slice(0, 20)}`, chunks: 50, gapMs: 5 });
});
afterAll(() => world.close());

interface Rule {
  readonly name: string;
  readonly action: 'refuse' | 'mask';
  readonly on: 'request' | 'answer' | 'both';
  readonly [what: string]: unknown;
}

/** As it is sent; wrong members are a test too. */
interface Policy {
  readonly rules?: readonly Rule[];
  readonly [member: string]: unknown;
}

const people = (on: Rule['on'] = 'both'): Rule => ({ name: 'people', action: 'mask', on, detect: ['personal_data'] });
const keys = (on: Rule['on'] = 'both'): Rule => ({ name: 'keys', action: 'refuse', on, detect: ['secrets'] });

/** Sets a policy and waits until the process obeys it. */
async function obey(policy: Policy, { id, token }: Department): Promise<void> {
  const probe = `probe${++probes}`;
  const rules = [...(policy.rules ?? []), { name: 'probe', action: 'refuse', on: 'request', words: [probe] }];
  await gateway.must('PUT', `${ADMIN}/tenants/${id}/policy`, { ...policy, rules });
  const count = { model: 'claude/fake', messages: [{ role: 'user', content: probe }] };
  await eventually(async () => {
    const told = await gateway.call('POST', '/v1/messages/count_tokens', count, token);
    return /"(prompt_refused|header_required)"/.test(told.text);
  });
}

async function department(policy: Policy): Promise<Department> {
  const made = await createDepartment(gateway, { budget: '100.00' });
  await obey(policy, made);
  return made;
}

const said = (content: unknown) => [{ role: 'user' as const, content }] as never;

describe('a rule for requests', () => {
  let own: Department;
  beforeAll(async () => {
    own = await department({ rules: [people('request'), keys('request')] });
  });

  test.each(['fake-n1', 'claude/fake-n1'])('masks what reaches %s in all dialects, and says so', async (model) => {
    const openai = openaiClient(gateway.url, own.token);
    const messages = said(`Write to ${ANN}.`);
    const calls = [
      () => openai.chat.completions.create({ model, messages, user: ANN }).withResponse(),
      () => openai.responses.create({ model, input: `Write to ${ANN}.` }).withResponse(),
      () => anthropicClient(gateway.url, own.token).messages.create({ model, messages, max_tokens: 5 }).withResponse(),
      () => openai.chat.completions.create({ model, messages, stream: true }).withResponse(),
    ];
    for (const call of calls) {
      const { response } = await call();
      expect(response.headers.get('x-openclawmu-masked')).toBe('people');
      await response.text().catch(() => undefined);
      const received = JSON.stringify(fake.requests.at(-1)?.json);
      expect(received).toContain(`Write to ${MASK}.`);
      expect(received).not.toContain(ANN);
    }
  });

  test('lets others pass while it looks through a text that was made to take long', async () => {
    const other = await createDepartment(gateway, { budget: '100.00' });
    const call = { model: 'fake-n1', messages: said(`${'sk-'.repeat(1_000_000)} ${KEY}`) };
    const long = request(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${own.token}`, 'content-type': 'application/json' },
    });
    let status = 0;
    long.on('response', (response) => {
      status = response.statusCode as number;
      response.resume();
    });
    long.end(JSON.stringify(call));
    await once(long, 'finish');
    let passed = 0;
    for (; status === 0; passed++)
      await gateway.must('POST', '/v1/chat/completions', { ...call, messages: said('Hello') }, other.token);
    expect(status).toBe(400);
    // One or two are through before all of the long one is read, and one comes behind it, if it is looked through at once.
    expect(passed).toBeGreaterThan(10);
  });

  test('masks texts for vectors and texts to be counted', async () => {
    await gateway.must('POST', '/v1/embeddings', { model: 'fake', input: [ANN] }, own.token);
    expect(fake.requests.at(-1)?.json).toMatchObject({ input: [MASK] });
    const count = { model: 'claude/fake', messages: said(ANN) };
    await gateway.must('POST', '/v1/messages/count_tokens', count, own.token);
    expect(fake.requests.at(-1)?.json).toMatchObject({ messages: [{ content: MASK }] });
    const refused = await gateway.call(
      'POST',
      '/v1/messages/count_tokens',
      { ...count, messages: said(KEY) },
      own.token,
    );
    expect(refused).toMatchObject({ status: 400, body: { error: { gateway_code: 'prompt_refused' } } });
  });

  test('refuses before anything is sent or held, in the words of each SDK, and does not repeat what it found', async () => {
    const calls = fake.requests.length;
    const openai = openaiClient(gateway.url, own.token);
    const failures = [
      await failureOf(openai.chat.completions.create({ model: 'fake', messages: said(`It is ${KEY}`) })),
      await failureOf(openai.responses.create({ model: 'fake', input: 'x', instructions: KEY, stream: true })),
      await failureOf(openai.embeddings.create({ model: 'fake', input: KEY })),
      await failureOf(
        anthropicClient(gateway.url, own.token).messages.create({
          ...{ model: 'claude/fake', max_tokens: 5, messages: said([{ type: 'text', text: KEY }]) },
        }),
      ),
    ];
    for (const failure of failures) {
      expect(failure instanceof BadRequestError || failure instanceof AnthropicBadRequest).toBe(true);
      expect(String((failure as Error).message)).toContain('"keys"');
      expect(JSON.stringify(failure)).not.toContain(KEY.slice(7));
    }
    expect(fake.requests).toHaveLength(calls);
    expect(gateway.logs).not.toContain(KEY.slice(7));
  });

  test('looks at the query and the headers that a provider gets, and at no others', async () => {
    const request = { model: 'claude/fake-n1', max_tokens: 5, messages: said('x') };
    const ask = (query: string, headers: Record<string, string>) =>
      gateway.call('POST', `/v1/messages${query}`, request, own.token, {
        'anthropic-version': '2023-06-01',
        ...headers,
      });
    const masked = await ask(`?beta=true&to=${ANN}`, { 'x-claude-code-user': ANN, 'x-internal': KEY });
    expect(masked.headers.get('x-openclawmu-masked')).toBe('people');
    expect(fake.requests.at(-1)?.headers['x-claude-code-user']).toBe(MASK);
    expect(fake.requests.at(-1)?.url).toBe('/v1/messages?beta=true&to=%5Bemail+removed%5D');
    expect((await ask('', { 'anthropic-beta': KEY })).body).toMatchObject({
      error: { gateway_code: 'prompt_refused', where: 'the header "anthropic-beta"' },
    });
    expect((await ask(`?x=${KEY}`, {})).body).toMatchObject({ error: { where: 'the query' } });
  });

  test('refuses what nobody can look into, unless that is allowed', async () => {
    const image = { type: 'image_url' as const, image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } };
    const ask = () =>
      gateway.call('POST', '/v1/chat/completions', { model: 'fake-n1', messages: said([image]) }, own.token);
    expect(await ask()).toMatchObject({ status: 400, body: { error: { gateway_code: 'prompt_uninspectable' } } });
    const open = await department({ rules: [people('request')], uninspectable: 'allow' });
    const answer = await gateway.call(
      'POST',
      '/v1/chat/completions',
      { model: 'fake-n1', messages: said([image]) },
      open.token,
    );
    expect(answer.status).toBe(200);
  });

  test('leaves a record of whom it refused and how often, and a figure', async () => {
    await gateway.call('POST', '/v1/responses', { model: 'fake', input: KEY }, own.token);
    interface Refusal {
      readonly actor: { id: string };
      readonly target: { id: string };
      readonly after: unknown;
    }
    const { items } = await eventually(
      () =>
        gateway.must<{ items: Refusal[] }>('GET', `${ADMIN}/audit?action=access.refused&tenant=${own.id}&limit=200`),
      (page) => page.items.some(({ target }) => target.id === 'POST /v1/responses'),
    );
    expect(items.find(({ target }) => target.id === 'POST /v1/responses')).toMatchObject({
      actor: { id: own.tokenId },
      after: { code: 'prompt_refused', status: 400, found: { keys: 1 } },
    });
    expect(JSON.stringify(items)).not.toContain(KEY.slice(7));
    const samples = readExposition((await gateway.call('GET', '/metrics')).text);
    const counted = (labels: object) =>
      samples.find(
        (sample) =>
          sample.name === 'openclawmu_policy_findings_total' &&
          Object.entries(labels).every(([name, value]) => sample.labels[name] === value),
      )?.value;
    expect(counted({ rule: 'keys', action: 'refuse', on: 'request' })).toBeGreaterThan(4);
    expect(counted({ rule: 'people', action: 'mask', on: 'request' })).toBeGreaterThan(8);
  });
});

describe('a rule for answers', () => {
  let own: Department;
  beforeAll(async () => {
    own = await department({ rules: [people('answer'), keys('answer')] });
  });
  const WHOLE = `${`${MASK} and `.repeat(4)}a`;

  test.each(['fake-mail', 'claude/fake-mail'])(
    'masks the text of %s whole and in streams, for each SDK',
    async (model) => {
      const openai = openaiClient(gateway.url, own.token);
      const anthropic = anthropicClient(gateway.url, own.token);
      const messages = said('x');
      const { data, response } = await openai.chat.completions.create({ model, messages }).withResponse();
      expect(data.choices[0]?.message.content).toBe(WHOLE);
      expect(response.headers.get('x-openclawmu-masked')).toBe('people');
      expect((await openai.responses.create({ model, input: 'x' })).output_text).toBe(WHOLE);
      expect((await anthropic.messages.create({ model, messages, max_tokens: 50 })).content).toMatchObject([
        { text: WHOLE },
      ]);

      const chunks = await collect(openai.chat.completions.create({ model, messages, stream: true }));
      expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(WHOLE);
      const stream = anthropic.messages.stream({ model, messages, max_tokens: 50 });
      let told = '';
      stream.on('text', (text) => (told += text));
      expect((await stream.finalMessage()).content).toMatchObject([{ text: WHOLE }]);
      expect(told).toBe(WHOLE);
      const events = await collect(openai.responses.create({ model, input: 'x', stream: true }));
      expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, i) => i));
      expect(events.map((event) => (event.type === 'response.output_text.delta' ? event.delta : '')).join('')).toBe(
        WHOLE,
      );
      expect(events.at(-1)).toMatchObject({
        type: 'response.completed',
        response: { output: [{ content: [{ text: WHOLE }] }] },
      });
      expect(JSON.stringify(events)).not.toContain('ann@');
    },
  );

  test.each(['fake-call', 'claude/fake-call'])(
    'masks the arguments of a call of %s, which stay JSON',
    async (model) => {
      const expected = { to: MASK, card: '[payment card removed]', note: 'x\n"y"' };
      const openai = openaiClient(gateway.url, own.token);
      const messages = said('x');
      const parameters = { type: 'object' as const, properties: {} };
      const tools = [{ type: 'function' as const, function: { name: 'send', parameters } }];
      const stream = openai.chat.completions.stream({ model, messages, tools });
      const call = (await stream.finalChatCompletion()).choices[0]?.message.tool_calls?.[0];
      expect(JSON.parse((call as OpenAI.ChatCompletionMessageFunctionToolCall).function.arguments)).toEqual(expected);
      const items = await openai.responses
        .stream({ model, input: 'x', tools: [{ type: 'function', name: 'send', parameters, strict: false }] })
        .finalResponse();
      const item = items.output.find(
        ({ type }) => type === 'function_call',
      ) as OpenAI.Responses.ResponseFunctionToolCall;
      expect(JSON.parse(item.arguments)).toEqual(expected);
      const request = { model, messages, max_tokens: 500, tools: [{ name: 'send', input_schema: parameters }] };
      const anthropic = anthropicClient(gateway.url, own.token);
      const inputs = [
        await anthropic.messages.create(request),
        await anthropic.messages.stream(request).finalMessage(),
      ];
      for (const { content } of inputs)
        expect(content.find(({ type }) => type === 'tool_use')).toMatchObject({ input: expected });
    },
  );

  test.each(['fake-leak', 'claude/fake-leak'])('refuses the answer of %s, and ends the work on it', async (model) => {
    const openai = openaiClient(gateway.url, own.token);
    const messages = said('x');
    const whole = await failureOf(openai.chat.completions.create({ model, messages }));
    expect(whole).toMatchObject({ status: 400, error: { gateway_code: 'answer_refused', rule: 'keys' } });

    const aborted = fake.tally().aborted;
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    const failure = await failureOf(collect(openai.chat.completions.create({ model, messages, stream: true }), chunks));
    expect(String((failure as Error).message)).toContain('answer');
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(`${KEY.slice(20)} `);
    await fake.waitFor((provider) => provider.tally().aborted > aborted);
    const anthropic = anthropicClient(gateway.url, own.token);
    const other = await failureOf(anthropic.messages.stream({ model, messages, max_tokens: 900 }).finalMessage());
    expect(String((other as Error).message)).toContain('"keys"');

    // What was made of the answers is billed, and the refusals are on record.
    const usage = '/api/v1/tenant/usage/requests?limit=3';
    const rows = () => gateway.must<{ items: { outcome: string; cost: string }[] }>('GET', usage, undefined, own.token);
    const { items } = await eventually(
      rows,
      (page) => page.items.filter(({ outcome }) => outcome === 'aborted').length === 2,
    );
    for (const { cost } of items) expect(Number(cost)).toBeGreaterThan(0);
    await eventually(
      () =>
        gateway.must<{ items: { after: { code: string } }[] }>(
          'GET',
          `${ADMIN}/audit?action=access.refused&tenant=${own.id}&limit=200`,
        ),
      (page) => page.items.filter(({ after }) => after.code === 'answer_refused').length >= 3,
    );
  });

  test.each([
    'messages.1.content.0: Invalid `signature` in `thinking` block',
    'messages.1.content.0: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified.',
  ])('says what to do where a masked thought was sent back: %s', async (message) => {
    const model = 'claude/fake-altered';
    fake.script(model, { error: { status: 400, message } });
    const ask = { model, max_tokens: 50, messages: said('x') };
    const told = await failureOf(anthropicClient(gateway.url, own.token).messages.create(ask));
    expect(told).toMatchObject({ status: 400, error: { error: { gateway_code: 'thought_masked' } } });
    const { token } = await createDepartment(gateway, { budget: '100.00' });
    const unmasked = await failureOf(anthropicClient(gateway.url, token).messages.create(ask));
    expect(String((unmasked as Error).message)).toContain(message);
  });

  test('leaves alone what has nothing in it', async () => {
    const { token } = await createDepartment(gateway, { budget: '100.00' });
    const ask = async (key: string) => {
      const answer = await gateway.call(
        'POST',
        '/v1/chat/completions',
        { model: 'fake-n3', messages: said('x'), stream: true },
        key,
      );
      return answer.text.replace(/chatcmpl-\w+|"created":\d+/g, '');
    };
    expect(await ask(own.token)).toBe(await ask(token));
  });

  test('does not listen to spoken answers', async () => {
    const speaking = {
      model: 'fake-n1',
      messages: said('x'),
      modalities: ['text', 'audio'],
      audio: { voice: 'alloy' },
    };
    const told = await gateway.call('POST', '/v1/chat/completions', speaking, own.token);
    expect(told.body).toMatchObject({ error: { gateway_code: 'prompt_uninspectable' } });
  });
});

describe('a thought that was masked', () => {
  const MODEL = 'claude/fake-think';
  const THOUGHT = `First I write to ${ANN}, then "wait".`;
  const SIGNED = { type: 'thinking', thinking: THOUGHT, signature: 'RmFrZVNpZ25hdHVyZQ==' };
  const tools = [{ name: 'send', input_schema: { type: 'object' as const } }];
  const question = { role: 'user' as const, content: 'Tell her.' };
  const asked = { model: MODEL, max_tokens: 500, tools, messages: [question] };
  const received = () => fake.requests.at(-1)?.json as { messages: { content: unknown[] }[] };
  let own: Department;

  beforeAll(async () => {
    own = await department({ rules: [people('both')] });
    await gateway.must('PATCH', `${ADMIN}/tenants/${own.id}`, { promptLog: true });
    await eventually(async () => (await gateway.call('GET', '/v1/models', undefined, own.token)).headers.has(KEPT));
    const toolCall = { name: 'send', arguments: { to: 'her' } };
    fake.script(MODEL, { thought: THOUGHT, tokens: { reasoning: 5 }, toolCall });
  });
  const KEPT = 'x-openclawmu-prompt-log';

  /** The request with which a client goes on, as Claude Code does: all of the answer, and what its tools say. */
  const next = ({ content }: Anthropic.Message) => ({
    ...asked,
    messages: [
      question,
      { role: 'assistant' as const, content },
      {
        role: 'user' as const,
        content: content.flatMap((block) =>
          block.type === 'tool_use'
            ? [{ type: 'tool_result' as const, tool_use_id: block.id, content: `Sent to ${ANN}.` }]
            : [],
        ),
      },
    ],
  });

  test('goes back to the provider as it was written and signed, in a loop of tools', async () => {
    const client = anthropicClient(gateway.url, own.token);
    let message: Anthropic.Message = await client.messages.stream(asked).finalMessage();
    for (const isStream of [false, true]) {
      const [thought] = message.content;
      expect(thought).toMatchObject({ thinking: `First I write to ${MASK}, then "wait".` });
      expect((thought as Anthropic.ThinkingBlock).signature).toMatch(/^openclawmu:thought:1:2026-11:/);
      const request = next(message);
      const told = isStream
        ? await client.messages.stream(request).withResponse()
        : await client.messages.create(request).withResponse();
      const sent = received().messages;
      expect(sent[1]?.content[0]).toEqual(SIGNED);
      expect(sent[2]?.content).toMatchObject([{ content: `Sent to ${MASK}.` }]);
      const id = told.response.headers.get('x-openclawmu-request-id');
      message = 'finalMessage' in told.data ? await told.data.finalMessage() : told.data;
      const kept = await eventually(
        () => gateway.call<{ request: string; answer: string }>('GET', `${ADMIN}/prompts/${id}`),
        ({ status }) => status === 200,
      );
      expect(JSON.parse(kept.body.request)).toMatchObject({ messages: [{}, { content: [thought, {}] }, {}] });
      for (const text of [kept.text, JSON.stringify(message)]) expect(text).not.toMatch(/ann@|RmFrZVNpZ25hdHVyZQ/);
    }
    await gateway.must('POST', '/v1/messages/count_tokens', { ...next(message), max_tokens: undefined }, own.token);
    expect(received().messages[1]?.content[0]).toEqual(SIGNED);
    expect(gateway.logs).not.toContain(ANN);
  });

  test('does so through clients of other dialects', async () => {
    const openai = openaiClient(gateway.url, own.token);
    const ask = { model: MODEL, messages: [question] };
    const { choices } = await openai.chat.completions.create(ask);
    const said = choices[0]?.message as OpenAI.ChatCompletionMessage;
    expect(JSON.stringify(said)).not.toContain('ann@');
    const result = { role: 'tool' as const, tool_call_id: said.tool_calls?.[0]?.id ?? '', content: 'Sent.' };
    await openai.chat.completions.create({ ...ask, messages: [question, said, result] });
    expect(received().messages[1]?.content[0]).toEqual(SIGNED);

    const stream = openai.responses.stream({ model: MODEL, input: [question] });
    const { output } = await stream.finalResponse();
    expect(JSON.stringify(output)).not.toContain('ann@');
    const [, call] = output as [unknown, OpenAI.Responses.ResponseFunctionToolCall];
    const answered = { type: 'function_call_output' as const, call_id: call.call_id, output: 'Sent.' };
    await openai.responses.create({
      model: MODEL,
      input: [question, ...output, answered] as OpenAI.Responses.ResponseInput,
    });
    expect(received().messages[1]?.content[0]).toEqual(SIGNED);
  });

  test('is refused if it was altered, or comes from another department or by another key, and put back while its key is there', async () => {
    const message = await anthropicClient(gateway.url, own.token).messages.create(asked);
    const request = next(message);
    const version = { 'anthropic-version': '2023-06-01' };
    const ask = (body: unknown, { token }: Department) => gateway.call('POST', '/v1/messages', body, token, version);
    const other = await department({ rules: [people('answer')] });
    const none = await createDepartment(gateway, { budget: '100.00' });
    const calls = fake.requests.length;
    const altered = JSON.parse(JSON.stringify(request).replace('First', 'Last')) as object;
    const where = 'messages[1].content[0]';
    expect(await ask(altered, own)).toMatchObject({
      status: 400,
      body: { error: { gateway_code: 'thought_altered', where } },
    });
    for (const stranger of [other, none])
      for (const body of [request, altered])
        expect(await ask(body, stranger)).toMatchObject({
          status: 400,
          body: { error: { gateway_code: 'thought_foreign' } },
        });
    expect(fake.requests).toHaveLength(calls);
    const found = await eventually(
      () =>
        gateway.must<{ items: { after: object }[] }>('GET', `${ADMIN}/audit?action=access.refused&tenant=${other.id}`),
      ({ items }) => items.length > 1,
    );
    expect(found.items[0]?.after).toMatchObject({ code: 'thought_foreign', status: 400 });

    const withKeys = async (...keys: object[]) => {
      await gateway.configure({ thoughts: { keys } });
      process.kill(gateway.process.pid as number, 'SIGHUP');
    };
    const signature = async (): Promise<string> =>
      JSON.stringify((await anthropicClient(gateway.url, own.token).messages.create(asked)).content[0]);
    await withKeys(keyNamed('2027-01'), SEAL_KEY);
    await eventually(async () => (await signature()).includes('openclawmu:thought:1:2027-01:'));
    expect((await ask(request, own)).status).toBe(200);
    expect(received().messages[1]?.content[0]).toEqual(SIGNED);
    await withKeys();
    await eventually(async () => (await signature()).includes(SIGNED.signature));
    expect(await ask(request, own)).toMatchObject({
      status: 400,
      body: { error: { gateway_code: 'thought_foreign' } },
    });
  });
});

describe('a policy', () => {
  test('limits output, on every route, in what is held too', async () => {
    const own = await department({ maxOutputTokens: 7 });
    const request = { model: 'fake-n20', messages: said('x') };
    const lowered = await gateway.call('POST', '/v1/chat/completions', { ...request, max_tokens: 500 }, own.token);
    expect(fake.requests.at(-1)?.json).toMatchObject({ max_tokens: 7 });
    expect(lowered.headers.get('x-openclawmu-output-clamped')).toBe('7');
    await gateway.must('POST', '/v1/chat/completions', request, own.token);
    expect(fake.requests.at(-1)?.json).toMatchObject({ max_tokens: 7 });
    await gateway.must('POST', '/v1/responses', { model: 'fake-n20', input: 'x' }, own.token);
    expect(fake.requests.at(-1)?.json).toMatchObject({ max_output_tokens: 7 });
    await gateway.must('POST', '/v1/messages', { ...request, model: 'fake-n20', max_tokens: 500 }, own.token);
    expect(fake.requests.at(-1)?.json).toMatchObject({ max_output_tokens: 7 });
    const short = await gateway.call(
      'POST',
      '/v1/messages',
      { ...request, model: 'claude/fake-n2', max_tokens: 5 },
      own.token,
    );
    expect(fake.requests.at(-1)?.json).toMatchObject({ max_tokens: 5 });
    expect(short.headers.get('x-openclawmu-output-clamped')).toBeNull();
    const thinking = { ...request, max_tokens: 500, thinking: { type: 'enabled', budget_tokens: 100 } };
    const told = await gateway.call('POST', '/v1/messages', { ...thinking, model: 'claude/fake-n2' }, own.token);
    expect(told).toMatchObject({ status: 400, body: { error: { gateway_code: 'validation_failed' } } });

    // The worst case of 1,000 tokens would be 0.015.
    const poor = await createDepartment(gateway, { budget: '0.01' });
    expect((await gateway.call('POST', '/v1/chat/completions', request, poor.token)).status).toBe(429);
    await obey({ maxOutputTokens: 7 }, poor);
    expect((await gateway.call('POST', '/v1/chat/completions', request, poor.token)).status).toBe(200);
  });

  test('requires headers, which no provider sees', async () => {
    const requiredHeaders = [
      { name: 'x-cost-center', values: ['CC-100'] },
      { name: 'x-ticket', pattern: 'T-[0-9]+' },
    ];
    const own = await department({ requiredHeaders });
    const ask = (headers: Record<string, string>) =>
      gateway.call('POST', '/v1/messages', { model: 'claude/fake-n1', max_tokens: 5, messages: said('x') }, own.token, {
        'anthropic-version': '2023-06-01',
        ...headers,
      });
    const missing = await ask({ 'x-ticket': 'T-1' });
    expect(missing).toMatchObject({
      status: 400,
      body: { error: { gateway_code: 'header_required', header: 'x-cost-center' } },
    });
    expect(missing.text).toContain('one of CC-100');
    const wrong = await ask({ 'x-cost-center': 'CC-100', 'x-ticket': 'T-1 ' + 'x' });
    expect(wrong.body).toMatchObject({ error: { header: 'x-ticket' } });
    expect((await ask({ 'x-cost-center': 'CC-100', 'x-ticket': 'T-1' })).status).toBe(200);
    expect(fake.requests.at(-1)?.headers).not.toHaveProperty('x-cost-center');
  });

  test('for all tenants holds beside their own, which adds to it', async () => {
    const own = await department({ maxOutputTokens: 50, rules: [people('request')], uninspectable: 'allow' });
    const all = {
      maxOutputTokens: 9,
      rules: [{ name: 'project', action: 'refuse', on: 'request', words: ['Falcon'] }],
    };
    await gateway.must('PUT', `${ADMIN}/policy`, all);
    const ask = (content: unknown) =>
      gateway.call('POST', '/v1/chat/completions', { model: 'fake-n20', messages: said(content) }, own.token);
    await eventually(async () => (await ask('a falcon')).status === 400);
    await ask(ANN);
    expect(fake.requests.at(-1)?.json).toMatchObject({ messages: [{ content: MASK }], max_tokens: 9 });
    expect(await ask([{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }])).toMatchObject({
      body: { error: { gateway_code: 'prompt_uninspectable' } },
    });
    const shown = await gateway.must('GET', '/api/v1/tenant/policy', undefined, own.token);
    expect(shown).toMatchObject({
      maxOutputTokens: 9,
      uninspectable: 'refuse',
      rules: [
        { name: 'project', action: 'refuse', on: 'request', detect: ['words'] },
        { name: 'people', detect: ['personal_data'] },
        { name: 'probe' },
      ],
    });
    expect(JSON.stringify(shown)).not.toMatch(/Falcon/i);
    await gateway.must('DELETE', `${ADMIN}/policy`);
    await eventually(async () => (await ask('a falcon')).status === 200);
  });

  test('can be tried without a model, and without being set', async () => {
    const { id } = await department({ rules: [people(), keys()] });
    const calls = fake.requests.length;
    const test = (body: object) => gateway.must('POST', `${ADMIN}/policy/tests`, body);
    expect(await test({ tenant: id, text: `${ANN}, ${ANN}` })).toEqual({
      refused: false,
      findings: [{ rule: 'people', action: 'mask', count: 2 }],
      text: `${MASK}, ${MASK}`,
    });
    expect(await test({ tenant: id, text: KEY, on: 'answer' })).toEqual({
      refused: true,
      findings: [{ rule: 'keys', action: 'refuse', count: 1 }],
      text: null,
    });
    const policy = { rules: [{ name: 'tickets', action: 'mask', on: 'request', pattern: 'T-[0-9]{2,4}' }] };
    expect(await test({ tenant: id, policy, text: `T-123 ${ANN}` })).toMatchObject({
      text: `[tickets removed] ${ANN}`,
    });
    expect(fake.requests).toHaveLength(calls);
  });

  test.each([
    [{ rules: [{ ...people(), pattern: 'x' }] }, 'one of detect, pattern and words'],
    [{ rules: [{ ...people(), detect: ['nonsense'] }] }, 'must be one of secrets'],
    [{ rules: [people(), people()] }, 'is "people" a second time'],
    [{ rules: [{ name: 'x', action: 'mask', on: 'both', pattern: 'a+' }] }, 'can match without end'],
    [{ rules: [{ name: 'Falcon', action: 'mask', on: 'both', words: ['falcon'] }] }, 'is what the rule itself finds'],
    [{ requiredHeaders: [{ name: 'authorization' }] }, 'passed on'],
    [{ requiredHeaders: [{ name: 'x-a', pattern: '(' }] }, 'is not a pattern'],
    [{ maxOutputToken: 5 }, 'maxOutputToken'],
  ])('that makes no sense is not taken: %j', async (policy, why) => {
    const { id } = await createDepartment(gateway);
    const told = await gateway.call('PUT', `${ADMIN}/tenants/${id}/policy`, policy);
    expect(told.status).toBe(400);
    expect(told.text).toContain(JSON.stringify(why).slice(1, -1));
  });
});

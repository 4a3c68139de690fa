import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClientHome, type Client, type Run } from '../support/client-program';
import { createDepartment, eventually, fakeProviders, offerFakeModels, type Department } from '../support/department';
import { FakeProvider, type Behaviour, type ReceivedRequest } from '../support/fake-provider';
import { publishedPages } from '../support/docs/page';
import { readExposition, type Sample } from '../support/exposition';
import { Gateway } from '../support/gateway';
import { expectNothingLeft } from '../support/processes';

/** The clients that departments use, as they come from the registry: nothing is changed but an address and a token. */
let fake: FakeProvider;
let gateway: Gateway;
let department: Department;
let home: ClientHome;

beforeAll(async () => {
  fake = await FakeProvider.start();
  // By the names of their makers' models the clients know what to send.
  const routes = { 'gpt-5.5': { targets: ['fake-n6'] } };
  gateway = await Gateway.start({ providers: fakeProviders(fake), config: { routes } });
  await offerFakeModels(gateway);
  department = await createDepartment(gateway, { budget: '1000.00' });
  home = await ClientHome.open();
});
afterAll(async () => {
  await home.close();
  await gateway.remove();
  await fake.close();
  await expectNothingLeft(gateway.place.folder);
});
afterEach(() => expect(home.strangers).toEqual([]));

const words = (count: number): string => 'lorem '.repeat(count);
const weather = { name: 'get_weather', arguments: { city: 'Zürich', days: [1, 2, 3] } };
const said = (run: Run): string => `${run.stdout}\n${run.stderr}`;

async function program(name: string, ...args: string[]): Promise<Record<string, unknown>> {
  const run = await home.program(name, args, { TOKEN: department.token }).done;
  if (run.code !== 0) throw new Error(said(run));
  const lines = run.stdout.trim().split('\n');
  return Object.fromEntries(lines.map((line) => JSON.parse(line) as [string, unknown]));
}

describe('SDKs', () => {
  test.each(['openai', 'openai-4'])('%s', async (version) => {
    expect(await program('openai', version, gateway.url)).toEqual({
      ...{ whole: words(3), streamed: words(3), called: weather.arguments, after: words(2), response: words(3) },
      ...{ vector: [0, 0.125, 0.25, 0.375], model: 'local/demo' },
    });
  });

  test.each(['@anthropic-ai/sdk', 'anthropic-sdk-0'])('%s', async (version) => {
    expect(await program('anthropic', version, gateway.url)).toEqual({
      ...{ whole: words(3), streamed: words(3), called: weather.arguments, after: words(2), beta: words(1) },
      ...{ counted: true, model: 'local/demo', models: true },
    });
  });

  test('the AI SDK, with both providers', async () => {
    const turns: readonly [Behaviour, ...Behaviour[]] = [{ toolCall: weather }, { chunks: 2 }];
    fake.script('fake-tool-once', ...turns, ...turns);
    fake.script('claude/fake-tool-once', ...turns);
    const answers = { whole: words(3), streamed: words(3), after: words(2) };
    const of = (wire: string) => Object.entries(answers).map(([what, text]) => [`${wire} ${what}`, text]);
    expect(await program('ai', gateway.url)).toEqual({
      ...(Object.fromEntries(['responses', 'chat', 'messages'].flatMap(of)) as object),
      called: weather.arguments,
    });
  });

  test('LangChain, with both providers', async () => {
    const answers = { whole: words(3), streamed: words(3), called: weather.arguments, after: words(2) };
    const of = (wire: string) => Object.entries(answers).map(([what, value]) => [`${wire} ${what}`, value]);
    expect(await program('langchain', gateway.url)).toEqual({
      ...(Object.fromEntries(['chat', 'responses', 'messages'].flatMap(of)) as object),
      vector: [0, 0.125, 0.25, 0.375],
    });
  });
});

/** A block of the developers' page, for this gateway. */
function snippet(language: string, mark: string): string {
  const page = publishedPages().find(({ path }) => path === 'docs/developer.md');
  const block = page?.blocks.find(
    (each) => each.language === language && each.lines.some((line) => line.includes(mark)),
  );
  if (!block) throw new Error(`the page has no ${language} with ${mark}`);
  return block.lines.join('\n').replaceAll('http://127.0.0.1:18789', gateway.url);
}

test.each(['@ai-sdk/openai', '@langchain/openai'])('the page’s example with %s works', async (mark) => {
  const { code, stdout, stderr } = await home.script(snippet('js', `'${mark}'`), { TOKEN: department.token }).done;
  expect({ code, stdout, stderr }).toMatchObject({ code: 0, stdout: 'This is local/demo,\n'.repeat(3) });
});

interface Cli {
  /** Starts it with one task, to end with the answer. */
  ask(model: string, token?: string): Promise<Client>;
  readonly family: string;
  /** How often it asks with a key that is refused. */
  readonly attempts: number;
  readonly fileTool: (path: string) => NonNullable<Behaviour['toolCall']>;
}

const claude: Cli = {
  family: 'claude/fake',
  attempts: 1,
  ask: (model, token = department.token) => {
    const page = snippet('sh', 'ANTHROPIC_BASE_URL')
      .replaceAll(/claude-(sonnet|haiku)-5-5/g, model)
      .replace('"$TOKEN"', token);
    const env = Object.fromEntries([...page.matchAll(/^export (\w+)=(\S+)/gm)].map(([, name, value]) => [name, value]));
    return Promise.resolve(home.claude(['-p', 'What does note.txt say?'], env as Record<string, string>));
  },
  fileTool: (file_path) => ({ name: 'Read', arguments: { file_path } }),
};

const codex: Cli = {
  family: 'fake',
  // Whatever the answer says: it takes a refusal for a stream that broke off.
  attempts: 6,
  ask: async (model, token = department.token) => {
    const settings = snippet('toml', 'wire_api').replace('gpt-5.4', model);
    await writeFile(join(home.folder, 'config.toml'), settings);
    const args = ['exec', '--skip-git-repo-check', '--sandbox', 'danger-full-access', 'What does note.txt say?'];
    return home.codex(args, { CODEX_HOME: home.folder, OPENCLAWMU_TOKEN: token });
  },
  fileTool: (path) => ({ name: 'exec_command', arguments: { cmd: `cat '${path}'` } }),
};

const run = async (cli: Cli, model: string, token?: string): Promise<Run> => (await cli.ask(model, token)).done;
/** Calls that were refused for the key so far. */
const refusals = async (): Promise<number> => {
  const { text } = await gateway.call('GET', '/metrics');
  const of = ({ name, labels }: Sample) =>
    name === 'openclawmu_refusals_total' && labels['reason'] === 'credentials_invalid';
  return readExposition(text).find(of)?.value ?? 0;
};
const callsOf = (model: string): ReceivedRequest[] => fake.requests.filter((request) => request.model === model);

describe.each([
  ['Claude Code', claude, 'fake'],
  ['Codex', codex, 'claude/fake'],
])('%s', (_, cli, foreign) => {
  test('answers, with the answer of its model', async () => {
    const { code, stdout, stderr } = await run(cli, `${cli.family}-n7`);
    expect({ code, stdout, stderr }).toMatchObject({ code: 0, stdout: expect.stringContaining(words(7).trim()) });
  });

  test.each([cli.family, foreign])('uses a tool of its own, and brings %s what that found', async (family) => {
    const model = `${family}-with-a-tool-of-${cli === claude ? 'claude' : 'codex'}`;
    const note = join(home.folder, 'note.txt');
    await writeFile(note, 'The password is swordfish.\n');
    fake.script(model, { toolCall: cli.fileTool(note) }, { text: 'I know it. ', chunks: 1 });
    const done = await run(cli, model);
    expect({ ...done, code: done.code }).toMatchObject({ code: 0, stdout: expect.stringContaining('I know it.') });
    const calls = callsOf(model);
    expect(calls.at(-1)?.mentions('The password is swordfish.')).toBe(true);
    expect(calls.every(({ outcome }) => outcome === 'completed')).toBe(true);
  });

  test('says what is wrong with a token that was revoked, after no more calls than it is known for', async () => {
    const { token } = await createDepartment(gateway);
    await gateway.must('POST', '/api/v1/admin/tokens/revoke', { token });
    const before = await refusals();
    const done = await run(cli, `${cli.family}-n1`, token);
    expect(done.code).toBe(1);
    expect(said(done)).toContain('401');
    expect(said(done)).toContain('ask your gateway administrator for a new one');
    expect((await refusals()) - before).toBe(cli.attempts);
  });

  test('says that the budget is spent', async () => {
    const { token } = await createDepartment(gateway, { budget: '0.000001' });
    const done = await run(cli, `${cli.family}-n1-s8`, token);
    expect(done.code).toBe(1);
    // Codex has words of its own for it.
    expect(said(done)).toMatch(cli === claude ? /resets at \d{4}-\d\d-\d\dT/ : /Quota exceeded/);
  });

  test('gets over a provider that is overloaded for a while', async () => {
    const model = `${cli.family}-n3-s7`;
    fake.script(model, { error: 529 }, { error: 529 }, { chunks: 3, text: 'again ' });
    const done = await run(cli, model);
    expect({ ...done, code: done.code }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('again again again'),
    });
    expect(callsOf(model).map(({ outcome }) => outcome)).toEqual(['refused', 'refused', 'completed']);
  });

  test('ends the call of the provider when it is killed, and what was said is billed', async () => {
    const { id, token } = await createDepartment(gateway, { budget: '1000.00' });
    const model = `${cli.family}-n500-g20`;
    const client = await cli.ask(model, token);
    const call = await fake.waitForRequest(model);
    await fake.waitFor(() => call.pieces >= 3);
    client.kill();
    await fake.waitFor(() => call.outcome === 'aborted');
    const rows = await eventually(
      () =>
        gateway.must<{ items: { status: string; outcome: string }[] }>(
          ...(['GET', `/api/v1/admin/usage/requests?tenant=${id}`] as const),
        ),
      ({ items }) => items.length > 0,
    );
    expect(rows.items).toMatchObject([{ status: 'estimated', outcome: 'aborted' }]);
  });
});

test('Codex does without the search on the web that it sends with models it knows', async () => {
  const { code, stdout } = await run(codex, 'gpt-5.5');
  expect([code, stdout.trim()]).toEqual([0, words(6).trim()]);
  const tools = callsOf('fake-n6').at(-1)?.json['tools'] as { type: string; execution?: string }[];
  expect(tools.map(({ type }) => type)).not.toContain('web_search');
  expect(tools).toContainEqual(expect.objectContaining({ type: 'tool_search', execution: 'client' }));
});

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, stat } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '../support/department';
import { anthropicClient, collect, openaiClient } from '../support/fake-provider/sdk-clients';
import { listening, MAIN } from '../support/gateway';
import { runGateway } from '../support/gateway-run';
import { expectNothingLeft } from '../support/processes';

/** The start as a newcomer sees it: an empty folder, no configuration, no PostgreSQL, no provider. */
const CLI = resolve(__dirname, '../../bin/openclawmu.mjs');
const messages = [{ role: 'user' as const, content: 'Hello!' }];

/** Making a database and building its schema takes seconds, on a busy machine many. */
jest.setTimeout(120_000);

interface Running {
  readonly process: ChildProcess;
  readonly url: string;
  readonly printed: string;
}

let root: string;
let folder: string;
let port: number;
const children: ChildProcess[] = [];

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'start-')));
  // Longer than the path of a unix socket may be, with all that shells and URLs stumble over.
  folder = join(
    root,
    "a newcomer's folder (50%)",
    'with a name that is as long as people make them',
    'größer & deeper',
  );
  await mkdir(folder, { recursive: true });
  port = await freePort();
});
afterEach(async () => {
  for (const child of children.splice(0)) await end(child, 'SIGKILL');
  await expectNothingLeft(root);
  await rm(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
});

async function start(env: Record<string, string> = {}): Promise<Running> {
  const child = spawn(process.execPath, [MAIN], {
    cwd: folder,
    env: { PATH: process.env['PATH'], OPENCLAWMU_PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const output: string[] = [];
  const url = await listening(child, output);
  return { process: child, url, printed: output.join('') };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }
  return child.exitCode;
}

/** Runs what the gateway printed, in a shell, as a newcomer would paste it. @param env that he has set already */
async function paste(commands: string, env: Record<string, string> = { OPENCLAWMU_URL: `http://127.0.0.1:${port}` }) {
  const script = commands.replaceAll('npx openclawmu', `"${process.execPath}" "${CLI}"`);
  const options = { cwd: folder, env: { PATH: process.env['PATH'], ...env } };
  const { stdout } = await promisify(execFile)('sh', ['-eu', '-c', script], options);
  return stdout;
}

const keyIn = (printed: string): string | undefined => /OPENCLAWMU_ADMIN_KEY=(ak_root_[0-9a-f]{32})/.exec(printed)?.[1];
const commandsIn = (printed: string): string =>
  printed
    .split('\n')
    .filter((line) => line.startsWith('    '))
    .join('\n');

test('the first start makes all it needs, its own words lead to an answer, and the second finds it again', async () => {
  const first = await start();
  const key = keyIn(first.printed) as string;
  expect(first.url).toBe(`http://127.0.0.1:${port}`);

  const config = await readFile(join(folder, 'openclawmu.yaml'), 'utf8');
  expect((await stat(join(folder, 'openclawmu.yaml'))).mode & 0o777).toBe(0o600);
  expect(config).toContain(`sha256:${createHash('sha256').update(key).digest('hex')}`);
  expect(config).not.toContain(key);
  expect(config.split('\n').filter((line) => line.startsWith('#')).length).toBeGreaterThan(10);
  expect((await readdir(folder)).sort()).toEqual(['data', 'openclawmu.yaml']);

  const commands = commandsIn(first.printed);
  const told = await paste(commands, {});
  expect(told).toMatch(/^data: /m);
  expect(told).toContain('[DONE]');
  expect(commands).toMatch(/^ +npx openclawmu usage$/m);
  // A call is in the ledger moments after its answer.
  const usage = `export OPENCLAWMU_ADMIN_KEY=${key}\nnpx openclawmu usage`;
  await eventually(
    () => paste(usage),
    (printed) => printed.includes('finance'),
  );
  expect((await fetch(`${first.url}/docs`)).status).toBe(200);

  expect(await end(first.process, 'SIGTERM')).toBe(0);
  await expectNothingLeft(root);

  const second = await start();
  expect(keyIn(second.printed)).toBeUndefined();
  expect(second.printed).not.toContain('Try it');
  expect(await readFile(join(folder, 'openclawmu.yaml'), 'utf8')).toBe(config);
  const answer = await fetch(`${second.url}/api/v1/admin/tenants/finance`, {
    headers: { authorization: `Bearer ${key}` },
  });
  expect(await answer.json()).toMatchObject({ id: 'finance', status: 'active' });
});

test('without any provider the demonstration model streams to both SDKs', async () => {
  const { url, printed } = await start();
  expect(/Providers +(.*)/.exec(printed)?.[1]).toBe('local');
  const admin = { authorization: `Bearer ${keyIn(printed)}`, 'content-type': 'application/json' };
  const post = async (path: string, body: object) =>
    (await fetch(url + path, { method: 'POST', headers: admin, body: JSON.stringify(body) })).json() as Promise<{
      token: string;
    }>;
  await post('/api/v1/admin/tenants', { id: 'legal' });
  const { token } = await post('/api/v1/admin/tenants/legal/tokens', { label: 'sdk' });

  const chunks = await collect(
    openaiClient(url, token).chat.completions.create({ model: 'local/demo', messages, stream: true }),
  );
  expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toMatch(/^This is local\/demo/);
  const stream = anthropicClient(url, token).messages.stream({ model: 'local/demo', max_tokens: 50, messages });
  expect((await stream.finalMessage()).content[0]).toMatchObject({
    text: expect.stringMatching(/^This is local\/demo/),
  });
});

test('a provider key in the environment is all its provider needs', async () => {
  const { printed } = await start({ ANTHROPIC_API_KEY: 'sk-ant-nobody-calls-with-this-one', OPENAI_API_KEY: '' });
  expect(/Providers +(.*)/.exec(printed)?.[1]).toMatch(/anthropic/);
  expect(/Providers +(.*)/.exec(printed)?.[1]).not.toMatch(/openai/);
});

test('kill -9 leaves no server behind and no harm', async () => {
  const first = await start();
  const key = keyIn(first.printed) as string;
  await paste(`export OPENCLAWMU_ADMIN_KEY=${key}\nnpx openclawmu tenants create legal`);
  await end(first.process, 'SIGKILL');
  await expectNothingLeft(root);

  await start();
  expect(await paste(`export OPENCLAWMU_ADMIN_KEY=${key}\nnpx openclawmu tenants show legal --json`)).toContain(
    '"legal"',
  );
});

test('a start that fails after its database came up leaves no server behind, and its first key was shown', async () => {
  const other = createServer().listen(port, '127.0.0.1');
  await once(other, 'listening');
  try {
    const { code, stdout, stderr } = await runGateway(folder, { OPENCLAWMU_PORT: String(port) });
    expect(code).toBe(1);
    expect(stderr).toContain('the port is taken');
    await expectNothingLeft(root);
    const key = keyIn(stdout) as string;
    other.close();
    const { url } = await start();
    const answer = await fetch(`${url}/api/v1/admin/tenants`, { headers: { authorization: `Bearer ${key}` } });
    expect(answer.status).toBe(200);
  } finally {
    other.close();
  }
});

test('a second gateway in the same folder is told who is there', async () => {
  const { process: first } = await start();
  const { code, stderr } = await runGateway(folder, { OPENCLAWMU_PORT: '0' });
  expect(code).toBe(1);
  expect(stderr).toContain(`process ${first.pid}`);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: free } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return free;
}

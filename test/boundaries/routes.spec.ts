import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { Gateway } from '../support/gateway';
import { expectNothingLeft } from '../support/processes';
import { committedRoutes } from '../support/route-table';

const ROOT = resolve(__dirname, '../..');
const run = promisify(execFile);
const committed = (file: string): string => readFileSync(resolve(ROOT, file), 'utf8');

/** Who may call what, as a list that a reviewer reads: any change of it is a line in a diff. */

/** What the built gateway declares now, by the file it is committed in. */
let made: Record<string, string>;

beforeAll(async () => {
  const printed = await run(process.execPath, ['scripts/generate.mjs', '--print'], {
    cwd: ROOT,
    maxBuffer: 16 * 1024 * 1024,
  });
  made = JSON.parse(printed.stdout) as Record<string, string>;
});

describe('what is committed of the API is what was built', () => {
  test.each([['test/boundaries/routes.txt'], ['docs/openapi.json'], ['docs/errors.md']])('%s', (file) => {
    const lines = (text = ''): Set<string> => new Set(text.split('\n'));
    const [old, now] = [committed(file), made[file]];
    if (old === now) return;
    const removed = [...lines(old)].filter((line) => !lines(now).has(line));
    const added = [...lines(now)].filter((line) => !lines(old).has(line));
    const changes = [...removed.map((line) => `- ${line}`), ...added.map((line) => `+ ${line}`)];
    throw new Error(
      `${file} is not what the gateway declares. If the change is meant, run "npm run generate" and commit the file:\n` +
        changes.slice(0, 40).join('\n'),
    );
  });

  test("the document passes Redocly's recommended rules without a warning", async () => {
    const redocly = resolve(ROOT, 'node_modules/@redocly/cli/bin/cli.js');
    const args = [redocly, 'lint', '--format=json', '--extends=recommended', 'docs/openapi.json'];
    const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
    const { stdout } = await run(process.execPath, args, { cwd: ROOT, env }).catch(
      (failed: { stdout: string }) => failed,
    );
    expect((JSON.parse(stdout) as { problems: unknown[] }).problems).toEqual([]);
  });
});

describe('the table', () => {
  const routes = committedRoutes();

  test('has a declaration in each line, and no audience but the known ones', () => {
    expect(routes.length).toBeGreaterThan(40);
    for (const { name, audience, access } of routes) {
      expect({ name, audience }).toEqual({ name, audience: expect.stringMatching(/^(admin|tenant|public)$/) });
      expect({ name, access }).toEqual({ name, access: expect.stringMatching(/^\S.*\S$/) });
    }
  });

  test('keeps each audience under its own roof', () => {
    for (const { name, path, audience } of routes) {
      if (path.startsWith('/api/v1/admin')) expect({ name, audience }).toEqual({ name, audience: 'admin' });
      if (path.startsWith('/api/v1/tenant')) expect({ name, audience }).toEqual({ name, audience: 'tenant' });
      if (path.startsWith('/v1')) expect({ name, audience }).toEqual({ name, audience: 'tenant' });
    }
  });
});

describe('the running gateway', () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await Gateway.start();
  });
  afterAll(async () => {
    await gateway.remove();
    await expectNothingLeft(gateway.place.folder);
  });

  test('serves the document that is generated without it', async () => {
    const served = await gateway.call('GET', '/docs/openapi.json', undefined, '');
    expect(served.body).toEqual(JSON.parse(made['docs/openapi.json'] as string));
  });

  test('answers every public route without a key', async () => {
    for (const { method, path, audience } of committedRoutes()) {
      if (audience !== 'public') continue;
      const { status } = await gateway.call(method, path, undefined, '');
      // Nest mounts the file of Swagger UI's licence only to keep it from being served.
      expect({ path, status }).toEqual({ path, status: path === '/docs/LICENSE' ? 404 : 200 });
    }
  });
});

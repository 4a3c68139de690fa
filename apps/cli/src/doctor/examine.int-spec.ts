import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDepartment, offerFakeModels, type Department } from '../../../../test/support/department';
import { Gateway } from '../../../../test/support/gateway';
import { GatewayClient } from '../gateway-client';
import { examine } from './examine';
import type { Finding } from './finding';

/** Takes no key. */
let server: Server;
let gateway: Gateway;
let department: Department;
let folder: string;

beforeAll(async () => {
  server = createServer((_, response) => response.writeHead(401).end('{}'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const providers = {
    locked: { dialect: 'openai', baseUrl, apiKeys: ['sk-the-first-of-two', 'sk-the-second-of-two'] },
    gone: { dialect: 'openai', baseUrl: 'http://127.0.0.1:9', breaker: { failures: 1, openMs: 600_000 } },
  };
  gateway = await Gateway.start({ providers });
  await offerFakeModels(gateway, { 'locked*': 'locked', 'gone*': 'gone' });
  department = await createDepartment(gateway, { budget: '100.00' });
  folder = await mkdtemp(join(tmpdir(), 'openclawmu-doctor-'));
});
afterAll(async () => {
  await gateway.remove();
  await new Promise((closed) => server.close(closed));
  await rm(folder, { recursive: true, force: true });
});

const look = (file: string): Promise<Finding[]> => {
  const key = gateway.place.keys.admin;
  const client = new GatewayClient(gateway.url, key, () => undefined);
  return examine(join(folder, file), { OPENCLAWMU_URL: gateway.url, OPENCLAWMU_ADMIN_KEY: key }, client);
};
const about = (findings: readonly Finding[], what: string): Finding[] => findings.filter((each) => each.about === what);

test('looks at the gateway also where its file or variables are not here, and says how to come by those', async () => {
  const ready = [{ about: 'gateway', state: 'ok', what: `answers at ${gateway.url} and is ready` }];
  expect(about(await look('nothing.yaml'), 'gateway')).toEqual(ready);

  await writeFile(join(folder, 'unset.yaml'), 'timezone: ${TIMEZONE_OF_THE_SERVICE}\n', { mode: 0o600 });
  const findings = await look('unset.yaml');
  expect(about(findings, 'gateway')).toEqual(ready);
  const remedy = expect.stringMatching(/^Give this shell the variables .* set -a/) as unknown;
  expect(about(findings, 'configuration')).toEqual([expect.objectContaining({ state: 'wrong', remedy })]);

  await writeFile(join(folder, 'wrong.yaml'), 'colour: blue\n', { mode: 0o600 });
  const [wrong] = about(await look('wrong.yaml'), 'configuration');
  expect(wrong).toMatchObject({ state: 'wrong', remedy: 'Correct the file and run this again.' });
});

test('tells how providers fare in the gateway that answers', async () => {
  expect(about(await look('nothing.yaml'), 'providers')).toEqual([]);
  for (const model of ['locked', 'gone']) {
    const body = { model, messages: [{ role: 'user', content: 'Hello!' }] };
    expect((await gateway.call('POST', '/v1/chat/completions', body, department.token)).status).toBe(502);
  }
  expect(about(await look('nothing.yaml'), 'providers')).toEqual([
    expect.objectContaining({ state: 'wrong', what: expect.stringMatching(/^gone: .*ECONNREFUSED/) as unknown }),
    expect.objectContaining({
      state: 'wrong',
      what: expect.stringMatching(
        /^locked: 2 of 2 keys are set aside.* refused key 2 of 2 with status 401$/,
      ) as unknown,
    }),
  ]);
});

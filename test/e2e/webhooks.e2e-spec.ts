import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../support/department';
import { readPage, ROOT } from '../support/docs/page';
import { Gateway } from '../support/gateway';

/** The receiver that docs/security.md shows, as a process of its own, takes what the gateway sends and nothing else. */

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const NEXT = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
const WEBHOOKS = '/api/v1/admin/webhooks';

let folder: string;
let gateway: Gateway;
let receiver: ChildProcess;
let url: string;
let said = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'openclawmu-receiver-'));
  const page = readPage('docs/security.md', readFileSync(join(ROOT, 'docs/security.md'), 'utf8'));
  const [source] = page.blocks.filter(({ language }) => language === 'js');
  await writeFile(join(folder, 'receiver.mjs'), source?.lines.join('\n') ?? '');
  receiver = spawn(process.execPath, [join(folder, 'receiver.mjs')], {
    env: { PATH: process.env['PATH'], WEBHOOK_SECRET: SECRET, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  receiver.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text));
  const port = await eventually(() => /listens on port (\d+)/.exec(said)?.[1]);
  url = `http://127.0.0.1:${port}/`;
  gateway = await Gateway.start({ config: { webhooks: [webhook(SECRET)] } });
});
afterAll(async () => {
  await gateway.remove();
  receiver.kill();
  await once(receiver, 'exit');
  await rm(folder, { recursive: true });
});

const webhook = (secret: string | string[]): object => ({ name: 'alerts', url, secret });

interface Delivery {
  readonly id: string;
  readonly state: string;
  readonly lastError: string | null;
}

/** Sends a test notice and waits for its first outcome. */
async function ping(): Promise<Delivery> {
  const { id } = await gateway.must<Delivery>('POST', `${WEBHOOKS}/endpoints/alerts/test`);
  return eventually(
    () => gateway.must<Delivery>('GET', `${WEBHOOKS}/deliveries/${id}`),
    ({ state, lastError }) => state === 'delivered' || lastError !== null,
  );
}

async function reload(secret: string | string[]): Promise<void> {
  const { items } = await gateway.must<{ items: unknown[] }>('GET', '/api/v1/admin/audit?action=config.reloaded');
  await gateway.configure({ webhooks: [webhook(secret)] });
  process.kill(gateway.process.pid as number, 'SIGHUP');
  await eventually(
    () => gateway.must<{ items: unknown[] }>('GET', '/api/v1/admin/audit?action=config.reloaded'),
    (page) => page.items.length > items.length,
  );
}

test('a signed notice is taken', async () => {
  const { id, state } = await ping();
  expect(state).toBe('delivered');
  expect(said).toContain(`notice ${id} {"type":"webhook.test",`);
});

test('while its secret is replaced it is taken as well, and not when only the new one signs', async () => {
  await reload([NEXT, SECRET]);
  expect((await ping()).state).toBe('delivered');
  await reload(NEXT);
  expect(await ping()).toMatchObject({ state: 'pending', lastError: 'answered 401' });
});

test('metrics count what is delivered and what is on its way', async () => {
  const read = async (): Promise<string> => (await gateway.call('GET', '/metrics')).text;
  expect(await read()).toContain('openclawmu_webhooks_delivered 2\n');
  await eventually(read, (text) => text.includes('openclawmu_webhooks_pending 1\n'), 25_000);
});

import { execFile, type ChildProcess } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { Pool } from 'undici';
import { createDepartment, offerFakeModels } from '../department';
import { createPlace, Gateway } from '../gateway';
import { KillablePostgres } from '../proof/killable-postgres';
import { cpuMicros, FLAGS, startChild, warmUpOf } from './children';

/** What money costs: CPU of hold, journal, settlement and ledger, beside a relay that has no duties, in one run. */

const AT_ONCE = 32;
const HOOK = join(__dirname, '../../../libs/audit/fixtures/typescript-hook.cjs');
const BODY = JSON.stringify({
  model: 'fake',
  max_tokens: 1_000,
  messages: [{ role: 'user', content: 'ipsum '.repeat(150) }],
});

interface Caller {
  readonly token: string;
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { requests: text, tenants: text } });
  const requests = Number(values.requests ?? 10_000);
  const many = Number(values.tenants ?? 1_000);
  const postgres = await KillablePostgres.start();
  const place = await createPlace(postgres.database);
  const provider = await startChild('provider.ts');
  const relay = await startChild('relay.ts', provider.url);
  const gateway = await Gateway.start({
    place,
    providers: { 'fake-openai': vendor('openai', provider.url), 'fake-anthropic': vendor('anthropic', provider.url) },
    config: { logging: { level: 'error' } },
    node: FLAGS,
  });
  try {
    await offerFakeModels(gateway);
    say(`${requests} requests of ${BODY.length} bytes a line, ${AT_ONCE} at once; making ${many} tenants`);
    const tenants: (Caller & { id: string })[] = [];
    while (tenants.length < many)
      tenants.push(
        ...(await Promise.all(
          Array.from({ length: Math.min(10, many - tenants.length) }, () =>
            createDepartment(gateway, { budget: '1000000.00' }),
          ),
        )),
      );
    const hot = tenants.slice(0, 1);
    const bare = await cpuOf(relay.process, relay.url, hot, requests);
    const money = {
      hot: await moneyOf(place.database.gatewayUrl, hot, requests),
      many: await moneyOf(place.database.gatewayUrl, tenants, requests),
    };
    const whole = {
      hot: await cpuOf(gateway.process, gateway.url, hot, requests),
      many: await cpuOf(gateway.process, gateway.url, tenants, requests),
    };
    say('\nCPU a request                                        µs   to the relay   to the gateway without money');
    line('bare relay, no duties', bare, bare);
    line('hold, journal, settlement, ledger: one hot tenant', money.hot, bare, whole.hot - money.hot);
    line(`the same: ${many} tenants`, money.many, bare, whole.many - money.many);
    line('the whole gateway: one hot tenant', whole.hot, bare, whole.hot - money.hot);
    line(`the whole gateway: ${many} tenants`, whole.many, bare, whole.many - money.many);
  } finally {
    await gateway.stop();
    relay.process.kill();
    provider.process.kill();
    await postgres.remove();
    await rm(place.folder, { recursive: true, force: true });
  }
}

function line(name: string, micros: number, relay: number, without?: number): void {
  const ratios = [micros / relay, ...(without === undefined ? [] : [micros / without])];
  const [to, toWithout = ''] = ratios.map((ratio) => ratio.toFixed(2));
  say(`${name.padEnd(50)} ${micros.toFixed(0).padStart(5)}   ${to?.padStart(12)}   ${toWithout.padStart(28)}`);
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const vendor = (dialect: string, baseUrl: string) => ({ dialect, baseUrl, apiKey: 'sk-bench', internal: true });

/** CPU in µs a request of a server process that is warm. */
async function cpuOf(
  server: ChildProcess,
  origin: string,
  callers: readonly Caller[],
  requests: number,
): Promise<number> {
  await load(origin, callers, warmUpOf(requests));
  const before = cpuMicros(server);
  await load(origin, callers, requests);
  // What is settled behind the answers belongs to them.
  await new Promise((later) => setTimeout(later, 500));
  return (cpuMicros(server) - before) / requests;
}

async function load(origin: string, callers: readonly Caller[], requests: number): Promise<void> {
  const pool = new Pool(origin, { connections: AT_ONCE, pipelining: 1 });
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < requests) {
      const { token } = callers[next++ % callers.length] as Caller;
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const answer = await pool.request({ path: '/v1/chat/completions', method: 'POST', headers, body: BODY });
      const text = await answer.body.text();
      if (answer.statusCode !== 200) throw new Error(`a call was answered with ${answer.statusCode}: ${text}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  await pool.close();
}

async function moneyOf(databaseUrl: string, tenants: readonly { id: string }[], requests: number): Promise<number> {
  const ids = tenants.map(({ id }) => id).join(',');
  const args = [...FLAGS, '-r', HOOK, join(__dirname, 'money.ts'), databaseUrl, ids, String(requests)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return Number(stdout);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});

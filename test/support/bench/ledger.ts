import { execFile, type ChildProcess } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { Pool } from 'undici';
import { createDepartment, offerFakeModels } from '../department';
import { beside, createPlace, type Place } from '../gateway';
import { KillablePostgres } from '../proof/killable-postgres';
import { cpuMicros, FLAGS, HOOK, pin, startChild, startGateway, warmUpOf } from './children';

/** What money costs: CPU of hold, journal, settlement and ledger, beside a relay that has no duties, in one run. */

/** What is measured has one processor to itself; who asks, the provider and the database have the other. */
const OURS = 0;
const THEIRS = cpus().length > 1 ? `1-${cpus().length - 1}` : OURS;
/** From its modules: what is replaced in one of them would not be found in the bundle. */
const FROM_MODULES = [
  '-e',
  `require(${JSON.stringify(join(__dirname, '../../../dist/apps/gateway/src/run.js'))}).run()`,
];
/**
 * Servers that are asked by turns idle in between, as none does that is in use. V8 takes that for an occasion to collect all garbage and to
 * throw code away, and a later turn pays for it with half a second of CPU, now in one server and now in another.
 */
const BUSY = ['--no-memory-reducer', '--no-flush-bytecode'];
const insteadOf = (file: string): string[] => ['-r', HOOK, '-r', join(__dirname, file), ...FROM_MODULES];

interface Caller {
  readonly token: string;
}

/** In which each server is asked, one after the other and without a pause, because the machine is now quick and now slow. */
const TURNS = 8;
/** For what is booked behind the last answers: half a second that rows are gathered, and what the database takes for them. */
const BOOKED_MS = 2_000;
/** Connections are kept while the other servers are asked. */
const IDLE_MS = 60_000;

/** How calls are made and answered. */
interface Calls {
  readonly body: string;
  readonly atOnce: number;
  /** Of the requests that were asked for. */
  readonly share: number;
}

const bodyOf = (model: string, more: object = {}): string =>
  JSON.stringify({ model, max_tokens: 1_000, ...more, messages: [{ role: 'user', content: 'ipsum '.repeat(150) }] });
/**
 * The least that a call can be: what money costs weighs most beside it. Few at once are served in lockstep with who asks and who answers, a
 * handful a turn of the event loop; many are what a gateway has whose models take seconds.
 */
const WHOLE = [32, 128].map((atOnce): Calls => ({ body: bodyOf('fake'), atOnce, share: 1 }));
/** What people and agents wait for, only that models take longer for it. */
const STREAMED: Calls = { body: bodyOf('fake-n50-g10', { stream: true }), atOnce: 128, share: 0.05 };

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { requests: text, tenants: text, rounds: text } });
  const requests = Number(values.requests ?? 10_000);
  const many = Number(values.tenants ?? 1_000);
  const rounds = Number(values.rounds ?? 3);
  // Whatever is started from here on is tied as this process is.
  pin(process.pid, THEIRS);
  const postgres = await KillablePostgres.start();
  const place = await createPlace(postgres.database);
  const provider = await startChild('provider.ts');
  try {
    say(`${requests} requests of ${bodyOf('fake').length} bytes a line; making ${many} tenants`);
    const tenants = await tenantsOf(place, provider.url, many);
    const hot = tenants.slice(0, 1);
    const ofHot = await moneyOf(place.database.gatewayUrl, hot, requests);
    const ofMany = await moneyOf(place.database.gatewayUrl, tenants, requests);
    const kinds = [
      ...WHOLE.map((calls) => ({ name: 'one hot tenant', callers: hot, calls, alone: ofHot })),
      ...WHOLE.map((calls) => ({ name: `${many} tenants`, callers: tenants, calls, alone: ofMany })),
      { name: 'one hot tenant, answers in 50 chunks', callers: hot, calls: STREAMED, alone: ofHot },
    ].map((kind) => ({ ...kind, seen: [] as number[][] }));
    for (let round = 0; round < rounds; round++) {
      const servers = await startServers(place, provider.url);
      try {
        for (let turn = 0; turn < TURNS; turn++)
          for (const { url } of servers)
            for (const calls of [...WHOLE, STREAMED]) {
              const connections = connectionsTo(url, calls);
              await load(connections, tenants, calls, (warmUpOf(requests) / 2 / TURNS) * calls.share);
              await connections.close();
            }
        for (const { callers, calls, seen } of kinds) seen.push(await cpuOf(servers, callers, calls, requests));
      } finally {
        for (const { stop } of servers) await stop();
      }
    }
    for (const { name, calls, seen, alone } of kinds) table(`${name}, ${calls.atOnce} at once`, seen, alone);
  } finally {
    provider.process.kill();
    await postgres.remove();
    await rm(place.folder, { recursive: true, force: true });
  }
}

interface Server {
  readonly process: ChildProcess;
  readonly url: string;
  readonly stop: () => Promise<unknown>;
}

/** In each round anew: two starts of the same code differ by more than what is measured here. */
async function startServers(place: Place, providerUrl: string): Promise<Server[]> {
  const relay = await startChild('relay.ts', [providerUrl], BUSY);
  const servers: Server[] = [{ ...relay, stop: () => Promise.resolve(relay.process.kill()) }];
  for (const instead of [insteadOf('without-money.ts'), insteadOf('least-money.ts'), FROM_MODULES]) {
    const own = await beside(place);
    const gateway = await startGateway(own, providerUrl, [...BUSY, ...instead]);
    servers.push({
      process: gateway.process,
      url: gateway.url,
      stop: () => gateway.stop().finally(() => rm(own.folder, { recursive: true, force: true })),
    });
  }
  for (const server of servers) pin(server.process.pid, OURS);
  return servers;
}

async function tenantsOf(place: Place, providerUrl: string, many: number): Promise<(Caller & { id: string })[]> {
  const gateway = await startGateway(place, providerUrl, FROM_MODULES);
  try {
    await offerFakeModels(gateway);
    const tenants: (Caller & { id: string })[] = [];
    while (tenants.length < many) {
      const next = Array.from({ length: Math.min(10, many - tenants.length) }, () =>
        createDepartment(gateway, { budget: '1000000.00' }),
      );
      tenants.push(...(await Promise.all(next)));
    }
    return tenants;
  } finally {
    await gateway.stop();
  }
}

/** @param seen of each round: the relay, the gateway without its money, with the least of it, and as it is; CPU in µs a request */
function table(name: string, seen: readonly (readonly number[])[], alone: number): void {
  const [relay = [], without = [], least = [], whole = []] = [0, 1, 2, 3].map((at) =>
    seen.map((round) => round[at] ?? NaN),
  );
  say(`\n${`CPU a request, ${name}`.padEnd(54)}    µs   ${'to the relay'.padEnd(22)} to the gateway without money`);
  line('bare relay, no duties', relay);
  line('the gateway without hold, journal, settlement, ledger', without, relay);
  line('the same with the least that money could be', least, relay, without);
  line('the gateway', whole, relay, without);
  line('quote, hold, journal, settlement, ledger by themselves', [alone], relay, without);
}

/** Medians over the rounds, and of how it is to others the least and the most. */
function line(name: string, micros: readonly number[], ...others: readonly (readonly number[])[]): void {
  const [toRelay = '', toWithout = ''] = others.map((other) => {
    const ratios = other.map((value, round) => (micros[round] ?? median(micros)) / value);
    return `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`;
  });
  say(`${name.padEnd(54)} ${median(micros).toFixed(0).padStart(5)}   ${toRelay.padEnd(22)} ${toWithout}`.trimEnd());
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] ?? NaN) + (sorted[Math.floor(half)] ?? NaN)) / 2;
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** CPU in µs a request, of each server. */
async function cpuOf(
  servers: readonly Server[],
  callers: readonly Caller[],
  calls: Calls,
  most: number,
): Promise<number[]> {
  const connections = servers.map(({ url }) => connectionsTo(url, calls));
  // To connect is not what a call costs, nor to lease again what was given back because nobody has used it for a minute.
  for (const each of connections) await load(each, callers, calls, Math.max(callers.length, calls.atOnce));
  await booked();
  const before = servers.map(({ process }) => cpuMicros(process));
  const requests = Math.ceil((most * calls.share) / TURNS);
  for (let turn = 0; turn < TURNS; turn++)
    for (const each of turn % 2 === 0 ? connections : connections.toReversed())
      await load(each, callers, calls, requests);
  // What is settled behind the answers belongs to them.
  await booked();
  const figures = servers.map(({ process }, at) => (cpuMicros(process) - (before[at] ?? NaN)) / requests / TURNS);
  for (const each of connections) await each.close();
  return figures;
}

const booked = (): Promise<void> => new Promise((later) => setTimeout(later, BOOKED_MS));

const connectionsTo = (origin: string, { atOnce }: Calls): Pool =>
  new Pool(origin, { connections: atOnce, pipelining: 1, keepAliveTimeout: IDLE_MS, keepAliveMaxTimeout: IDLE_MS });

async function load(pool: Pool, callers: readonly Caller[], { body, atOnce }: Calls, requests: number): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < requests) {
      const { token } = callers[next++ % callers.length] as Caller;
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const answer = await pool.request({ path: '/v1/chat/completions', method: 'POST', headers, body });
      const text = await answer.body.text();
      if (answer.statusCode !== 200) throw new Error(`a call was answered with ${answer.statusCode}: ${text}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
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

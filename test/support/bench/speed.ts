import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { createDepartment, offerFakeModels } from '../department';
import { beside, createPlace, type Gateway, type Place } from '../gateway';
import { KillablePostgres } from '../proof/killable-postgres';
import { cpuMicros, pin, residentKib, startChild, startGateway } from './children';
import { startPeer } from './peer';
import { requestBytes, WireClient } from './wire-client';

/** What the gateway costs: beside the provider itself, a relay without duties, and a peer, phase by phase in one run. */

const AT_ONCE = 32;
/** Code is compiled by how often it ran, so a slow target needs as long as a fast one. */
const WARM_UP_MS = 6_000;
const FEW = 200;
const PROMPT = 'ipsum '.repeat(150);

interface Target {
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Null for the provider: what it costs is nobody's. */
  readonly process: ChildProcess | null;
}

/** Figures of one target, by their column; `null` where a phase has none for it. */
type Figures = ReadonlyMap<string, number>;

interface Phase {
  readonly name: string;
  readonly columns: readonly string[];
  /** Figures that are compared with the relay's by subtracting what the provider alone takes. */
  readonly added?: boolean;
  run(target: Target): Promise<Figures>;
}

interface Options {
  readonly seconds: number;
  readonly rounds: number;
  readonly rate: number;
  readonly held: number;
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { seconds: text, rounds: text, rate: text, held: text, phases: text } });
  const options: Options = {
    seconds: Number(values.seconds ?? 4),
    rounds: Number(values.rounds ?? 5),
    rate: Number(values.rate ?? 200),
    held: Number(values.held ?? 1_000),
  };
  // All that is started from here on inherits this, the database's processes too.
  const apart = cpus().length > 1;
  if (apart) pin(process.pid, `1-${cpus().length - 1}`);
  const postgres = await KillablePostgres.start();
  const place = await createPlace(postgres.database);
  const provider = await startChild('provider.ts');
  const relay = await startChild('relay.ts', [provider.url]);
  const gateway = await startGateway(place, provider.url);
  const peer = await startPeer(provider.url);
  try {
    await offerFakeModels(gateway);
    const { token } = await createDepartment(gateway, { budget: '1000000.00' });
    const bearer = { authorization: `Bearer ${token}` };
    const targets: Target[] = [
      { name: 'provider itself', url: provider.url, headers: bearer, process: null },
      { name: 'bare relay', url: relay.url, headers: bearer, process: relay.process },
      { name: 'OpenClawMU', url: gateway.url, headers: bearer, process: gateway.process },
    ];
    if (peer) targets.push({ name: 'Portkey', ...peer, headers: { ...bearer, ...peer.headers } });
    else say('npm cannot be reached, so the peer is left out');
    if (apart) for (const target of targets) if (target.process) pin(target.process.pid, 0);
    const { heldFor, phases } = phasesOf(options);
    const wanted = values.phases?.split(',');
    say(`Node.js ${process.version}, ${cpus().length} processors, load ${loadavg()[0]?.toFixed(1)}`);
    // Before anything else: later a process has memory to spare, and nothing of what it needs can be seen.
    if (!wanted || wanted.includes('held')) await measure(heldFor, targets, 1);
    for (const target of targets) {
      await flatOut(target, bodyOf('fake'), AT_ONCE, WARM_UP_MS);
      await flatOut(target, bodyOf('fake-n50', STREAM), AT_ONCE, WARM_UP_MS);
    }
    for (const phase of phases)
      if (!wanted || wanted.includes(phase.name)) await measure(phase, targets, options.rounds);
    if (!wanted || wanted.includes('start')) await measureStart(place, provider.url, options.rounds);
    if (!wanted || wanted.includes('two processes')) await measureTwo(place, gateway, provider.url, token, options);
  } finally {
    await gateway.stop();
    for (const child of [relay, provider, peer]) child?.process.kill();
    await postgres.remove();
    await rm(place.folder, { recursive: true, force: true });
  }
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const bodyOf = (model: string, more: object = {}): string =>
  JSON.stringify({ model, max_tokens: 1_000, ...more, messages: [{ role: 'user', content: PROMPT }] });

const STREAM = { stream: true, stream_options: { include_usage: true } };

function phasesOf({ seconds, rate, held }: Options): { phases: readonly Phase[]; heldFor: Phase } {
  const closed = (name: string, atOnce: number, body: string): Phase => ({
    name,
    columns: ['requests/s', 'CPU ms per 1,000'],
    run: async (target) => {
      const { count, cpu, ms } = await flatOut(target, body, atOnce, seconds * 1_000);
      return new Map([
        ['requests/s', (count / ms) * 1_000],
        ['CPU ms per 1,000', cpu / count],
      ]);
    },
  });
  const open: Phase = {
    name: 'open',
    columns: ['p50 ms', 'p99 ms', 'CPU ms per 1,000'],
    added: true,
    run: async (target) => {
      const { timings, cpu } = await atRate(target, bodyOf('fake-l20'), rate, seconds * 1_000);
      const ends = timings.map(({ endMs }) => endMs);
      return new Map([
        ['p50 ms', quantile(ends, 0.5)],
        ['p99 ms', quantile(ends, 0.99)],
        ['CPU ms per 1,000', cpu / timings.length],
      ]);
    },
  };
  const first: Phase = {
    name: 'first',
    columns: ['p50 ms', 'p99 ms'],
    added: true,
    run: async (target) => {
      const { timings } = await atRate(target, bodyOf('fake-l20-n5-g5', STREAM), rate / 2, seconds * 1_000);
      const firsts = timings.map(({ firstMs }) => firstMs);
      return new Map([
        ['p50 ms', quantile(firsts, 0.5)],
        ['p99 ms', quantile(firsts, 0.99)],
      ]);
    },
  };
  const stream: Phase = {
    name: 'stream',
    columns: ['CPU µs per chunk'],
    run: async (target) => {
      const { count, cpu } = await flatOut(target, bodyOf('fake-n50-g10', STREAM), 50, seconds * 1_000);
      return new Map([['CPU µs per chunk', cpu / (count * 50)]]);
    },
  };
  const heldFor: Phase = {
    name: 'held',
    columns: ['KiB per stream'],
    run: (target) => holdOpen(target, bodyOf('fake-n6-g2000', STREAM), held),
  };
  return {
    phases: [
      closed('1 KiB', AT_ONCE, bodyOf('fake')),
      closed('32 KiB', AT_ONCE, bodyOf('fake', { metadata: { filler: 'x'.repeat(31 * 1024) } })),
      closed('1000 in flight', 1_000, bodyOf('fake-l20')),
      ...[open, first, stream],
    ],
    heldFor,
  };
}

/** As many requests as it can answer, so many at a time. */
async function flatOut(
  target: Target,
  body: string,
  atOnce: number,
  forMs: number,
): Promise<{ count: number; cpu: number; ms: number }> {
  const request = requestBytes(target.url, target.headers, body);
  const clients = Array.from({ length: atOnce }, () => new WireClient(target.url));
  let count = 0;
  const until = async (endMs: number): Promise<void> => {
    await Promise.all(
      clients.map(async (client) => {
        while (performance.now() < endMs) {
          await client.send(request);
          count++;
        }
      }),
    );
  };
  await until(performance.now() + forMs / 4);
  count = 0;
  const beganMs = performance.now();
  const before = cpuOf(target);
  await until(beganMs + forMs);
  const ms = performance.now() - beganMs;
  await settled();
  const cpu = cpuOf(target) - before;
  for (const client of clients) client.close();
  return { count, cpu, ms };
}

/** Requests that arrive at a rate whatever becomes of the ones before, at intervals of chance (Poisson). */
async function atRate(
  target: Target,
  body: string,
  rate: number,
  forMs: number,
): Promise<{ timings: { firstMs: number; endMs: number }[]; cpu: number }> {
  const request = requestBytes(target.url, target.headers, body);
  const idle: WireClient[] = [];
  const timings: { firstMs: number; endMs: number }[] = [];
  const before = cpuOf(target);
  const underway: Promise<void>[] = [];
  const endMs = performance.now() + forMs;
  let atMs = performance.now();
  while (atMs < endMs) {
    atMs += (-Math.log(1 - Math.random()) / rate) * 1_000;
    const waitMs = atMs - performance.now();
    if (waitMs > 0) await new Promise((later) => setTimeout(later, waitMs));
    const client = idle.pop() ?? new WireClient(target.url);
    underway.push(
      client.send(request).then((timing) => {
        timings.push(timing);
        idle.push(client);
      }),
    );
  }
  await Promise.all(underway);
  await settled();
  const cpu = cpuOf(target) - before;
  for (const client of idle) client.close();
  return { timings, cpu };
}

/** Memory of streams that are open at the same time and say little. */
async function holdOpen(target: Target, body: string, streams: number): Promise<Figures> {
  if (!target.process) return new Map();
  const request = requestBytes(target.url, target.headers, body);
  const short = requestBytes(target.url, target.headers, bodyOf('fake-n1', STREAM));
  const client = new WireClient(target.url);
  for (let i = 0; i < FEW; i++) await client.send(short);
  client.close();
  const before = residentKib(target.process);
  const clients = Array.from({ length: streams }, () => new WireClient(target.url));
  const ends = Promise.all(clients.map((client) => client.send(request)));
  await new Promise((later) => setTimeout(later, 6_000));
  const held = residentKib(target.process) - before;
  await ends;
  for (const client of clients) client.close();
  return new Map([['KiB per stream', held / streams]]);
}

/** From the start of a process to the first request it takes; of the gateway on a database that is there. */
async function measureStart(place: Place, providerUrl: string, rounds: number): Promise<void> {
  const starters: Record<string, () => Promise<{ process: ChildProcess } | null>> = {
    'bare relay': () => startChild('relay.ts', [providerUrl]),
    OpenClawMU: async () => startGateway(await beside(place), providerUrl),
    Portkey: () => startPeer(providerUrl),
  };
  say('\nstart');
  for (const [name, start] of Object.entries(starters)) {
    const took: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const beganMs = performance.now();
      const started = await start();
      if (!started) break;
      took.push(performance.now() - beganMs);
      started.process.kill();
      await once(started.process, 'exit');
    }
    if (took.length > 0) say(`${cellOf(name, 0)}${cellOf(`${quantile(took, 0.5).toFixed(0)} ms`, 1)}`);
  }
}

/** Another process on the same database takes half of the connections. */
async function measureTwo(
  place: Place,
  first: Gateway,
  providerUrl: string,
  token: string,
  { seconds }: Options,
): Promise<void> {
  say('\ntwo processes');
  if (cpus().length < 4) return say('left out: they, what asks and what answers need four processors');
  const second = await startGateway(await beside(place), providerUrl);
  for (const one of [first, second]) pin(one.process.pid, `2-${cpus().length - 1}`);
  pin(process.pid, '0-1');
  const headers = { authorization: `Bearer ${token}` };
  const rateOf = async (gateways: readonly Gateway[]): Promise<number> => {
    const runs = gateways.map(({ url, process }) =>
      flatOut({ name: '', url, headers, process }, bodyOf('fake'), (AT_ONCE * 2) / gateways.length, seconds * 1_000),
    );
    return (await Promise.all(runs)).reduce((sum, { count, ms }) => sum + (count / ms) * 1_000, 0);
  };
  await rateOf([second]);
  const [one, two] = [await rateOf([first]), await rateOf([first, second])];
  say(`${one.toFixed(0)} requests/s with one, ${two.toFixed(0)} with two: ${(two / one).toFixed(2)}`);
  await second.stop();
}

/** Settlement goes on behind the answers and belongs to them. */
const settled = (): Promise<void> => new Promise((later) => setTimeout(later, 400));

const cpuOf = ({ process: server }: Target): number => (server ? cpuMicros(server) : NaN);

/** Takes each round in the other direction, so that what slowly changes on the machine falls on all alike. */
async function measure(phase: Phase, targets: readonly Target[], rounds: number): Promise<void> {
  const seen: Map<Target, Figures>[] = [];
  for (let round = 0; round < rounds; round++) {
    const figures = new Map<Target, Figures>();
    for (const target of round % 2 === 0 ? targets : targets.toReversed()) figures.set(target, await phase.run(target));
    seen.push(figures);
  }
  say(`\n${phase.name}`);
  say(['', ...phase.columns.flatMap((column) => [column, 'to the relay'])].map((cell, i) => cellOf(cell, i)).join(''));
  const [direct, relay] = targets as [Target, Target];
  for (const target of targets) {
    const cells = phase.columns.flatMap((column) => {
      const of = (one: Target, round: Map<Target, Figures>): number => round.get(one)?.get(column) ?? NaN;
      const compared = (round: Map<Target, Figures>): number =>
        phase.added && column.endsWith(' ms')
          ? of(target, round) - of(relay, round)
          : of(target, round) / of(relay, round);
      const value = quantile(
        seen.map((round) => of(target, round)),
        0.5,
      );
      const ratio = quantile(seen.map(compared), 0.5);
      const isDifference = phase.added && column.endsWith(' ms');
      const shown =
        target === direct || Number.isNaN(ratio) ? '' : `${isDifference && ratio >= 0 ? '+' : ''}${ratio.toFixed(2)}`;
      return [Number.isNaN(value) ? '' : value >= 100 ? value.toFixed(0) : value.toFixed(2), shown];
    });
    say([target.name, ...cells].map((cell, i) => cellOf(cell, i)).join(''));
  }
}

const cellOf = (cell: string, index: number): string => (index === 0 ? cell.padEnd(18) : cell.padStart(18));

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});

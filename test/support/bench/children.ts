import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Gateway, type Place } from '../gateway';

/** As the gateway's unit file has them. */
export const FLAGS = ['--max-semi-space-size=64'];

/** Code is compiled by how often it ran, in the background and again when more is known of it: fewer requests would measure the compiler. */
export const warmUpOf = (requests: number): number => Math.max(requests / 4, 60_000);

/** Lets a process run TypeScript as it is. */
export const HOOK = join(__dirname, '../../../libs/audit/fixtures/typescript-hook.cjs');
const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK']));
const MICROS_PER_TICK = 1_000_000 / TICKS_PER_SECOND;

/** A server of this folder in a process of its own, which prints its origin first. @param node more of Node's flags */
export async function startChild(
  file: string,
  args: readonly string[] = [],
  node: readonly string[] = [],
): Promise<{ process: ChildProcess; url: string }> {
  const started = spawn(process.execPath, [...FLAGS, ...node, '-r', HOOK, join(__dirname, file), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(started.stdout, 'data')) as [Buffer];
  return { process: started, url: line.toString().trim() };
}

/** The gateway with all its duties, in front of the provider of this folder. */
export function startGateway(place: Place, providerUrl: string, more: readonly string[] = []): Promise<Gateway> {
  const vendor = (dialect: string) => ({ dialect, baseUrl: providerUrl, apiKey: 'sk-bench', internal: true });
  return Gateway.start({
    place,
    providers: { 'fake-openai': vendor('openai'), 'fake-anthropic': vendor('anthropic') },
    config: { logging: { level: 'error' } },
    node: [...FLAGS, ...more],
  });
}

/** User and system time of a process so far, in µs, all its threads together. */
export function cpuMicros({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MICROS_PER_TICK;
}

/** Resident memory of a process, in KiB. */
export function residentKib({ pid }: ChildProcess): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** Ties a process to one processor, or a range of them, so that what is measured and what measures it do not push each other about. */
export function pin(pid: number | undefined, processor: number | string): void {
  execFileSync('taskset', ['-acp', String(processor), String(pid)], { stdio: 'ignore' });
}

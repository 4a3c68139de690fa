import { spawn, type ChildProcess } from 'node:child_process';
import { MAIN } from './gateway';

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Longer than any start takes that is bound to fail. */
const LIMIT_MS = 25_000;

/** Starts the built gateway and waits for its end: for starts that must fail, and say why. */
export function runGateway(cwd: string, env: Record<string, string> = {}, main = MAIN): Promise<Run> {
  const child = spawn(process.execPath, [main], {
    cwd,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return ended(child);
}

/** Resolves with all a process printed when it is over; kills it when that takes too long. */
export function ended(child: ChildProcess): Promise<Run> {
  const said = { stdout: '', stderr: '' };
  child.stdout?.on('data', (text: Buffer) => (said.stdout += text.toString()));
  child.stderr?.on('data', (text: Buffer) => (said.stderr += text.toString()));
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, ...said });
    });
  });
}

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The peer that npm has. Its server library is held back: with 1.19 on Node 20 it answers every stream with 500. */
const PACKAGE = {
  private: true,
  dependencies: { '@portkey-ai/gateway': '1.15.2' },
  overrides: { '@hono/node-server': '1.13.8' },
};
const FOLDER = join(__dirname, '../../../node_modules/.cache/bench-peer');
const SERVER = join(FOLDER, 'node_modules/@portkey-ai/gateway/build/start-server.js');
const START_MS = 20_000;

/** Portkey's gateway as it comes, with nothing turned on; null where npm cannot be reached. */
export async function startPeer(
  providerUrl: string,
): Promise<{ process: ChildProcess; url: string; headers: Record<string, string> } | null> {
  if (!existsSync(SERVER)) {
    await mkdir(FOLDER, { recursive: true });
    await writeFile(join(FOLDER, 'package.json'), JSON.stringify(PACKAGE));
    const install = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'];
    try {
      await promisify(execFile)('npm', install, { cwd: FOLDER, timeout: 180_000 });
    } catch {
      return null;
    }
  }
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, [SERVER, '--headless', `--port=${port}`], {
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', TRUSTED_CUSTOM_HOSTS: '127.0.0.1,localhost' },
    stdio: 'ignore',
  });
  const end = Date.now() + START_MS;
  while (!(await fetch(url).then(Boolean, () => false))) {
    if (Date.now() > end) throw new Error('the peer did not start');
    await new Promise((later) => setTimeout(later, 10));
  }
  const headers = { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${providerUrl}/v1` };
  return { process: child, url, headers };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

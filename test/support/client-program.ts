import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const CLIENTS = resolve(__dirname, '../clients');
const MODULES = join(CLIENTS, 'node_modules');
const SYSTEM = `${process.platform}-${process.arch}`;

/** Real clients need a newer Node.js than the gateway; for Linux the registry has it as a package. */
const PACKAGED_NODE = join(MODULES, `node-${SYSTEM}/bin/node`);
const NODE = existsSync(PACKAGED_NODE) ? PACKAGED_NODE : process.execPath;

/** How long a client may take. The slowest need three seconds. */
const PATIENCE_MS = 60_000;

/** What a client did, once it is over. */
export interface Run {
  /** `null` where it was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A real client under way, as a process of its own. */
export class Client {
  readonly done: Promise<Run>;

  constructor(private readonly child: ChildProcess) {
    let [stdout, stderr] = ['', ''];
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const timer = setTimeout(() => this.kill(), PATIENCE_MS);
    this.done = new Promise((over) => {
      child.once('close', (code) => {
        clearTimeout(timer);
        over({ code, stdout, stderr });
      });
    });
  }

  kill(): void {
    // A group of its own: the wrapper scripts of some clients start the real one.
    if (this.child.pid !== undefined && this.child.exitCode === null) process.kill(-this.child.pid, 'SIGKILL');
  }
}

/**
 * A place for clients: a home of their own that goes away with it, and a proxy which notes every address they want to reach
 * beside the gateway, and reaches none.
 */
export class ClientHome {
  /** Hosts that a client wanted to talk to. */
  readonly strangers: string[] = [];

  private constructor(
    readonly folder: string,
    private readonly trap: Server,
  ) {
    trap.on('connect', ({ url }, socket) => {
      this.strangers.push(url ?? '');
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    trap.on('request', ({ url }, response) => {
      this.strangers.push(url ?? '');
      response.writeHead(403).end();
    });
  }

  static async open(): Promise<ClientHome> {
    if (!existsSync(MODULES))
      throw new Error('The clients are not installed: run "npm ci --ignore-scripts" in test/clients, or "npm test".');
    const trap = createServer().listen(0, '127.0.0.1');
    await new Promise((listening) => trap.once('listening', listening));
    return new ClientHome(await mkdtemp(join(tmpdir(), 'client-test-')), trap);
  }

  async close(): Promise<void> {
    this.trap.closeAllConnections();
    this.trap.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Runs one of the programs in `test/clients/programs`. */
  program(name: string, args: readonly string[], env: Record<string, string>): Client {
    return this.start(NODE, [join(CLIENTS, 'programs', `${name}.mjs`), ...args], env);
  }

  /** Runs the text of a program, as if it stood beside those. */
  script(text: string, env: Record<string, string>): Client {
    return this.start(NODE, ['--input-type=module', '--eval', text], env, CLIENTS);
  }

  claude(args: readonly string[], env: Record<string, string>): Client {
    return this.start(join(MODULES, `@anthropic-ai/claude-code-${SYSTEM}/claude`), args, env);
  }

  codex(args: readonly string[], env: Record<string, string>): Client {
    const vendor = join(MODULES, `@openai/codex-${SYSTEM}/vendor`);
    const [triple = ''] = readdirSync(vendor);
    return this.start(join(vendor, triple, 'bin/codex'), args, env);
  }

  private start(command: string, args: readonly string[], env: Record<string, string>, cwd = this.folder): Client {
    const proxy = `http://127.0.0.1:${(this.trap.address() as AddressInfo).port}`;
    const proxies = { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, http_proxy: proxy, https_proxy: proxy };
    const child = spawn(command, args, {
      cwd,
      env: {
        ...{ PATH: process.env['PATH'], HOME: this.folder, TMPDIR: this.folder, LANG: 'C.UTF-8' },
        ...{ ...proxies, NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1', NODE_USE_ENV_PROXY: '1' },
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    return new Client(child);
  }
}

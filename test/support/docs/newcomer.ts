import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAIN } from '../gateway';
import { ROOT } from './page';
import { Shell, type Printed } from './shell';
import type { Step } from './transcript';

/** As the pages write them; what the run has instead is put in and taken out again. */
const ADDRESS = '127.0.0.1:18789';
const FOLDER = '/srv/openclawmu';
const ADMIN_KEY = /ak_root_[0-9a-f]{32}/g;

const START_LIMIT_MS = 60_000;
/** Commands that change nothing, so that they may be given again. */
const READING =
  /^(npx openclawmu (--?\w+ )*(usage|billing|audit|\w+ (list|show)|doctor)\b|curl (?!.* -[dX] )|(cat|ls|tail|head)\b)/s;

/** Somebody who starts the gateway for the first time, in an empty folder, and follows a page at a terminal. */
export class Newcomer {
  private constructor(
    readonly folder: string,
    private readonly gateway: ChildProcess,
    private readonly shell: Shell,
    private readonly address: string,
    private readonly adminKey: string,
    /** What the first start printed. */
    readonly greeting: string,
  ) {}

  static async arrive(): Promise<Newcomer> {
    const folder = await mkdtemp(join(tmpdir(), 'openclawmu-docs-'));
    const base = { PATH: process.env['PATH'] ?? '', HOME: folder, LC_ALL: 'C.UTF-8', TZ: 'UTC' };
    const gateway = spawn(process.execPath, [MAIN], {
      cwd: folder,
      env: { ...base, OPENCLAWMU_PORT: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const greeting = await greetingOf(gateway);
    const address = /listens on http:\/\/(\S+)/.exec(greeting)?.[1] ?? '';
    const adminKey = greeting.match(ADMIN_KEY)?.[0] ?? '';
    const shell = Shell.open(folder, {
      ...base,
      PATH: `${await makePrograms(folder)}:${base.PATH}`,
      OPENCLAWMU_URL: `http://${address}`,
      OPENCLAWMU_ADMIN_KEY: adminKey,
      GATEWAY_PID: String(gateway.pid),
    });
    return new Newcomer(folder, gateway, shell, address, adminKey, greeting);
  }

  /**
   * Follows one step. Reads again what is not yet as the page says: a call is in the ledger moments after its answer, and
   * leased headroom returns within seconds.
   */
  async follow(step: Step, isAsSaid: (printed: Printed) => boolean, patienceMs: number): Promise<Printed> {
    const deadline = Date.now() + patienceMs;
    for (;;) {
      const printed = this.disguise(await this.shell.run(this.localise(step.command)));
      if (isAsSaid(printed) || !READING.test(step.command) || Date.now() > deadline) return printed;
      await new Promise((later) => setTimeout(later, 250));
    }
  }

  async leave(): Promise<void> {
    this.shell.close();
    if (this.gateway.exitCode === null) {
      const ended = new Promise((done) => this.gateway.once('exit', done));
      this.gateway.kill('SIGTERM');
      await ended;
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  private localise(command: string): string {
    return command.replaceAll(ADDRESS, this.address).replaceAll(FOLDER, this.folder).replace(ADMIN_KEY, this.adminKey);
  }

  private disguise({ exitCode, lines }: Printed): Printed {
    const said = lines.map((line) => line.replaceAll(this.address, ADDRESS).replaceAll(this.folder, FOLDER));
    return { exitCode, lines: said };
  }
}

/** What is at hand in a clone: the command line tool through npx, and the packages. */
async function makePrograms(folder: string): Promise<string> {
  const programs = join(folder, '.programs');
  await mkdir(programs);
  const cli = join(ROOT, 'bin/openclawmu.mjs');
  const npx = `#!/bin/sh\n[ "$1" = openclawmu ] && shift && exec '${process.execPath}' '${cli}' "$@"\necho "npx $1 is not for pages" >&2\nexit 127\n`;
  await writeFile(join(programs, 'npx'), npx, { mode: 0o755 });
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return programs;
}

function greetingOf(gateway: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (why: string) => {
      gateway.kill('SIGKILL');
      reject(new Error(`The gateway ${why}:\n${said}`));
    };
    const timer = setTimeout(() => fail(`did not listen within ${START_LIMIT_MS} ms`), START_LIMIT_MS);
    gateway.once('exit', () => fail('ended'));
    for (const stream of [gateway.stdout, gateway.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (!said.includes('listens on') || !said.endsWith('real ones.\n')) return;
        clearTimeout(timer);
        gateway.removeAllListeners('exit');
        resolve(said);
      });
  });
}

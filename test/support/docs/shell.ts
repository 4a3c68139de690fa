import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';

export interface Printed {
  readonly exitCode: number;
  readonly lines: readonly string[];
}

/** Longer than any command of a page takes. */
const LIMIT_MS = 60_000;

/** One bash for all commands of a page, so that what one sets, the next ones have. */
export class Shell {
  #output = '';
  #heard: () => void = () => undefined;

  private constructor(private readonly bash: ChildProcess) {
    for (const stream of [bash.stdout, bash.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
        this.#heard();
      });
    bash.once('close', () => this.#heard());
  }

  static open(folder: string, env: Record<string, string>): Shell {
    const options = { cwd: folder, env, stdio: ['pipe', 'pipe', 'pipe'] as 'pipe'[] };
    const shell = new Shell(spawn('bash', ['--noprofile', '--norc'], options));
    shell.bash.stdin?.write('exec 2>&1\n');
    return shell;
  }

  /** Runs a command and resolves with what it printed, standard error included, as a terminal shows it. */
  async run(command: string): Promise<Printed> {
    const mark = `end-${randomBytes(8).toString('hex')}`;
    this.#output = '';
    // Commands must not read from the pipe the next commands come through.
    this.bash.stdin?.write(`{ ${command}\n} </dev/null\nprintf '\\n%s %s\\n' ${mark} $?\n`);
    const end = new RegExp(`\\n${mark} (\\d+)\\n`);
    const found = await this.waitFor(() => end.exec(this.#output));
    return { exitCode: Number(found[1]), lines: this.#output.slice(0, found.index).split('\n') };
  }

  close(): void {
    this.bash.stdin?.end();
    this.bash.kill('SIGKILL');
  }

  private waitFor<T>(look: () => T | null): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no end within ${LIMIT_MS} ms:\n${this.#output}`)), LIMIT_MS);
      this.#heard = () => {
        const found = look();
        if (found !== null) resolve(found);
        else if (this.bash.exitCode !== null) reject(new Error(`the shell ended:\n${this.#output}`));
        else return;
        clearTimeout(timer);
      };
      this.#heard();
    });
  }
}

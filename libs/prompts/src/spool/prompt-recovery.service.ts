import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError, Config, Database, JobPrincipals, LOG, type Log } from '@app/platform';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { PromptMetrics } from '../prompt-metrics';
import { insertPrompts, type PromptRow } from '../prompts.queries';
import { readRows } from './spooled-row';
import { spoolsIn, type GatewayProcesses } from './spools';

const SWEEP_MS = 3_000;

/** Writes what processes that have ended had noted and not written. It needs no key: rows are noted as they are kept. */
@Injectable()
export class PromptRecovery implements OnApplicationShutdown {
  #timer: NodeJS.Timeout | null = null;
  #sweeping: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(
    private readonly config: Config,
    private readonly db: Database,
    private readonly jobs: JobPrincipals,
    private readonly metrics: PromptMetrics,
    @Inject(LOG) private readonly log: Log,
  ) {}

  start(processes: GatewayProcesses): void {
    this.#sweeping = this.sweep(processes)
      .catch((error: unknown) => this.log.warn({ err: error }, 'the prompt log of ended processes waits'))
      .finally(() => {
        if (!this.#isOver) this.#timer = setTimeout(() => this.start(processes), SWEEP_MS).unref();
      });
  }

  async onApplicationShutdown(): Promise<void> {
    this.#isOver = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#sweeping;
  }

  /** Looks once at what every process on this machine has noted. @throws CodedError `database_unavailable` */
  async sweep(processes: GatewayProcesses): Promise<void> {
    const folder = spoolsIn(this.config.current.dataDir);
    for (const id of await namesIn(folder))
      if (id !== processes.id && (await processes.hasEnded(id))) await this.takeOver(join(folder, id));
  }

  private async takeOver(folder: string): Promise<void> {
    let entries = 0;
    // The last word on a call counts, so it comes first: what is there already stays as it is.
    for (const name of (await namesIn(folder)).sort().reverse()) {
      const path = join(folder, name);
      const { rows, isDamaged } = readRows(await readFile(path));
      const last = new Map(rows.map((row) => [row.requestId, row]));
      for (const row of last.values()) entries += await this.write(row);
      if (isDamaged) {
        this.log.error({ file: path }, 'a part of the prompt log cannot be read: what stands there is lost');
        this.metrics.lost(1);
      }
      await rm(path, { force: true });
    }
    await rm(folder, { recursive: true, force: true });
    if (entries > 0) this.log.info({ entries }, 'the prompt log of a process that ended was completed');
  }

  /** Resolves to how many rows were new. */
  private async write(row: PromptRow): Promise<number> {
    try {
      const written = await this.db.platform(this.jobs.for('prompt log'), (tx) => insertPrompts(tx, [row]));
      this.metrics.recovered(written);
      return written;
    } catch (error) {
      if (error instanceof CodedError) throw error;
      this.log.error({ err: error, requestId: row.requestId }, 'an entry of the prompt log cannot be written');
      this.metrics.lost(1);
      return 0;
    }
  }
}

const namesIn = (folder: string): Promise<string[]> =>
  readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });

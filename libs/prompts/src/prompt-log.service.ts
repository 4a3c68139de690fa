import { join } from 'node:path';
import { promisify } from 'node:util';
import { deflateRaw, deflateRawSync } from 'node:zlib';
import { CodedError, Config, Database, JobPrincipals, LOG, Outage, type Log, type Principal } from '@app/platform';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { close } from './envelope';
import { contextOf, pack, type PromptEntry } from './prompt-entry';
import { closingKey, type PromptKey } from './prompt-keys';
import { PromptMetrics } from './prompt-metrics';
import { PromptQueue } from './prompt-queue';
import { insertPrompts, type PromptRow } from './prompts.queries';
import { Spool } from './spool/spool';
import { spoolsIn, type GatewayProcesses } from './spool/spools';

/** Written in one statement. */
const BATCH = 32;
const PAUSE_MS = 1_000;
const LAST_MS = 5_000;

const deflate = promisify(deflateRaw);
/** While a caller waits there is no time to make it smaller, nor to set up what that would need. It reads like any other. */
const AS_IT_IS = { level: 0, memLevel: 1, windowBits: 9 };

/**
 * Takes what calls leave behind and writes it to the database, encrypted, behind their answers. Until it is there it waits in memory,
 * and sealed in a file, for the next process if this one dies. What has no room in memory is lost, counted and told once.
 */
@Injectable()
export class PromptLog implements OnApplicationShutdown {
  readonly #queue = new PromptQueue();
  readonly #job: Principal;
  readonly #outage: Outage;
  #spool: Spool | null = null;
  #writing: Promise<void> | null = null;
  #isLosing = false;
  #isOver = false;

  constructor(
    private readonly config: Config,
    private readonly db: Database,
    jobs: JobPrincipals,
    private readonly metrics: PromptMetrics,
    @Inject(LOG) private readonly log: Log,
  ) {
    this.#job = jobs.for('prompt log');
    this.#outage = new Outage(
      log,
      'the prompt log waits for the database',
      'the prompt log reaches the database again',
    );
  }

  /** From here on what is not written yet survives the process. */
  start({ id }: Pick<GatewayProcesses, 'id'>): void {
    this.#spool = new Spool(join(spoolsIn(this.config.current.dataDir), id), this.log);
  }

  /** Whether calls of a tenant are kept, those that are not sampled aside. */
  keepsOf({ keepsPrompts }: Principal): boolean {
    return keepsPrompts && this.config.current.promptLog.enabled;
  }

  /** Most bytes to keep of a request, and of its answer; 0 where this call is not to be kept. */
  mostBytesOf(principal: Principal): number {
    if (!principal.keepsPrompts || !this.keepsOf(principal)) return 0;
    const { sample, maxBytes } = this.config.current.promptLog;
    return sample === 1 || Math.random() < sample ? maxBytes : 0;
  }

  /** Notes a call that is not over. Whatever becomes of it, `keep` is to be called too. */
  note(entry: PromptEntry): void {
    if (this.#spool === null) return;
    const key = closingKey(this.config.current.promptLog);
    if (key) this.#spool.note(sealed(key, entry, deflateRawSync(pack(entry), AS_IT_IS)));
  }

  /** Keeps a call that is over. When this returns, only the loss of the machine takes it away, or the want of room. */
  keep(entry: PromptEntry): void {
    if (this.#queue.add(entry, this.config.current.promptLog.queueBytes)) {
      this.note(entry);
      this.begin();
      return;
    }
    this.#spool?.done(entry.requestId);
    this.lose(1, 'the prompt log has no room: entries are lost until the database takes some');
  }

  /** What still waits is written, if the database takes it in time. */
  async onApplicationShutdown(): Promise<void> {
    const late = setTimeout(() => (this.#isOver = true), LAST_MS).unref();
    while (this.#writing !== null) await this.#writing;
    clearTimeout(late);
    const lost = this.#queue.first(this.#queue.length).filter(({ requestId }) => !this.#spool?.has(requestId));
    if (lost.length > 0) this.lose(lost.length, 'the prompt log could not be written before the end');
    this.#spool?.close();
  }

  private begin(): void {
    this.#writing ??= this.write().finally(() => {
      this.#writing = null;
      // What came between the last look and now.
      if (this.#queue.length > 0 && !this.#isOver) this.begin();
    });
  }

  private async write(): Promise<void> {
    /** Entries to be written one by one, because the database refused something of them together. */
    let alone = 0;
    while (this.#queue.length > 0 && !this.#isOver) {
      const batch = this.#queue.first(alone > 0 ? 1 : BATCH);
      try {
        const key = closingKey(this.config.current.promptLog);
        // Switched off meanwhile: then there is nothing to encrypt it with.
        const rows = key ? await Promise.all(batch.map((entry) => closed(key, entry))) : [];
        await this.db.platform(this.#job, (tx) => insertPrompts(tx, rows));
        this.#isLosing = false;
        this.#outage.succeeded();
      } catch (error) {
        if (error instanceof CodedError && error.code === 'database_unavailable') {
          await this.wait(error);
          continue;
        }
        if (batch.length > 1) {
          alone = batch.length;
          continue;
        }
        this.log.error({ err: error, requestId: batch[0]?.requestId }, 'an entry of the prompt log cannot be written');
        this.metrics.lost(1);
      }
      alone = Math.max(0, alone - 1);
      for (const { requestId } of batch) this.#spool?.done(requestId);
      this.#queue.done(batch.length);
    }
  }

  private async wait(error: CodedError): Promise<void> {
    this.#outage.failed(error);
    await new Promise((over) => setTimeout(over, PAUSE_MS));
  }

  private lose(count: number, why: string): void {
    this.metrics.lost(count);
    if (!this.#isLosing) this.log.warn({ waiting: this.#queue.length }, why);
    this.#isLosing = true;
  }
}

/** Prompts repeat themselves, and what is encrypted cannot be made smaller any more. */
const closed = async (key: PromptKey, entry: PromptEntry): Promise<PromptRow> =>
  sealed(key, entry, await deflate(pack(entry)));

function sealed({ id, bytes }: PromptKey, entry: PromptEntry, packed: Buffer): PromptRow {
  const { request: _, answer: __, ...head } = entry;
  const { wrappedKey, sealed: text } = close(bytes, contextOf(id, entry), packed);
  return { keyId: id, wrappedKey, sealed: text, ...head };
}

import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Database, LOG, type Log, type Principal } from '@app/platform';
import { CacheMetrics } from './cache-metrics';
import { putAnswer, selectAnswer, trimAnswers, type StoredAnswer } from './answers.queries';

/** How long a call waits for what may be kept; a provider is asked then. */
const PATIENCE_MS = 250;
/** After a look that failed or took too long nobody looks for a while. */
const REST_MS = 5_000;
/** What waits to be written, at most; more is not kept. */
const MOST_WAITING_BYTES = 64 * 1024 * 1024;
/** A part of what a tenant may have is written before the oldest are removed again. */
const PARTS = 16;

/** An answer on its way into the store. */
export interface Deposit {
  readonly id: Buffer;
  readonly seconds: number;
  readonly maxTenantBytes: number;
  /** Makes what is stored, when it is its turn. */
  readonly seal: () => Buffer;
  /** Of the answer. */
  readonly bytes: number;
}

/** Where answers are kept: the database, which all gateway processes share. It never fails a call and hardly delays one. */
@Injectable()
export class AnswerStore implements OnModuleDestroy {
  #restUntilMs = -Infinity;
  #waitingBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  /** Of each tenant, what this process has written since it last removed the oldest. */
  readonly #written = new Map<string, number>();

  constructor(
    private readonly database: Database,
    private readonly metrics: CacheMetrics,
    @Inject(LOG) private readonly log: Log,
  ) {}

  /** Null where there is none, or it cannot be had soon. */
  async find(principal: Principal, id: Buffer, maxAgeSeconds: number): Promise<StoredAnswer | null> {
    if (performance.now() < this.#restUntilMs) return null;
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${PATIENCE_MS} ms`)), PATIENCE_MS);
    });
    const look = this.database.tenant(principal, (tx) => selectAnswer(tx, id, maxAgeSeconds));
    try {
      return await Promise.race([look, tooLate]);
    } catch (error) {
      this.#restUntilMs = performance.now() + REST_MS;
      this.failed(error, 'the response cache cannot be read; providers are asked meanwhile');
      return null;
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Keeps an answer, behind the call that bought it. One after the other, so that this takes a single connection. Resolves when it
   * is kept, or given up.
   */
  keep(principal: Principal, deposit: Deposit): Promise<void> {
    const { bytes } = deposit;
    if (this.#waitingBytes + bytes > MOST_WAITING_BYTES) {
      this.metrics.count('failed');
      return Promise.resolve();
    }
    this.#waitingBytes += bytes;
    this.#writing = this.#writing
      .then(() => this.write(principal, deposit))
      .then(() => this.metrics.count('stored'))
      .catch((error: unknown) => this.failed(error, 'an answer could not be kept'))
      .finally(() => (this.#waitingBytes -= bytes));
    return this.#writing;
  }

  /** Resolves when all that was to be kept is kept, or given up. */
  async onModuleDestroy(): Promise<void> {
    await this.#writing;
  }

  private async write(principal: Principal, { id, seconds, maxTenantBytes, seal }: Deposit): Promise<void> {
    const tenantId = principal.tenantId as string;
    const sealed = seal();
    const part = Math.floor(maxTenantBytes / PARTS);
    const written = (this.#written.get(tenantId) ?? part) + sealed.length;
    await this.database.tenant(principal, async (tx) => {
      await putAnswer(tx, id, sealed, seconds);
      if (written > part) await trimAnswers(tx, maxTenantBytes - part);
    });
    this.#written.set(tenantId, written > part ? 0 : written);
  }

  private failed(error: unknown, what: string): void {
    this.metrics.count('failed');
    this.log.warn({ err: error }, what);
  }
}

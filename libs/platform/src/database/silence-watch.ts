import { setTimeout as delay } from 'node:timers/promises';
import type { Socket } from 'node:net';
import { Client, type ClientBase, type ClientConfig } from 'pg';

const SILENCE_MS = 5_000;
const LOOKS = 5;
const ANSWER_MS = 5_000;

const SILENT = 'Connection terminated: the database is silent, and not at work on what it was asked';

/** What pg's clients have and its types do not tell. */
interface Inside {
  readonly processID: number;
  /** `false` while a query is under way. */
  readonly readyForQuery: boolean | null;
  readonly connection: { readonly stream: Socket };
}

interface Watched {
  readonly client: Inside;
  bytes: number;
  /** Monotonic ms, as all here. */
  heardAtMs: number;
  /** Since when it waits for an answer of which nothing has come; always the present while it does not. */
  waitsSinceMs: number;
}

/**
 * Finds connections whose server is gone without a word: a network that was cut or forgot them, a machine that is lost. Nothing of that
 * reaches us for a quarter of an hour, and a query may well take longer. So of one that is silent another connection asks whether the
 * server is at work for it.
 */
export class SilenceWatch {
  readonly #watched = new Set<Watched>();
  #timer: NodeJS.Timeout | null = null;
  #asking = false;

  /**
   * @param config of the connections it watches over
   * @param silenceMs for so long a query may be silent before the server is asked
   */
  constructor(
    private readonly config: ClientConfig,
    private readonly silenceMs = SILENCE_MS,
  ) {}

  over(client: ClientBase): void {
    const nowMs = performance.now();
    const watched = { client: client as unknown as Inside, bytes: 0, heardAtMs: nowMs, waitsSinceMs: nowMs };
    this.#watched.add(watched);
    client.once('end', () => this.forget(watched));
    this.#timer ??= setInterval(() => void this.look(), this.silenceMs / LOOKS).unref();
  }

  private forget(watched: Watched): void {
    this.#watched.delete(watched);
    if (this.#watched.size > 0 || !this.#timer) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  private async look(): Promise<void> {
    const silent = this.silent();
    if (silent.length === 0 || this.#asking) return;
    this.#asking = true;
    try {
      const atWork = await this.atWork(silent.map(({ client }) => client.processID));
      if (atWork === 'unknown') return;
      // An answer may be on its way.
      await delay(this.silenceMs / LOOKS, undefined, { ref: false });
      const still = new Set(this.silent());
      const gone = silent.filter((each) => still.has(each) && !atWork.has(each.client.processID));
      if (gone.length > 0) this.giveUp(gone);
    } finally {
      this.#asking = false;
    }
  }

  private silent(): Watched[] {
    const nowMs = performance.now();
    return [...this.#watched].filter((watched) => {
      const { readyForQuery, connection } = watched.client;
      const { bytesRead } = connection.stream;
      if (bytesRead !== watched.bytes) watched.heardAtMs = nowMs;
      if (bytesRead !== watched.bytes || readyForQuery !== false) watched.waitsSinceMs = nowMs;
      watched.bytes = bytesRead;
      return nowMs - watched.waitsSinceMs > this.silenceMs;
    });
  }

  /** Of those that are idle nobody knows: but for such as were heard meanwhile they go too, or whoever takes one next would wait as long. */
  private giveUp(gone: readonly Watched[]): void {
    const sinceMs = Math.min(...gone.map(({ waitsSinceMs }) => waitsSinceMs));
    const idle = [...this.#watched].filter(
      ({ client, heardAtMs }) => client.readyForQuery !== false && heardAtMs <= sinceMs,
    );
    for (const { client } of [...gone, ...idle]) client.connection.stream.destroy(new Error(SILENT));
  }

  /** Which of these the server is at work for; none where it cannot be reached, `unknown` where it would not say. */
  private async atWork(processIds: readonly number[]): Promise<ReadonlySet<number> | 'unknown'> {
    const client = new Client({ ...this.config, connectionTimeoutMillis: ANSWER_MS, query_timeout: ANSWER_MS });
    client.on('error', () => undefined); // the query that fails says the same
    try {
      await client.connect();
      const { rows } = await client.query<{ own: number; pid: number | null }>(
        `SELECT pg_backend_pid() AS own, a.pid FROM (SELECT) one
           LEFT JOIN pg_stat_activity a ON a.pid = ANY ($1) AND a.state NOT LIKE 'idle%'`,
        [processIds],
      );
      // A pooler gives its clients other numbers than the server's.
      if (rows[0]?.own !== (client as unknown as Inside).processID) return 'unknown';
      return new Set(rows.flatMap(({ pid }) => pid ?? []));
    } catch (error) {
      return 'severity' in (error as object) ? 'unknown' : new Set();
    } finally {
      void client.end().catch(() => undefined);
    }
  }
}

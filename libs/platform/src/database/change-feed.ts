import { Client } from 'pg';
import type { Log } from '../log/log';
import { listen, sessionSettings } from './connection';
import type { Change } from './tx';

/** Bounds staleness if a notification is lost: counters are compared this often. */
const POLL_MS = 500;
const RECONNECT_MS = 250;
/** A server that is silent for longer is given up: it may be out of reach while the pool's connections go on. */
const ANSWER_MS = 2_000;
const CHANNEL = 'openclawmu_changes';

export interface ChangeListener {
  /** One thing changed. */
  changed(id: string): void;
  /** Anything of this kind may have changed: a notification was lost or the connection was. */
  reset(): void;
}

/**
 * Tells this process what any process changed. Notifications carry the id and arrive within milliseconds; a counter per
 * kind, raised in the transaction of the change and so ordered like the commits, shows whether one was missed.
 */
export class ChangeFeed {
  readonly #listeners = new Map<string, Set<ChangeListener>>();
  readonly #seen = new Map<string, bigint>();
  #client: Client | null = null;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(
    private readonly url: string,
    private readonly log: Log,
  ) {}

  on(kind: string, listener: ChangeListener): void {
    const listeners = this.#listeners.get(kind) ?? new Set();
    this.#listeners.set(kind, listeners.add(listener));
  }

  async start(): Promise<void> {
    await this.connect();
    this.schedule(POLL_MS);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#client?.end().catch(() => undefined);
  }

  private async connect(): Promise<void> {
    const client = new Client({
      connectionString: this.url,
      ...sessionSettings,
      connectionTimeoutMillis: 5_000,
      query_timeout: ANSWER_MS,
    });
    client.on('error', (error) => this.lost(client, error));
    client.on('end', () => this.lost(client));
    client.on('notification', ({ payload }) => this.heard(payload ?? ''));
    await listen(client, CHANNEL);
    this.#client = client;
    await this.compare(client);
  }

  private lost(client: Client, error?: Error): void {
    if (this.#client !== client || this.#stopped) return;
    this.#client = null;
    this.log.warn({ err: error }, 'lost the connection that hears of changes; reconnecting');
    void client.end().catch(() => undefined);
  }

  private heard(payload: string): void {
    const { kind, id, n } = JSON.parse(payload) as Change & { n: number };
    const next = BigInt(n);
    const seen = this.#seen.get(kind) ?? 0n;
    if (next > seen) this.#seen.set(kind, next);
    for (const listener of this.#listeners.get(kind) ?? []) {
      if (next > seen + 1n) listener.reset();
      else listener.changed(id);
    }
  }

  private schedule(delayMs: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.poll(), delayMs);
    this.#timer.unref();
  }

  private async poll(): Promise<void> {
    try {
      if (this.#client) await this.compare(this.#client);
      else await this.connect();
      this.schedule(POLL_MS);
    } catch (error) {
      const client = this.#client;
      if (client) this.lost(client, error as Error);
      this.schedule(RECONNECT_MS);
    }
  }

  private async compare(client: Client): Promise<void> {
    const { rows } = await client.query<{ kind: string; n: bigint }>('SELECT kind, n FROM change_counters');
    for (const { kind, n } of rows) {
      if (n === (this.#seen.get(kind) ?? 0n)) continue;
      this.#seen.set(kind, n);
      for (const listener of this.#listeners.get(kind) ?? []) listener.reset();
    }
  }
}

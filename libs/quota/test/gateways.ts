import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { Clock, type Log, parseNanos } from '@app/platform';
import { type GatewayDatabase, openGatewayDatabase, silentLog } from '../../../test/support/gateway-database';
import { adminPrincipal, jobPrincipals } from '../../../test/support/principals';
import { Audit } from '../../audit/src/audit.service';
import { type AssembledQuota, assembleQuota } from '../src/assemble';
import { BudgetsService } from '../src/budgets.service';
import { testLedger } from './test-ledger';

/** A clock that stands still unless told. */
export class TestClock extends Clock {
  constructor(public time: Date = new Date()) {
    super();
  }

  now(): Date {
    return this.time;
  }
}

export const ALWAYS = new (class extends Clock {
  now(): Date {
    return new Date();
  }
})();

export interface GatewayOptions {
  readonly clock?: Clock;
  readonly dataDir?: string;
  readonly sync?: 'write' | 'group';
  readonly log?: Log;
}

/** A database, and any number of gateway processes' money on it, each with its own identity, journal and connections. */
export class Gateways {
  readonly #started: AssembledQuota[] = [];

  private constructor(
    readonly db: GatewayDatabase,
    readonly dataDir: string,
    /** Sees everything, whatever the roles. */
    readonly sql: Client,
  ) {}

  static async open(): Promise<Gateways> {
    const db = await openGatewayDatabase();
    const sql = new Client({ connectionString: db.urls.superuserUrl, options: '-c search_path=openclawmu' });
    await sql.connect();
    return new Gateways(db, await mkdtemp(join(tmpdir(), 'quota-test-')), sql);
  }

  async start({ clock = ALWAYS, dataDir = this.dataDir, sync = 'write', log = silentLog }: GatewayOptions = {}) {
    const { database, changes } = await this.db.otherProcess();
    const gateway = assembleQuota({
      database,
      databaseUrl: this.db.urls.gatewayUrl,
      changes,
      jobs: jobPrincipals,
      clock,
      log,
      dataDir,
      timezone: 'UTC',
      journal: { sync },
    });
    gateway.settlements.sink(testLedger);
    await gateway.quota.start();
    this.#started.push(gateway);
    return gateway;
  }

  async tenant(id: string, limits: { month?: string; day?: string } = {}): Promise<void> {
    await this.sql.query(
      `INSERT INTO tenants (id, name, status, settings, created_at, updated_at) VALUES ($1, $1, 'active', '{}', now(), now())`,
      [id],
    );
    for (const [period, limit] of Object.entries(limits))
      await this.budgets().set(adminPrincipal(), id, { metric: 'cost', period: period as 'day' | 'month', limit });
  }

  budgets(clock: Clock = ALWAYS): BudgetsService {
    const { meters } = assembleQuota({
      database: this.db.database,
      databaseUrl: '',
      changes: null as never,
      jobs: jobPrincipals,
      clock,
      log: silentLog,
      dataDir: this.dataDir,
      timezone: 'UTC',
      journal: { sync: 'write' },
    });
    return new BudgetsService(this.db.database, new Audit(), meters);
  }

  /** The tenant's month, in nano-units. */
  async month(
    tenantId: string,
  ): Promise<{ spent: bigint; leased: bigint; limit: bigint | null; ceiling: bigint | null }> {
    const { rows } = await this.sql.query<Record<string, string | null>>(
      `SELECT spent, leased, limit_amount, ceiling FROM budget_windows WHERE tenant_id = $1 AND period = 'month' ORDER BY id DESC LIMIT 1`,
      [tenantId],
    );
    const nanos = (text: string | null | undefined) => (text == null ? null : BigInt(text));
    const { spent, leased, limit_amount, ceiling } = rows[0] ?? {};
    return {
      spent: nanos(spent) ?? 0n,
      leased: nanos(leased) ?? 0n,
      limit: nanos(limit_amount),
      ceiling: nanos(ceiling),
    };
  }

  async ledger(): Promise<{ rows: number; sum: bigint; unconfirmed: number }> {
    const { rows } = await this.sql.query<{ rows: string; sum: string; unconfirmed: string }>(
      `SELECT count(*) AS rows, coalesce(sum(cost_nanos), 0)::bigint AS sum,
         count(*) FILTER (WHERE status = 'unconfirmed') AS unconfirmed FROM ledger`,
    );
    const [row] = rows;
    return { rows: Number(row?.rows), sum: BigInt(row?.sum ?? 0), unconfirmed: Number(row?.unconfirmed) };
  }

  async close(): Promise<void> {
    await Promise.all(this.#started.map(({ quota }) => quota.close()));
    await this.sql.end();
    await this.db.close();
    await rm(this.dataDir, { recursive: true, force: true });
  }
}

export const nanos = parseNanos;

/** Waits until something holds; jest's own timeout ends what never does. */
export async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}

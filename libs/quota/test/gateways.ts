import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import { Audit } from '@app/audit';
import { Clock, type Config, type Log, newId, parseNanos, type RouteConfig, type Tx } from '@app/platform';
import type { Notice } from '@app/webhooks';
import { type GatewayDatabase, openGatewayDatabase, silentLog } from '../../../test/support/gateway-database';
import { adminPrincipal, jobPrincipals } from '../../../test/support/principals';
import { type AssembledQuota, assembleQuota } from '../src/assemble';
import { BudgetsService } from '../src/budgets.service';
import { BudgetCheck } from '../src/check/budget-check.service';
import { LostProcesses } from '../src/lost/lost-processes.service';
import { socketFolder } from '../src/liveness-socket';
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

/** Writes what is announced into the real outbox, for an endpoint that wants everything. */
class TestNotices {
  async announce(tx: Tx, notice: Notice): Promise<void> {
    await tx.query(
      `INSERT INTO webhook_deliveries (id, endpoint, event, tenant_id, body) VALUES ($1, 'test', $2, $3, $4)`,
      [newId('msg'), notice.event, notice.tenant, JSON.stringify(notice.data)],
    );
  }
}

export interface Used {
  readonly spent: bigint;
  readonly leased: bigint;
  readonly limit: bigint | null;
  readonly ceiling: bigint | null;
  /** Of what is spent, the part without rows. */
  readonly writtenOff: bigint;
  readonly uncovered: bigint;
}

export interface GatewayOptions {
  readonly clock?: Clock;
  readonly dataDir?: string;
  readonly sync?: 'write' | 'group';
  readonly segmentBytes?: number;
  readonly log?: Log;
  readonly waitMs?: number;
  readonly timezone?: string;
  /** Whether nothing is heard of what others change. */
  readonly deaf?: boolean;
}

/** A database, and any number of gateway processes' money on it, each with its own identity, journal and connections. */
export class Gateways {
  readonly #started: AssembledQuota[] = [];
  readonly #dataDirs = new Set<string>();
  readonly notices = new TestNotices();

  private constructor(
    readonly db: GatewayDatabase,
    readonly dataDir: string,
    /** Sees everything, whatever the roles. */
    readonly sql: Pool,
  ) {}

  static async open(): Promise<Gateways> {
    const db = await openGatewayDatabase();
    const sql = new Pool({ max: 2, connectionString: db.urls.superuserUrl, options: '-c search_path=openclawmu' });
    sql.on('error', () => undefined); // some tests stop the server
    return new Gateways(db, await mkdtemp(join(tmpdir(), 'quota-test-')), sql);
  }

  async start({
    clock = ALWAYS,
    dataDir = this.dataDir,
    sync = 'write',
    segmentBytes = 4_194_304,
    log = silentLog,
    waitMs = 500,
    timezone = 'UTC',
    deaf = false,
  }: GatewayOptions = {}) {
    this.#dataDirs.add(dataDir);
    const { database, changes } = await this.db.otherProcess();
    const gateway = assembleQuota({
      database,
      databaseUrl: this.db.urls.gatewayUrl,
      changes,
      jobs: jobPrincipals,
      clock,
      log,
      webhooks: this.notices,
      dataDir,
      timezone,
      journal: { sync, segmentBytes },
      waitMs: () => waitMs,
    });
    gateway.settlements.sink(testLedger);
    await gateway.quota.start();
    if (deaf) await changes.stop();
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
    await this.heard();
  }

  /** All processes know which budgets there are. */
  async heard(): Promise<void> {
    await Promise.all(this.#started.map(({ settlements }) => settlements.budgets.catchUp()));
  }

  /** @param routes of the configuration */
  budgets(clock: Clock = ALWAYS, routes: Record<string, RouteConfig> = {}): BudgetsService {
    return this.budgetsOf(this.assembled(clock), routes);
  }

  /** As one of the processes sets them. */
  budgetsOf({ meters, settlements }: AssembledQuota, routes: Record<string, RouteConfig> = {}): BudgetsService {
    const config = { current: { routes } } as Config;
    return new BudgetsService(this.db.database, new Audit(), meters, settlements, config);
  }

  check(clock: Clock = ALWAYS): BudgetCheck {
    const { meters, settlements } = this.assembled(clock);
    return new BudgetCheck(this.db.database, new Audit(), meters, settlements);
  }

  /** Of no process: what administrators need. */
  private assembled(clock: Clock): AssembledQuota {
    const quota = assembleQuota({
      database: this.db.database,
      databaseUrl: '',
      changes: null as never,
      jobs: jobPrincipals,
      clock,
      log: silentLog,
      webhooks: this.notices,
      dataDir: this.dataDir,
      timezone: 'UTC',
      journal: { sync: 'write' },
      waitMs: () => 0,
    });
    quota.settlements.sink(testLedger);
    return quota;
  }

  /** As one of the processes sees them. */
  lost({ place, settlements }: AssembledQuota): LostProcesses {
    return new LostProcesses(this.db.database, new Audit(), place, settlements);
  }

  /** The tenant's month under way, in nano-units or tokens. */
  async month(tenantId: string, metric: 'cost' | 'tokens' = 'cost'): Promise<Used> {
    const [month] = await this.look<Used>(
      `SELECT spent, leased, limit_amount AS "limit", ceiling, written_off AS "writtenOff", uncovered FROM budget_windows
       WHERE tenant_id = $1 AND metric = $2 AND period = 'month' AND scope = 'tenant' ORDER BY id DESC LIMIT 1`,
      [tenantId, metric],
    );
    return month ?? { spent: 0n, leased: 0n, limit: null, ceiling: null, writtenOff: 0n, uncovered: 0n };
  }

  async ledger(): Promise<{ rows: number; sum: bigint; unconfirmed: number }> {
    const [all] = await this.look<{ rows: bigint; sum: bigint; unconfirmed: bigint }>(
      `SELECT count(*) AS rows, coalesce(sum(cost_nanos), 0)::bigint AS sum,
         count(*) FILTER (WHERE status = 'unconfirmed') AS unconfirmed FROM ledger`,
    );
    return { rows: Number(all?.rows), sum: all?.sum ?? 0n, unconfirmed: Number(all?.unconfirmed) };
  }

  look<Row>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return this.db.database.platform(jobPrincipals.for('look'), (tx) => tx.query<Row>(sql, parameters));
  }

  async close(): Promise<void> {
    await Promise.all(this.#started.map(({ quota }) => quota.close()));
    await this.sql.end();
    await this.db.close();
    for (const folder of [...this.#dataDirs.add(this.dataDir)].flatMap((dir) => [dir, socketFolder(dir)]))
      await rm(folder, { recursive: true, force: true });
  }
}

export const nanos = parseNanos;

/** Waits until something holds; jest's own timeout ends what never does. */
export async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}

import type { ClientBase } from 'pg';
import type { DataSource, QueryRunner } from 'typeorm';
import { Principal } from '../access/principal';
import { CodedError } from '../errors/coded-error';
import { codeOf, isDatabaseAway } from './database-away';
import { openTx, type Tx } from './tx';

const TENANT_ID = /^[a-z0-9][a-z0-9_-]{0,31}$/;

const RETRYABLE = new Set(['40001', '40P01']);
const ATTEMPTS = 3;
const READ_ONLY = '25006';

/**
 * The door to the database. Every transaction runs as a role that owns no table: `tenant` under row-level security for
 * the principal's own tenant, `platform` across tenants and only for admins and jobs.
 */
export class Database {
  constructor(private readonly source: DataSource) {}

  /** One transaction inside the principal's tenant; rows of others do not exist in it. */
  tenant<T>(principal: Principal, work: (tx: Tx) => Promise<T>): Promise<T> {
    const { tenantId } = genuine(principal);
    if (tenantId === null || !TENANT_ID.test(tenantId))
      throw new TypeError('a tenant transaction needs a principal of a tenant');
    return this.transaction(principal, `SET LOCAL ROLE openclawmu_tenant; SET LOCAL app.tenant = '${tenantId}'`, work);
  }

  /** One transaction across tenants. @throws TypeError for a tenant's principal: that is a defect, not a refusal. */
  platform<T>(principal: Principal, work: (tx: Tx) => Promise<T>): Promise<T> {
    if (genuine(principal).kind === 'tenant') throw new TypeError('a tenant has no business in a platform transaction');
    return this.transaction(principal, 'SET LOCAL ROLE openclawmu_platform', work);
  }

  /** Round trip to the database, and whether it takes writes. @throws CodedError `database_unavailable` */
  async ping(): Promise<void> {
    const runner = this.source.createQueryRunner();
    try {
      const rows = (await runner.query('SHOW transaction_read_only')) as { transaction_read_only: string }[];
      if (rows[0]?.transaction_read_only === 'off') return;
      await discard(runner);
      throw away(new Error('the database takes no writes: it is a standby, or default_transaction_read_only is on'));
    } catch (error) {
      unavailable(error);
    } finally {
      await runner.release().catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    if (this.source.isInitialized) await this.source.destroy();
  }

  private async transaction<T>(principal: Principal, scope: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.attempt(principal, scope, work);
      } catch (error) {
        if (attempt === ATTEMPTS || !RETRYABLE.has(codeOf(error))) throw error;
      }
    }
  }

  private async attempt<T>(principal: Principal, scope: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    const runner = this.source.createQueryRunner();
    try {
      await runner.startTransaction();
      await runner.query(scope);
      const tx = openTx(runner, principal);
      const result = await work(tx);
      for (const { kind, id } of [...tx.announced].sort((a, b) => (a.kind < b.kind ? -1 : 1))) {
        await runner.query('SELECT announce_change($1, $2)', [kind, id]);
      }
      await runner.commitTransaction();
      return result;
    } catch (error) {
      // TypeORM lets go of a runner the moment its connection breaks; whatever was asked of it after that says nothing of why.
      if (runner.isReleased && !(error instanceof CodedError)) throw away(error);
      if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
      if (codeOf(error) === READ_ONLY) await discard(runner);
      return unavailable(error);
    } finally {
      await runner.release().catch(() => undefined);
    }
  }
}

function genuine(principal: Principal): Principal {
  if (!Principal.isGenuine(principal)) throw new TypeError('a transaction needs a Principal minted by auth');
  return principal;
}

/** A session may stay read-only after the database no longer is, so it does not go back to the pool. */
async function discard(runner: QueryRunner): Promise<void> {
  if (runner.isReleased) return;
  const client = (await runner.connect()) as ClientBase & { end(): Promise<void> };
  void client.end().catch(() => undefined);
}

function unavailable(error: unknown): never {
  if (error instanceof CodedError) throw error;
  throw isDatabaseAway(error) ? away(error) : error;
}

const away = (cause: unknown): CodedError =>
  new CodedError('database_unavailable', undefined, { cause, headers: { 'retry-after': '1' } });

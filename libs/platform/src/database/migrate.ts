import { Client } from 'pg';
import type { MigrationInterface } from 'typeorm';
import { createDataSource, SCHEMA } from './connection';

/** Any constant will do, as long as all processes use the same. */
const MIGRATION_LOCK = 0x6f636d75;

/** The database is not one the gateway can work on; the message says what to do. */
export class DatabaseUnfit extends Error {
  override readonly name = 'DatabaseUnfit';
}

export interface MigrateOptions {
  /** Login that owns the schema. */
  readonly ownerUrl: string;
  /** Login the gateway runs with; it is allowed to take on the two runtime roles. */
  readonly gatewayUrl: string;
  readonly migrations: readonly (new () => MigrationInterface)[];
}

/**
 * Brings the schema up to date, all or nothing; several processes may start at once. Returns the names applied.
 * The runtime roles belong to the cluster, not the database, so they are made here and not by a migration.
 */
export async function migrate({ ownerUrl, gatewayUrl, migrations }: MigrateOptions): Promise<string[]> {
  const lock = new Client({ connectionString: ownerUrl });
  await lock.connect();
  try {
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await prepareRoles(lock, await loginOf(gatewayUrl));
    await lock.query(`CREATE SCHEMA IF NOT EXISTS ${SCHEMA}`);
    await lock.query(`GRANT USAGE ON SCHEMA ${SCHEMA} TO openclawmu_tenant, openclawmu_platform`);
    const source = createDataSource(ownerUrl, 2, {
      migrations: [...migrations],
      migrationsTransactionMode: 'all',
      migrationsTableName: 'migrations',
    });
    await source.initialize();
    try {
      return (await source.runMigrations()).map((migration) => migration.name);
    } finally {
      await source.destroy();
    }
  } finally {
    await lock.end();
  }
}

async function loginOf(url: string): Promise<string> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<{ login: string }>('SELECT session_user AS login')).rows[0]?.login as string;
  } finally {
    await client.end();
  }
}

async function prepareRoles(owner: Client, login: string): Promise<void> {
  const version = Number(
    (await owner.query<{ v: string }>("SELECT current_setting('server_version_num') AS v")).rows[0]?.v,
  );
  if (version < 150_000)
    throw new DatabaseUnfit(`PostgreSQL ${Math.floor(version / 10_000)} is too old; 15 or newer is needed.`);
  for (const role of ['openclawmu_tenant', 'openclawmu_platform']) {
    try {
      // Two databases of one cluster may do this at the same moment.
      await owner.query(
        `DO $$ BEGIN IF to_regrole('${role}') IS NULL THEN CREATE ROLE ${role} NOLOGIN; END IF; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`,
      );
      const { rowCount } = await owner.query(
        'SELECT 1 FROM pg_auth_members WHERE roleid = to_regrole($1)::oid AND member = (SELECT oid FROM pg_roles WHERE rolname = $2)',
        [role, login],
      );
      if (rowCount) continue;
      // Without INHERIT the login has none of the role's rights until a transaction takes the role on. 15 cannot say so per grant.
      await owner.query(
        `GRANT ${role} TO ${owner.escapeIdentifier(login)}${version >= 160_000 ? ' WITH INHERIT FALSE, SET TRUE' : ''}`,
      );
    } catch (error) {
      throw new DatabaseUnfit(
        `The role ${role} could not be prepared: ${(error as Error).message}. Give the migrating login CREATEROLE, or have an administrator run: ` +
          `CREATE ROLE ${role} NOLOGIN; GRANT ${role} TO "${login}";`,
        { cause: error },
      );
    }
  }
}

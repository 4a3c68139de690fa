import { Client } from 'pg';
import type { MigrationInterface } from 'typeorm';
import { createDataSource, SCHEMA } from './connection';
import { codeOf, isDatabaseAway } from './database-away';

/** Any constant will do, as long as all processes use the same. */
const MIGRATION_LOCK = 0x6f636d75;

const MIGRATIONS_TABLE = 'migrations';

/** duplicate_object and unique_violation. */
const ALREADY_THERE: ReadonlySet<string> = new Set(['42710', '23505']);

/** The database is not one the gateway can work on; the message says what to do. */
export class DatabaseUnfit extends Error {
  override readonly name = 'DatabaseUnfit';
}

/** The database ended, or threw us out, before its schema was up to date; the message says what to do. */
export class MigrationInterrupted extends Error {
  override readonly name = 'MigrationInterrupted';

  constructor(cause: Error) {
    super(
      `The database broke off while its schema was being brought up to date: ${cause.message}. ` +
        'That is one transaction, so nothing is half done: start the gateway again once the database answers.',
      { cause },
    );
  }
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
 * @throws DatabaseUnfit, MigrationInterrupted
 */
export async function migrate({ ownerUrl, gatewayUrl, migrations }: MigrateOptions): Promise<string[]> {
  const login = await loginOf(gatewayUrl);
  const lock = await connect(ownerUrl);
  try {
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await refuseNewerSchema(lock, new Set(migrations.map(({ name }) => name)));
    await prepareRoles(lock, login);
    await lock.query(`CREATE SCHEMA IF NOT EXISTS ${SCHEMA}`);
    await lock.query(`GRANT USAGE ON SCHEMA ${SCHEMA} TO openclawmu_tenant, openclawmu_platform`);
    const source = createDataSource(ownerUrl, 2, {
      migrations: [...migrations],
      migrationsTransactionMode: 'all',
      migrationsTableName: MIGRATIONS_TABLE,
    });
    await source.initialize();
    try {
      return (await source.runMigrations()).map((migration) => migration.name);
    } finally {
      await source.destroy();
    }
  } catch (error) {
    throw await explained(error as Error, lock);
  } finally {
    await lock.end();
  }
}

/** A connection whose end, at whatever moment, is told by its queries alone: unheard, it would end the process. */
async function connect(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString });
  client.on('error', () => undefined);
  await client.connect().catch((error: Error) => {
    // The server may still wait for a password that does not come.
    client.end().catch(() => undefined);
    throw withRemedy(error);
  });
  return client;
}

/** What the system and the server say is explained where the gateway starts; TLS and the client itself just throw. */
function withRemedy(error: Error & { syscall?: string; severity?: string; errors?: unknown }): Error {
  if (error.syscall !== undefined || error.severity !== undefined || error.errors !== undefined) return error;
  return new DatabaseUnfit(
    `No connection to the database comes about: ${error.message}. Check DATABASE_URL, or database.url in the configuration: ` +
      'its password, its sslmode, and its sslrootcert where an authority of your own signs certificates.',
    { cause: error },
  );
}

/** TypeORM's words for a connection that broke may say nothing of why; that of the lock breaks with it, and says it. */
async function explained(error: Error, lock: Client): Promise<Error> {
  if (isDatabaseAway(error)) return new MigrationInterrupted(error);
  const broken = await lock.query('SELECT').then(
    () => null,
    (reason: Error) => reason,
  );
  return broken === null ? error : new MigrationInterrupted(broken);
}

async function loginOf(url: string): Promise<string> {
  const client = await connect(url);
  try {
    return (await client.query<{ login: string }>('SELECT session_user AS login')).rows[0]?.login as string;
  } finally {
    await client.end();
  }
}

/** TypeORM passes over what it does not know; but a gateway that writes as its older schema wanted it would spoil the books of the newer. */
async function refuseNewerSchema(owner: Client, known: ReadonlySet<string>): Promise<void> {
  const table = `${SCHEMA}.${MIGRATIONS_TABLE}`;
  const { rows: found } = await owner.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [table]);
  if (!found[0]?.there) return;
  const { rows } = await owner.query<{ name: string }>(`SELECT name FROM ${table} ORDER BY timestamp`);
  const unknown = rows.map(({ name }) => name).filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new DatabaseUnfit(
    `A newer version of the gateway has changed this database's schema (${unknown.join(', ')}). ` +
      'Start that version; to go back to this one, restore the backup from before the upgrade.',
  );
}

async function prepareRoles(owner: Client, login: string): Promise<void> {
  const { rows } = await owner.query<{ v: string }>("SELECT current_setting('server_version_num') AS v");
  const version = Number(rows[0]?.v);
  if (version < 150_000)
    throw new DatabaseUnfit(`PostgreSQL ${Math.floor(version / 10_000)} is too old; 15 or newer is needed.`);
  const statements = await missingRoles(owner, login, version);
  for (const statement of statements) {
    try {
      await owner.query(statement);
    } catch (error) {
      if (isDatabaseAway(error)) throw error;
      // Two databases of one cluster may do this at the same moment.
      if (ALREADY_THERE.has(codeOf(error))) continue;
      throw new DatabaseUnfit(
        `The gateway's roles could not be prepared: ${(error as Error).message}. ` +
          `Give the migrating login CREATEROLE, or have an administrator run: ${statements.join(' ')}`,
        { cause: error },
      );
    }
  }
}

/** What must be run so that there are the two roles, and the login may take them on. */
async function missingRoles(owner: Client, login: string, version: number): Promise<string[]> {
  const fine = version >= 160_000;
  const { rows } = await owner.query<{ role: string; absent: boolean; taken: boolean | null }>(
    `SELECT role, to_regrole(role) IS NULL AS absent, pg_has_role($2, to_regrole(role)::oid, $3) AS taken
       FROM unnest($1::text[]) AS role`,
    // Whoever makes a role is a member of it from 16 on, but one that may not take it on.
    [['openclawmu_tenant', 'openclawmu_platform'], login, fine ? 'SET' : 'MEMBER'],
  );
  // Without INHERIT the login has none of the role's rights until a transaction takes the role on. 15 cannot say so per grant.
  const terms = fine ? ' WITH INHERIT FALSE, SET TRUE' : '';
  return rows.flatMap(({ role, absent, taken }) => [
    ...(absent ? [`CREATE ROLE ${role} NOLOGIN;`] : []),
    ...(taken ? [] : [`GRANT ${role} TO ${owner.escapeIdentifier(login)}${terms};`]),
  ]);
}

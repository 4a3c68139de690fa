import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SCHEMA, type GatewayConfig, type Secret } from '@app/platform';
import { Client } from 'pg';
import { note, ok, wrong, type Finding } from './finding';

const ABOUT = 'database';
const TIMEOUT_MS = 5_000;
const OLDEST = 150_000;

interface State {
  readonly version: number;
  readonly migrated: boolean;
  /** Whether the gateway's login could switch row-level security off: it owns a table, or is a superuser. */
  readonly mighty: boolean;
  readonly creates: boolean;
}

/** Whether the configured PostgreSQL answers, is new enough and has the schema. */
export async function examineDatabase({ database, dataDir }: GatewayConfig): Promise<Finding> {
  if (!database.url) {
    const made = existsSync(join(dataDir, 'postgres'));
    return ok(
      ABOUT,
      `embedded PostgreSQL, ${made ? 'its data is there' : 'made at the first start'}; it runs while the gateway does`,
    );
  }
  try {
    return judge(await ask(database.url), database.migrationUrl !== undefined);
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    return wrong(
      ABOUT,
      `does not answer: ${message || code}`,
      'Check database.url (or DATABASE_URL), the network and the password.',
    );
  }
}

function judge({ version, migrated, mighty, creates }: State, hasMigrator: boolean): Finding {
  const number = Math.floor(version / 10_000);
  if (version < OLDEST) return wrong(ABOUT, `PostgreSQL ${number} is too old`, 'Use 15 or newer.');
  if (!migrated && !hasMigrator && !creates)
    return wrong(
      ABOUT,
      'the schema is missing and the login may not make it',
      'Set database.migrationUrl to a login that owns the database and has CREATEROLE.',
    );
  if (mighty)
    return note(
      ABOUT,
      `PostgreSQL ${number}: the gateway's login owns the tables`,
      'Set database.migrationUrl to the owner and database.url to a login that owns nothing.',
    );
  return ok(
    ABOUT,
    `PostgreSQL ${number} answers, ${migrated ? 'the schema is there' : 'the schema is made at the first start'}`,
  );
}

async function ask(url: Secret): Promise<State> {
  const client = new Client({
    connectionString: url.reveal(),
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
  });
  client.on('error', () => undefined); // the query that fails says the same
  await client.connect();
  try {
    const { rows } = await client.query<State>(
      `SELECT current_setting('server_version_num')::int AS version,
              EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = $1) AS migrated,
              EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tableowner = session_user)
                OR (SELECT rolsuper FROM pg_roles WHERE rolname = session_user) AS mighty,
              has_database_privilege(current_database(), 'CREATE') AS creates`,
      [SCHEMA],
    );
    return rows[0] as State;
  } finally {
    await client.end();
  }
}

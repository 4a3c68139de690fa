import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

/** A database of one test file, owned by the migrating role, on the server all workers share. */
export interface TestDatabase {
  readonly name: string;
  readonly ownerUrl: string;
  readonly gatewayUrl: string;
  readonly superuserUrl: string;
  /** Removes the database, cutting off whoever is still connected. */
  drop(): Promise<void>;
}

/** Has our schema and no rows but those of the migrations; made once for a run, since a copy takes far less time than they do. */
export const MIGRATED = 'migrated';

/**
 * Creates a database of one's own, empty or as the template is. Call it from a test of the `database` or `app` project:
 * those have a server.
 */
export async function createDatabase(template: typeof MIGRATED | 'template1' = 'template1'): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await asSuperuser(`create database ${name} owner openclawmu_owner template ${template}`);
  return {
    name,
    ownerUrl: urlOf('TEST_OWNER_URL', name),
    gatewayUrl: urlOf('TEST_GATEWAY_URL', name),
    superuserUrl: urlOf('TEST_SUPERUSER_URL', name),
    drop: () => asSuperuser(`drop database if exists ${name} with (force)`),
  };
}

/** Runs a statement beside the test's databases, as somebody whom nothing stops. */
export async function asSuperuser(sql: string): Promise<void> {
  const client = new Client({ connectionString: urlOf('TEST_SUPERUSER_URL', 'postgres') });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

function urlOf(variable: 'TEST_SUPERUSER_URL' | 'TEST_OWNER_URL' | 'TEST_GATEWAY_URL', database: string): string {
  const base = process.env[variable];
  if (!base) throw new Error(`${variable} is not set: run this test with jest, in the project "database" or "app".`);
  const url = new URL(base);
  url.pathname = `/${database}`;
  return url.href;
}

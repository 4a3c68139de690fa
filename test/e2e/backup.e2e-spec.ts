import { execFileSync } from 'node:child_process';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestDatabase } from '../support/database';
import { createDepartment } from '../support/department';
import { Newcomer } from '../support/docs/newcomer';
import { publishedPages } from '../support/docs/page';
import { createPlace, Gateway } from '../support/gateway';
import { PostgresServer, programsOf15 } from '../support/postgres-server';

/** What the page for the platform says of backups is done here as it stands there, by PostgreSQL's own programs. */
const blocks = publishedPages()
  .filter(({ path }) => path === 'docs/platform.md')
  .flatMap((page) => page.blocks)
  .filter(({ language }) => language === 'sh')
  .map(({ lines }) => lines.join('\n'));

/** The one script of the page that has this. */
function scriptWith(text: string): string {
  const found = blocks.filter((block) => block.includes(text));
  expect(found).toHaveLength(1);
  return found[0] as string;
}

const NAME = 'openclawmu';
const PASSWORDS = { openclawmu_owner: 'one', openclawmu_gateway: 'another', openclawmu_backup: 'third' };

/** Makes the logins and the database that the page says, on a server whose address is another one. */
function localise(script: string, server: PostgresServer): string {
  return script
    .replaceAll('-h db.example.internal -U postgres', `'${server.url()}'`)
    .replaceAll(
      /postgresql:\/\/(\w+):\w+@db\.example\.internal\/openclawmu\?sslmode=verify-full/g,
      (_, login: string) => server.url(login, PASSWORDS[login as keyof typeof PASSWORDS], NAME),
    );
}

function run(script: string, cwd: string, env: Record<string, string> = {}): string {
  const PATH = `${programsOf15()}:${process.env['PATH']}`;
  return execFileSync('bash', ['-euc', script], { cwd, env: { PATH, ...env }, encoding: 'utf8', stdio: 'pipe' });
}

const databaseOn = (server: PostgresServer): TestDatabase => ({
  name: NAME,
  ownerUrl: server.url('openclawmu_owner', PASSWORDS.openclawmu_owner, NAME),
  gatewayUrl: server.url('openclawmu_gateway', PASSWORDS.openclawmu_gateway, NAME),
  superuserUrl: server.url(undefined, undefined, NAME),
  drop: () => Promise.resolve(),
});

/** Rows by table; the superuser sees all of them. */
async function rowsOf(server: PostgresServer): Promise<Record<string, number>> {
  const tables = await server.query(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname LIKE 'openclawmu%'`,
    NAME,
  );
  const counts = await server.query(
    tables
      .map(({ name }) => `SELECT '${String(name)}' AS name, count(*)::int AS rows FROM ${String(name)}`)
      .join(' UNION ALL '),
    NAME,
  );
  return Object.fromEntries(counts.map(({ name, rows }) => [String(name), Number(rows)]));
}

/** Making two clusters takes its time. */
jest.setTimeout(300_000);

describe('a database of your own', () => {
  let lost: PostgresServer;
  let spare: PostgresServer;

  beforeAll(async () => {
    [lost, spare] = [await PostgresServer.start(programsOf15()), await PostgresServer.start(programsOf15())];
  });
  afterAll(() => Promise.all([lost.stop(), spare.stop()]));

  test('is dumped whole and comes back on another server, as the page says', async () => {
    const logins = scriptWith('CREATE DATABASE openclawmu OWNER').split('export ')[0] as string;
    const place = await createPlace(databaseOn(lost));
    run(localise(logins, lost), place.folder);
    const first = await Gateway.start({ place });
    const { id, token } = await createDepartment(first, { budget: '5.00' });
    const asked = { model: 'local/demo', max_tokens: 5, messages: [{ role: 'user', content: 'Hello!' }] };
    await first.must('POST', '/v1/chat/completions', asked, token);
    expect(await first.stop()).toBe(0);

    const dump = scriptWith('CREATE ROLE openclawmu_backup');
    const { ownerUrl } = place.database;
    expect(() => run(`pg_dump '${ownerUrl}' --file refused.sql`, place.folder)).toThrow('row-level security');
    run(localise(dump, lost), place.folder);
    const before = await rowsOf(lost);
    expect(before).toMatchObject({ 'openclawmu.tenants': 1, 'openclawmu.tokens': 1, 'openclawmu.ledger': 1 });

    run(localise(logins, spare), place.folder);
    const there = databaseOn(spare);
    run(scriptWith('pg_restore --dbname "$DATABASE_MIGRATION_URL" --exit-on-error'), place.folder, {
      DATABASE_MIGRATION_URL: there.ownerUrl,
    });
    expect(await rowsOf(spare)).toEqual(before);

    const dataDir = join(place.folder, 'data');
    await rename(join(dataDir, 'audit'), join(dataDir, 'audit-before'));
    const second = await Gateway.start({ place: { ...place, database: there } });
    try {
      expect(await second.must('GET', '/api/v1/admin/audit/verification')).toMatchObject({ ok: true });
      expect(await second.must('GET', '/api/v1/admin/budgets/check')).toMatchObject({ ok: true });
      await second.must('POST', '/v1/chat/completions', asked, token);
      expect(await second.must('GET', `/api/v1/admin/tenants/${id}`)).toMatchObject({ status: 'active' });
    } finally {
      await second.remove();
    }
  });
});

describe('the embedded database', () => {
  test('is reached as the page says', async () => {
    const newcomer = await Newcomer.arrive();
    try {
      const script = scriptWith('postmaster.pid').replace('/srv/openclawmu', newcomer.folder);
      expect(run(script, newcomer.folder)).toContain('budget_windows');
    } finally {
      await newcomer.leave();
    }
  });
});

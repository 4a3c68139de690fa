import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { createDataSource, Database, EmbeddedPostgres, migrate, type Config } from '@app/platform';
import { migrations } from '../../../apps/gateway/src/migrations';
import { RollUp } from '../../../libs/billing/src/roll-up/roll-up.service';
import { LAYOUTS } from '../../../libs/billing/src/reports/layouts';
import type { Layout } from '../../../libs/billing/src/reports/layout';
import { daysOf } from '../../../libs/billing/src/reports/period';
import type { Selection } from '../../../libs/billing/src/ledger/selection';
import { readAs } from '../../../libs/billing/src/reports/reading';
import { Report } from '../../../libs/billing/src/reports/report';
import { selectUsage } from '../../../libs/billing/src/reports/usage.queries';
import { insertManyRows } from '../../../libs/billing/test/many-rows';
import { startOfMonth } from '../../../libs/billing/src/reports/local-time';
import { sumUsed, sumUsedByUsers, type UsedBy } from '../../../libs/billing/src/roll-up/used.queries';
import { rawByModel, rawUsage, rawUsed } from '../../../libs/billing/test/raw-sums';
import { silentLog } from '../gateway-database';
import { adminPrincipal, jobPrincipals } from '../principals';

/** Reports over a month of many rows, beside the same sums row by row in the same run. */

const MONTH = { from: new Date('2026-10-01T00:00:00Z'), to: new Date('2026-11-01T00:00:00Z') };
/** A seventh of all calls are its. */
const LARGEST = 'department-00';
const TENANTS = 50;
const CHUNK = 500_000;
/** Of so many the reading alone is timed. */
const SLICE = 200_000;

/** Whose days begin at half past an hour of UTC. */
const IN_INDIA = { current: { timezone: 'Asia/Kolkata' } } as Config;
const AFTERWARDS = new Date('2026-11-02T00:00:00Z');
/** Enough for all days of the month. */
const CUT_STEPS = 8;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { rows: { type: 'string' } } });
  const rows = Number(values.rows ?? 10_000_000);
  const dataDir = await mkdtemp(join(tmpdir(), 'openclawmu-reports-'));
  const postgres = await EmbeddedPostgres.start({
    dataDir,
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_wal_size: '4GB' },
  });
  const superuser = new Client({ connectionString: postgres.url('superuser'), options: '-c search_path=openclawmu' });
  let database: Database | undefined;
  try {
    await migrate({ ownerUrl: postgres.ownerUrl, gatewayUrl: postgres.gatewayUrl, migrations });
    await superuser.connect();
    database = new Database(await createDataSource(postgres.gatewayUrl, 4).initialize());
    await fill(superuser, rows);
    await measure(superuser, database, rows);
  } finally {
    await database?.close();
    await superuser.end();
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function fill(superuser: Client, rows: number): Promise<void> {
  await superuser.query('SELECT ensure_ledger_partition($1)', [MONTH.from]);
  const instant = (n: number): Date =>
    new Date(MONTH.from.getTime() + (Number(MONTH.to) - Number(MONTH.from)) * (n / rows));
  for (let done = 0; done < rows; done += CHUNK) {
    const end = Math.min(done + CHUNK, rows);
    await superuser.query(insertManyRows({ from: instant(done), to: instant(end), rows: end - done }));
    process.stderr.write(`\r${end} rows`);
  }
  process.stderr.write('\n');
  await superuser.query('VACUUM ANALYZE ledger_2026_10');
}

async function measure(superuser: Client, database: Database, rows: number): Promise<void> {
  const bytes = await superuser.query<{ bytes: string }>("SELECT pg_total_relation_size('ledger_2026_10') AS bytes");
  say(`a row on disk, indexes included: ${Math.round(Number(bytes.rows[0]?.bytes) / rows)} bytes`);
  const rollUp = new RollUp(
    database,
    jobPrincipals,
    IN_INDIA,
    { now: () => AFTERWARDS, nowMs: () => AFTERWARDS.getTime() },
    silentLog,
  );
  const summed = await timed(() => rollUp.advance());
  const cut = await timed(async () => {
    for (let step = 0; step < CUT_STEPS; step++) await rollUp.keepCutHours();
  });
  await superuser.query('VACUUM ANALYZE ledger_hours, ledger_days, ledger_quarters');
  const lines = await superuser.query<Record<'hours' | 'days' | 'quarters', string>>(
    `SELECT (SELECT count(*) FROM ledger_hours) AS hours, (SELECT count(*) FROM ledger_days) AS days,
       (SELECT count(*) FROM ledger_quarters) AS quarters`,
  );
  say(
    `all of it summed up: ${summed.toFixed(0)} ms, ${lines.rows[0]?.hours} lines by the hour, ${lines.rows[0]?.days} by the day\n` +
      `a month of hours by the quarter: ${cut.toFixed(0)} ms, ${lines.rows[0]?.quarters} lines\n`,
  );

  const read = readAs(database, adminPrincipal());
  const selection: Selection = { ...MONTH, tenant: null, asOf: AFTERWARDS };
  const report = (layout: keyof typeof LAYOUTS, of: Selection): Report<unknown> =>
    new Report(LAYOUTS[layout] as unknown as Layout<unknown>, read, of, 'USD', 'UTC');

  say(`${rows} rows, load ${load()}${' '.repeat(20)}ms   of row by row`);
  for (const by of ['tenant', 'model', 'day'] as const)
    line(
      `usage of the month by ${by}`,
      await middle(() => read((tx) => selectUsage(tx, by, selection, 'UTC', 1_000))),
      await timed(() => read((tx) => rawUsage(tx, by, selection, 'UTC'))),
    );
  for (const [zone, by] of [
    ['Europe/Berlin', 'tenant'],
    ['Europe/Berlin', 'day'],
    ['Asia/Kolkata', 'tenant'],
    ['Asia/Kolkata', 'day'],
    ['Asia/Kathmandu', 'day'],
  ] as const) {
    const month = { ...selection, from: startOfMonth(zone, 2026, 10), to: startOfMonth(zone, 2026, 11) };
    line(`the same in ${zone} by ${by}`, await middle(() => read((tx) => selectUsage(tx, by, month, zone, 1_000))));
  }
  const budget = { tenantId: 'department-03', model: 'gpt-*' };
  line(
    'what a new budget of a model begins with',
    await middle(() => read((tx) => sumUsed(tx, [budget], MONTH.from, MONTH.to))),
    await timed(() => read((tx) => rawUsed(tx, budget, selection))),
  );
  const { from, to } = MONTH;
  const users = (after: Date | null) => () => read((tx) => sumUsedByUsers(tx, LARGEST, from, to, after));
  line('what a new budget of each end user begins with', await middle(users(null)));
  const one = await timed(() =>
    read((tx) => sumUsed(tx, [{ tenantId: LARGEST, user: 'user-1@example.com' }], from, to)),
  );
  line('what the next end user adds, a minute later', await middle(users(new Date(to.getTime() - 60_000))), one);
  const counted = (of: readonly UsedBy[]) => () => read((tx) => sumUsed(tx, of, from, to));
  const tenants = Array.from({ length: TENANTS }, (_, n) => ({ tenantId: `department-${String(n).padStart(2, '0')}` }));
  const people = Array.from({ length: 1_000 }, (_, n) => ({ tenantId: LARGEST, user: `user-${n}@example.com` }));
  line(`what ${TENANTS} tenants and all have used`, await middle(counted([{}, ...tenants])));
  line('what a thousand end users of one have used', await middle(counted(people)));
  line(
    'layout daily, as CSV',
    await middle(() => drain(report('daily', selection))),
    await timed(async () => {
      for (const day of daysOf(selection, 'UTC')) await read((tx) => rawByModel(tx, { ...selection, ...day }));
    }),
  );
  for (const layout of ['period', 'chargeback', 'focus'] as const)
    line(`layout ${layout}, as CSV`, await middle(() => drain(report(layout, selection))));

  const slice: Selection = {
    ...selection,
    to: new Date(Number(MONTH.from) + (Number(MONTH.to) - Number(MONTH.from)) * (SLICE / rows)),
  };
  const reading = await timed(async () => {
    for await (const _ of LAYOUTS.detail.batches(read, slice, 'UTC')) continue;
  });
  const writing = await timed(() => drain(report('detail', slice)));
  say(`\nlayout detail, as CSV: ${(writing / reading).toFixed(2)} of reading its rows alone`);
  let peak = 0;
  let before = 0;
  const took = await timed(async () => {
    let chunks = 0;
    for await (const _ of report('detail', selection).csv()) {
      // What the first batches need for good is no growth.
      if (++chunks === 100) before = process.memoryUsage.rss();
      if (chunks % 50 === 0) peak = Math.max(peak, process.memoryUsage.rss());
    }
  });
  say(
    `all of it: ${Math.round(rows / (took / 1_000))} rows a second, memory ${mb(before)} after 200,000 rows, ${mb(process.memoryUsage.rss())} at the end, ${mb(peak)} at most, load ${load()}`,
  );
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const load = (): string => (loadavg()[0] as number).toFixed(1);
const mb = (bytes: number): string => `${Math.round(bytes / 1_000_000)} MB`;
const line = (name: string, ms: number, raw?: number): void =>
  say(
    `${name.padEnd(40)} ${ms.toFixed(0).padStart(9)}   ${raw === undefined ? '' : (ms / raw).toFixed(3).padStart(13)}`,
  );

async function drain(report: Report<unknown>): Promise<void> {
  for await (const _ of report.csv()) continue;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - start) / 1_000_000;
}

/** The middle of three. */
async function middle(work: () => Promise<unknown>): Promise<number> {
  const times = [await timed(work), await timed(work), await timed(work)].sort((a, b) => a - b);
  return times[1] as number;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});

import type { Tx } from '@app/platform';
import { tenantPrincipal } from '../../../../test/support/principals';
import { BillingWorld } from '../../test/billing-world';
import { insertManyRows } from '../../test/many-rows';
import { rawByModel, rawUsage } from '../../test/raw-sums';
import type { Selection } from '../ledger/selection';
import { selectByModel, selectDetail } from './report.queries';
import { selectRequests, selectUsage } from './usage.queries';

const ROWS = 60_000;
const MONTHS = ['2026-03', '2026-04', '2026-05', '2026-06'];
const APRIL_TENTH = new Date('2026-04-10T00:00:00Z');

describe('a ledger of many rows', () => {
  let world: BillingWorld;
  const selection: Selection = {
    from: new Date('2026-04-01T00:00:00Z'),
    to: new Date('2026-06-01T00:00:00Z'),
    tenant: null,
    asOf: new Date('2026-08-01T00:00:00Z'),
  };

  beforeAll(async () => {
    world = await BillingWorld.open();
    await world.priceAt({ 'gpt-4o': ['2.5', '10'] });
    for (const month of MONTHS)
      await world.asSuperuser('SELECT ensure_ledger_partition($1)', [`${month}-01T00:00:00Z`]);
    await world.asSuperuser(
      // As dense as four million rows a month are.
      insertManyRows({ from: new Date('2026-04-26T00:00:00Z'), to: new Date('2026-05-06T00:00:00Z'), rows: ROWS }),
    );
    await world.asSuperuser('ANALYZE ledger');
  });
  afterAll(() => world.close());

  /** A transaction in which every statement is planned instead of run. */
  const planning = (tx: Tx, plans: string[]): Tx =>
    new Proxy(tx, {
      get: (target, name) =>
        name === 'query'
          ? async (sql: string, parameters: unknown[] = []) => {
              if (!/\bledger\b/.test(sql)) return target.query(sql, parameters);
              const lines = await target.query<Record<string, string>>(`EXPLAIN ${sql}`, parameters);
              plans.push(lines.map((line) => line['QUERY PLAN']).join('\n'));
              return [];
            }
          : (Reflect.get(target, name) as unknown),
    });
  const monthsOf = (plan: string): string[] => [...new Set(plan.match(/ledger_\d{4}_\d{2}(?=\b|_)/g))].sort();

  async function plansOf(work: (tx: Tx) => Promise<unknown>, tenant?: string): Promise<string> {
    const plans: string[] = [];
    const plan = (tx: Tx) => work(planning(tx, plans));
    await (tenant === undefined ? world.inPlatform(plan) : world.db.database.tenant(tenantPrincipal(tenant), plan));
    return plans.join('\n');
  }

  it('is not looked at outside of the months in range, and no more than is left of them', async () => {
    const after = { at: new Date('2026-05-20T00:00:00Z'), id: '0'.repeat(32) };
    const before = { at: '2026-04-20T00:00:00.000Z', id: '0'.repeat(32) };
    const months = async (work: (tx: Tx) => Promise<unknown>) => monthsOf(await plansOf(work));
    const both = ['ledger_2026_04', 'ledger_2026_05'];
    expect(await months((tx) => selectDetail(tx, selection, undefined, 100))).toEqual(both);
    expect(await months((tx) => selectDetail(tx, selection, after, 100))).toEqual(['ledger_2026_05']);
    expect(await months((tx) => selectRequests(tx, selection, {}, null, 100))).toEqual(both);
    expect(await months((tx) => selectRequests(tx, selection, {}, before, 100))).toEqual(['ledger_2026_04']);
    expect(await months((tx) => selectByModel(tx, selection, [selection]))).toEqual(both);
  });

  it('is read in order from an index, for all and for one department', async () => {
    const first = (tx: Tx) => selectDetail(tx, selection, undefined, 100);
    expect(await plansOf(first)).toMatch(/Index Scan using ledger_2026_04_pkey/);
    const newest = (tx: Tx) => selectRequests(tx, selection, {}, null, 20);
    expect(await plansOf(newest, 'department-40')).toMatch(
      /Index Scan Backward using ledger_2026_05_tenant_id_hour_idx/,
    );
  });

  it('takes less than 400 bytes a row, indexes included', async () => {
    const [size] = await world.asSuperuser<{ bytes: number }>(
      "SELECT (pg_total_relation_size('ledger_2026_04') + pg_total_relation_size('ledger_2026_05'))::float8 AS bytes",
    );
    expect(Number(size?.bytes) / ROWS).toBeLessThan(400);
  });

  it('gives the same sums from the roll-up as row by row, also for what is cut and what came since', async () => {
    await world.rollUp.advance();
    await world.asSuperuser(
      insertManyRows({ from: APRIL_TENTH, to: new Date('2026-04-11T00:00:00Z'), rows: 500 }).replace(
        /date_trunc\('milliseconds', at [^)]*\)\)\)/,
        "date_trunc('milliseconds', clock_timestamp())",
      ),
    );
    const now = { ...selection, from: new Date('2026-04-01T10:20:30Z'), asOf: new Date(Date.now() + 60_000) };
    await world.inPlatform(async (tx) => {
      for (const each of [selection, now, { ...now, tenant: 'department-03' }]) {
        expect(await selectByModel(tx, each, [each])).toEqual(
          (await rawByModel(tx, each)).map((row) => ({ day: 0, ...row })),
        );
        const groups = await selectUsage(tx, 'day', each, 'Asia/Kolkata', 1_000);
        const raw = await rawUsage(tx, 'day', each, 'Asia/Kolkata');
        expect(groups.map(({ label: _, ...group }) => group)).toEqual(raw);
      }
    });
  });
});

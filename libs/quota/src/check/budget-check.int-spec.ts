import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adminPrincipal, jobPrincipals } from '../../../../test/support/principals';
import { Gateways, nanos, until } from '../../test/gateways';
import { DAY_TOKENS, MONTH, refusal, reserve, settle, type TestCall } from '../../test/scoped-calls';
import { testLedger } from '../../test/test-ledger';
import type { AssembledQuota } from '../assemble';
import type { SetBudget } from '../budget.dto';
import { recount } from '../recount.queries';
import { Attribution } from '../scopes/attribution';
import type { Metric } from '../windows';

const admin = adminPrincipal();
const REASON = 'Counts were lost';
const LOOKS = 50;
/** Counts in every budget of `PARTS`. */
const CALL = { tenant: 'a', token: 'tok_1', model: 'opus', user: 'alice' } as const satisfies TestCall;
const PARTS = [
  ['organisation', null],
  ['model', 'op*'],
  ['token', 'tok_1'],
  ['user', 'alice'],
] as const;

describe('what budgets have counted, beside the ledger', () => {
  let gateways: Gateways;

  beforeEach(async () => {
    gateways = await Gateways.open();
    for (const tenant of ['a', 'b']) await gateways.tenant(tenant);
  });

  afterEach(() => gateways.close());

  const set = (tenant: string | null, budget: SetBudget) => gateways.budgets().set(admin, tenant, budget);

  /** Budgets of every kind, in money a month and in tokens a day. */
  async function setAll(): Promise<void> {
    await gateways.sql.query(
      `INSERT INTO tokens (id, tenant_id, label, hash, hint, role, created_at, created_by)
       VALUES ('tok_1', 'a', 'x', sha256('x'), 'x', 'member', now(), 'x')`,
    );
    for (const tenant of ['a', 'b'])
      for (const meter of [MONTH, DAY_TOKENS]) await set(tenant, { ...meter, limit: '100000' });
    for (const [scope, target] of PARTS) {
      const part = scope === 'organisation' ? {} : { scope, target };
      for (const meter of [MONTH, DAY_TOKENS])
        await set(target === null ? null : 'a', { ...meter, ...part, limit: '100000' });
    }
    await set('a', { ...MONTH, scope: 'user', target: '*', limit: '500' });
  }

  const use = async (gateway: AssembledQuota, call: TestCall, units: string, tokens = 0): Promise<void> =>
    settle(await reserve(gateway, call, units, tokens), units, tokens);

  const check = () => gateways.check().check(admin);
  const repair = (key?: string, reason = REASON) => gateways.check().repair(admin, { reason }, key);

  /** What nobody but a fault does. */
  const miscount = (by: bigint, condition: string) =>
    gateways.sql.query(`UPDATE budget_windows SET spent = spent + $1 WHERE ${condition}`, [String(by)]);

  const everything = async (): Promise<unknown> => {
    const tables = ['budget_windows', 'leases', 'audit_records', 'webhook_deliveries'];
    return Promise.all(
      tables.map(async (table) => (await gateways.sql.query(`SELECT xmin, t.* FROM ${table} t ORDER BY 2, 3`)).rows),
    );
  };

  const records = async (): Promise<Record<string, unknown>[]> =>
    (
      await gateways.sql.query<{ line: string }>(
        `SELECT line FROM audit_records WHERE line LIKE '%budget.repaired%' ORDER BY seq`,
      )
    ).rows.map(({ line }) => JSON.parse(line) as Record<string, unknown>);

  test('agrees after calls, a top-up, a correction, and a lost lease that was written off', async () => {
    await setAll();
    const here = await gateways.start();
    const elsewhere = await gateways.start({ dataDir: await mkdtemp(join(tmpdir(), 'quota-check-')) });
    await use(here, CALL, '5', 50);
    await use(elsewhere, { ...CALL, user: 'bob' }, '3', 30);
    await use(here, { tenant: 'b' }, '2', 20);
    await gateways.budgets().topUp(admin, 'a', { ...MONTH, scope: 'model', target: 'op*', amount: '1', reason: 'x' });
    await here.settlements.flush();
    await elsewhere.settlements.flush();
    await reserve(elsewhere, CALL, '1');
    await elsewhere.quota.close();
    await gateways.lost(here).resolve(admin, elsewhere.process.id, { how: 'spent', reason: 'the disk is gone' });
    const at = new Date();
    const attributed = { tokenId: 'tok_1', model: 'opus', subject: 'alice' };
    await gateways.db.database.platform(jobPrincipals.for('correct'), async (tx) => {
      const row = { status: 'actual', tokens: -10 };
      const correction = {
        id: '0'.repeat(32),
        atMs: at.getTime(),
        tenantId: 'a',
        costNanos: -nanos('1'),
        line: null,
        row,
      };
      await testLedger.book(tx, [{ ...correction, attribution: new Attribution('a', attributed) }]);
      await recount(tx, here.settlements.books, [
        { at, tenantId: 'a', ...attributed, used: { cost: -nanos('1'), tokens: -10n } },
      ]);
    });
    expect((await gateways.month('a')).writtenOff).toBeGreaterThan(0n);
    // Two of each tenant, two of each part, and bob's.
    expect(await check()).toEqual({ ok: true, windows: 2 + 2 + 2 * PARTS.length + 1, differences: 0, items: [] });
    const before = await everything();
    expect(await repair()).toEqual({ windows: 13, repaired: 0, items: [] });
    expect(await everything()).toEqual(before);
  });

  test.each<[scope: string, tenant: string | null, target: string | null]>([
    ...PARTS.map(([scope, target]) => [scope, target === null ? null : 'a', target] as [string, string | null, string]),
    ['tenant', 'a', null],
  ])(
    'is found and put right where that of a %s is wrong, and nothing else is touched',
    async (scope, tenantId, target) => {
      await setAll();
      const gateway = await gateways.start();
      await use(gateway, CALL, '5', 50);
      await use(gateway, { tenant: 'b', model: 'opus', user: 'alice' }, '2', 20);
      await gateway.quota.drain();
      const figures = scope === 'organisation' ? { cost: '7.00', tokens: '70' } : { cost: '5.00', tokens: '50' };
      const meters = [
        { ...MONTH, by: -nanos('0.5'), difference: '-0.50', spent: scope === 'organisation' ? '6.50' : '4.50' },
        { ...DAY_TOKENS, by: 3n, difference: '3', spent: scope === 'organisation' ? '73' : '53' },
      ];
      const windows = () =>
        gateways
          .look<{ spent: bigint }>('SELECT * FROM budget_windows ORDER BY id')
          .then((rows) => rows.map((w) => ({ ...w })));
      const healthy = await windows();
      for (const { metric, period, by } of meters)
        await miscount(
          by,
          `scope = '${scope}' AND tenant_id IS NOT DISTINCT FROM ${tenantId === null ? 'NULL' : `'${tenantId}'`}
           AND metric = '${metric}' AND period = '${period}'`,
        );
      const items = meters
        .map(({ metric, period, difference, spent }) => ({
          tenantId,
          scope,
          target,
          metric,
          currency: metric === 'cost' ? 'USD' : null,
          period,
          startsAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT00:00:00\.000Z$/) as string,
          spent,
          writtenOff: metric === 'cost' ? '0.00' : '0',
          ledger: figures[metric],
          difference,
        }))
        .sort((a, b) => (a.period < b.period ? -1 : 1));
      const found = await check();
      expect(found).toMatchObject({ ok: false, differences: 2 });
      expect(found.items).toEqual(items);
      expect(await repair()).toEqual({ windows: found.windows, repaired: 2, items });
      expect(await check()).toEqual({ ok: true, windows: found.windows, differences: 0, items: [] });
      expect(await windows()).toEqual(healthy);
      const part = scope === 'tenant' ? '' : `/${scope}${target === null ? '' : `:${target}`}`;
      expect(await records()).toMatchObject(
        items.map(({ metric, period, spent, ledger, difference }) => ({
          action: 'budget.repaired',
          tenant: tenantId,
          target: { kind: 'budget', id: `${metric}/${period}${part}` },
          before: { spent, ledger, difference },
          after: { spent: ledger, ledger, difference: metric === 'cost' ? '0.00' : '0' },
          reason: REASON,
        })),
      );
    },
  );

  test('keeps what was written off', async () => {
    await gateways.tenant('c', { month: '10' });
    const here = await gateways.start();
    await use(here, { tenant: 'c' }, '2');
    await here.quota.drain();
    await gateways.sql.query(
      `UPDATE budget_windows SET spent = 10e9, written_off = 3e9 WHERE tenant_id = 'c' AND period = 'month' AND metric = 'cost'`,
    );
    const { items } = await repair();
    expect(items).toMatchObject([{ spent: '10.00', writtenOff: '3.00', ledger: '2.00', difference: '5.00' }]);
    expect(await gateways.month('c')).toMatchObject({
      spent: nanos('5'),
      writtenOff: nanos('3'),
      ceiling: nanos('10'),
    });
  });

  test('agrees at every moment while several processes book', async () => {
    await setAll();
    const three = [await gateways.start(), await gateways.start(), await gateways.start()];
    let [looks, moved] = [0, 0n];
    // Where nothing is booked meanwhile, nothing can go wrong.
    const isEnough = (): boolean => looks >= LOOKS && moved > 0n;
    const busy = Promise.all(
      Array.from({ length: 12 }, async (_, n) => {
        const gateway = three[n % three.length] as AssembledQuota;
        const call = { ...CALL, tenant: n % 4 === 3 ? 'b' : 'a', user: ['alice', 'bob', null][n % 3] as string | null };
        for (let time = 0; !isEnough(); time++) {
          await use(gateway, call, `0.0${1 + (time % 9)}`, time % 10);
          if (time % 5 === 0) await gateway.settlements.flush();
        }
      }),
    );
    try {
      while (!isEnough()) {
        const { spent } = await gateways.month('a');
        expect(await check()).toMatchObject({ ok: true, items: [] });
        looks++;
        moved += (await gateways.month('a')).spent - spent;
      }
    } finally {
      [looks, moved] = [LOOKS, 1n];
      await busy;
    }
  });

  test('is compared without waiting for who has locked a window, and put right once, with what that one counts', async () => {
    await gateways.tenant('c', { month: '10' });
    const gateway = await gateways.start();
    await use(gateway, { tenant: 'c' }, '2');
    await gateway.quota.drain();
    await miscount(nanos('3'), `tenant_id = 'c' AND period = 'month' AND metric = 'cost'`);
    let commit = (): void => undefined;
    const committing = new Promise<void>((resolve) => (commit = resolve));
    let booking: Promise<void> = Promise.resolve();
    await new Promise<void>((booked) => {
      booking = gateways.db.database.platform(jobPrincipals.for('book'), async (tx) => {
        const row = { status: 'actual', tokens: 0 };
        const attribution = new Attribution('c', { tokenId: 'tok_1', model: 'm' });
        const call = { id: '0'.repeat(32), atMs: Date.now(), tenantId: 'c', costNanos: nanos('1'), attribution };
        await testLedger.book(tx, [{ ...call, row }]);
        await tx.query(`UPDATE budget_windows SET spent = spent + 1e9 WHERE tenant_id = 'c' AND metric = 'cost'`);
        booked();
        await committing;
      });
    });
    expect((await check()).items).toMatchObject([{ spent: '5.00', ledger: '2.00', difference: '3.00' }]);
    const repaired = Promise.all([repair(), repair()]);
    await until(async () => {
      const { rows } = await gateways.sql.query(
        `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%budget_windows%FOR UPDATE%'`,
      );
      return rows.length === 2;
    });
    commit();
    await booking;
    const once = (await repaired).flatMap(({ items }) => items);
    expect(once).toMatchObject([{ spent: '6.00', ledger: '3.00', difference: '3.00' }]);
    expect(await gateways.month('c')).toMatchObject({ spent: nanos('3') });
    expect(await check()).toMatchObject({ ok: true });
  });

  test('lets calls through again that it refused for nothing, and refuses others', async () => {
    await gateways.tenant('c', { month: '10' });
    await gateways.tenant('d', { month: '10' });
    const earlier = await gateways.start();
    await use(earlier, { tenant: 'c' }, '2');
    await use(earlier, { tenant: 'd' }, '8');
    await earlier.quota.drain();
    await miscount(nanos('8'), `tenant_id = 'c' AND period = 'month' AND metric = 'cost'`);
    await miscount(-nanos('8'), `tenant_id = 'd' AND period = 'month' AND metric = 'cost'`);
    const gateway = await gateways.start();
    await refusal(reserve(gateway, { tenant: 'c' }, '1'));
    (await reserve(gateway, { tenant: 'd' }, '10')).release();

    expect(await repair()).toMatchObject({ repaired: 2 });
    expect(await gateways.month('d')).toMatchObject({ spent: nanos('8') });
    const isLetThrough = (call: TestCall, units: string): Promise<boolean> =>
      reserve(gateway, call, units).then(
        (hold) => (hold.release(), true),
        (error: { readonly code?: string }) => {
          expect(error).toMatchObject({ code: 'budget_exceeded' });
          return false;
        },
      );
    // As soon as the process has heard of it.
    await until(() => isLetThrough({ tenant: 'c' }, '8'));
    await until(async () => !(await isLetThrough({ tenant: 'd' }, '3')));
    expect(await isLetThrough({ tenant: 'd' }, '2')).toBe(true);
  });

  test('has its ceiling above the limit only as far as it is spent', async () => {
    await gateways.tenant('c', { month: '10' });
    const gateway = await gateways.start();
    await use(gateway, { tenant: 'c' }, '8');
    await gateway.quota.drain();
    const wrong = `tenant_id = 'c' AND period = 'month' AND metric = 'cost'`;
    const right = { spent: nanos('8'), limit: nanos('5'), ceiling: nanos('8') };
    await miscount(-nanos('7'), wrong);
    await set('c', { ...MONTH, limit: '5' });
    expect(await gateways.month('c')).toMatchObject({ spent: nanos('1'), ceiling: nanos('5') });
    await repair();
    expect(await gateways.month('c')).toMatchObject(right);
    await gateways.sql.query(`UPDATE budget_windows SET spent = 9e9, ceiling = 9e9 WHERE ${wrong}`);
    await repair();
    expect(await gateways.month('c')).toMatchObject(right);
  });

  test('tells thresholds that only the repair has shown to be reached', async () => {
    await gateways.tenant('c', { month: '10' });
    const gateway = await gateways.start();
    const told = async (): Promise<unknown[]> =>
      (
        await gateways.sql.query<{ body: string }>(`SELECT body FROM webhook_deliveries WHERE tenant_id = 'c'`)
      ).rows.map(({ body }) => JSON.parse(body) as unknown);
    await use(gateway, { tenant: 'c' }, '4');
    await gateway.settlements.flush();
    await miscount(-nanos('4'), `tenant_id = 'c' AND period = 'month' AND metric = 'cost'`);
    await use(gateway, { tenant: 'c' }, '3');
    await gateway.settlements.flush();
    expect(await told()).toEqual([]);
    await repair();
    expect(await told()).toMatchObject([{ percent: 50, spent: '7.00' }]);
  });

  test('is put right once for a key, which stands for one reason', async () => {
    await gateways.tenant('c', { month: '10' });
    const gateway = await gateways.start();
    await use(gateway, { tenant: 'c' }, '4');
    await gateway.quota.drain();
    const wrong = `tenant_id = 'c' AND period = 'month' AND metric = 'cost'`;
    await miscount(nanos('1'), wrong);
    const first = await repair('once-and-no-more');
    expect(first).toMatchObject({ repaired: 1 });
    await miscount(nanos('2'), wrong);
    expect(await repair('once-and-no-more')).toEqual(first);
    await expect(repair('once-and-no-more', 'another')).rejects.toMatchObject({ code: 'idempotency_conflict' });
    expect(await gateways.month('c')).toMatchObject({ spent: nanos('6') });
    expect(await records()).toHaveLength(1);
  });

  test('is compared whole, however many there are, of the period under way alone; a thousand are shown', async () => {
    const add = (metric: Metric, months: number): Promise<unknown> =>
      gateways.sql.query(
        `INSERT INTO budget_windows (tenant_id, scope, target, metric, period, starts_at, ends_at, spent)
         SELECT CASE WHEN n % 2 = 0 THEN 'a' ELSE 'b' END, 'user', 'user ' || n, $1, 'month',
           date_trunc('month', now(), 'UTC') + $2 * interval '1 month', date_trunc('month', now(), 'UTC') + ($2 + 1) * interval '1 month', n
         FROM generate_series(1, 2100) AS n`,
        [metric, months],
      );
    await add('cost', 0);
    await add('tokens', 0);
    await add('cost', -1);
    await add('cost', 1);
    const { items, ...found } = await check();
    expect(found).toEqual({ ok: false, windows: 4200, differences: 4200 });
    expect(new Set(items.map(({ target, metric }) => `${metric} ${target}`)).size).toBe(1_000);
  });
});

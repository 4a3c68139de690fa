import { adminPrincipal, tenantPrincipal } from '../../../test/support/principals';
import { Gateways, nanos, TestClock } from '../test/gateways';
import type { BudgetsService } from './budgets.service';

const whole = { scope: 'tenant', target: null, targets: null, targetsUsedUp: null };
const month = { metric: 'cost', period: 'month' } as const;

describe('budgets', () => {
  const clock = new TestClock(new Date('2026-11-22T10:00:00.000Z'));
  const admin = adminPrincipal();
  let gateways: Gateways;
  let budgets: BudgetsService;

  beforeAll(async () => {
    gateways = await Gateways.open();
    budgets = gateways.budgets(clock);
    await gateways.tenant('a');
    await gateways.tenant('b');
  });

  afterAll(() => gateways.close());

  test('are shown for every period, set or not', async () => {
    expect(await budgets.list(admin, 'a')).toEqual({
      nextCursor: null,
      items: [
        {
          metric: 'cost',
          currency: 'USD',
          period: 'day',
          ...whole,
          limit: null,
          topUp: '0.00',
          thresholds: [],
          spent: '0.00',
          writtenOff: '0.00',
          held: '0.00',
          startsAt: '2026-11-22T00:00:00.000Z',
          resetsAt: '2026-11-23T00:00:00.000Z',
        },
        {
          metric: 'cost',
          currency: 'USD',
          period: 'month',
          ...whole,
          limit: null,
          topUp: '0.00',
          thresholds: [],
          spent: '0.00',
          writtenOff: '0.00',
          held: '0.00',
          startsAt: '2026-11-01T00:00:00.000Z',
          resetsAt: '2026-12-01T00:00:00.000Z',
        },
        {
          metric: 'tokens',
          currency: null,
          period: 'day',
          ...whole,
          limit: null,
          topUp: '0',
          thresholds: [],
          spent: '0',
          writtenOff: '0',
          held: '0',
          startsAt: '2026-11-22T00:00:00.000Z',
          resetsAt: '2026-11-23T00:00:00.000Z',
        },
        {
          metric: 'tokens',
          currency: null,
          period: 'month',
          ...whole,
          limit: null,
          topUp: '0',
          thresholds: [],
          spent: '0',
          writtenOff: '0',
          held: '0',
          startsAt: '2026-11-01T00:00:00.000Z',
          resetsAt: '2026-12-01T00:00:00.000Z',
        },
      ],
    });
  });

  test('are set, replaced and removed, each with its record', async () => {
    expect(await budgets.set(admin, 'a', { ...month, limit: '100.5' })).toMatchObject({ limit: '100.50' });
    expect(await budgets.set(admin, 'a', { ...month, limit: '0.000000001' })).toMatchObject({ limit: '0.000000001' });
    await budgets.remove(admin, 'a', month);
    await expect(budgets.remove(admin, 'a', month)).rejects.toMatchObject({ code: 'budget_not_found' });
    const { rows } = await gateways.sql.query<{ line: string }>('SELECT line FROM audit_records ORDER BY seq');
    const records = rows.map(({ line }) => JSON.parse(line) as Record<string, unknown>);
    expect(records).toMatchObject([
      { action: 'budget.set', tenant: 'a', target: { kind: 'budget', id: 'cost/month' }, after: { limit: '100.50' } },
      { action: 'budget.set', before: { limit: '100.50' }, after: { limit: '0.000000001' } },
      { action: 'budget.removed', before: { limit: '0.000000001' } },
    ]);
  });

  test('a tenant sees its own and no other', async () => {
    await budgets.set(admin, 'a', { ...month, limit: '7' });
    const limitsOf = async (tenant: string) =>
      (await budgets.listOwn(tenantPrincipal(tenant))).items.map((i) => i.limit);
    expect(await limitsOf('a')).toEqual([null, '7.00', null, null]);
    expect(await limitsOf('b')).toEqual([null, null, null, null]);
  });

  test.each(['nobody', "a'; DROP TABLE budgets; --", 'a\u0000', ''])('there is no tenant %j', async (tenant) => {
    const missing = { code: 'tenant_not_found' };
    await expect(budgets.list(admin, tenant)).rejects.toMatchObject(missing);
    await expect(budgets.set(admin, tenant, { ...month, limit: '1' })).rejects.toMatchObject(missing);
    await expect(budgets.remove(admin, tenant, month)).rejects.toMatchObject(missing);
  });

  test('of tokens are whole numbers', async () => {
    const tokens = { metric: 'tokens', period: 'day' } as const;
    expect(await budgets.set(admin, 'a', { ...tokens, limit: '2000000' })).toMatchObject({ limit: '2000000' });
    await expect(budgets.set(admin, 'a', { ...tokens, limit: '2.5' })).rejects.toMatchObject({
      code: 'validation_failed',
    });
    expect((await budgets.list(admin, 'a')).items).toContainEqual(
      expect.objectContaining({ ...tokens, limit: '2000000', spent: '0' }),
    );
  });

  test('are topped up for the period under way only, with a reason, once per key', async () => {
    await gateways.tenant('topped');
    const set = (limit: string) => budgets.set(admin, 'topped', { ...month, limit });
    const topUp = (amount: string, key?: string) =>
      budgets.topUp(admin, 'topped', { ...month, amount, reason: 'Quarter end' }, key);
    await expect(topUp('5')).rejects.toMatchObject({ code: 'budget_not_found' });
    await set('10');
    expect(await topUp('5', 'the-first-one')).toMatchObject({ limit: '10.00', topUp: '5.00' });
    expect(await topUp('5', 'the-first-one')).toMatchObject({ limit: '10.00', topUp: '5.00' });
    expect(await topUp('2.5')).toMatchObject({ topUp: '7.50' });
    expect(await gateways.month('topped')).toMatchObject({ limit: nanos('17.5'), ceiling: nanos('17.5') });
    expect(await set('4')).toMatchObject({ limit: '4.00', topUp: '7.50' });
    expect(await gateways.month('topped')).toMatchObject({ limit: nanos('11.5') });
    const december = gateways.budgets(new TestClock(new Date('2026-12-01T00:00:00.000Z')));
    expect((await december.list(admin, 'topped')).items).toContainEqual(
      expect.objectContaining({ ...month, limit: '4.00', topUp: '0.00' }),
    );
    await expect(topUp('4611686018')).rejects.toMatchObject({ code: 'validation_failed' });
    await expect(topUp('-7.500000001')).rejects.toMatchObject({
      code: 'validation_failed',
      message: expect.stringContaining('which is 7.50') as string,
    });
    expect(await topUp('-7.5')).toMatchObject({ limit: '4.00', topUp: '0.00' });
    expect(await gateways.month('topped')).toMatchObject({ limit: nanos('4'), ceiling: nanos('4') });
    const { rows } = await gateways.sql.query<{ line: string }>(
      `SELECT line FROM audit_records WHERE line LIKE '%budget.topped_up%' ORDER BY seq`,
    );
    expect(rows.map(({ line }) => JSON.parse(line) as unknown)).toMatchObject([
      { tenant: 'topped', before: { topUp: '0.00' }, after: { topUp: '5.00' }, reason: 'Quarter end' },
      { before: { topUp: '5.00' }, after: { topUp: '7.50' } },
      { before: { topUp: '7.50' }, after: { topUp: '0.00' } },
    ]);
  });

  test('a limit beyond what can be counted is refused', async () => {
    await expect(budgets.set(admin, 'a', { ...month, limit: '4611686018.427387904' })).rejects.toMatchObject({
      code: 'validation_failed',
    });
  });

  test('windows go when their months have left the ledger, but for what is leased, written off or not covered', async () => {
    await gateways.tenant('old');
    const [gone, kept] = [
      ['whole', 'last day', 'told', 'once leased'],
      ['leased', 'written off', 'not covered', 'still in it'],
    ];
    await gateways.sql.query(
      `WITH process AS (INSERT INTO gateway_processes (id, host, pid) VALUES ('00000000-0000-7000-8000-00000000bbbb', 'h', 1) RETURNING id),
       w AS (INSERT INTO budget_windows (tenant_id, scope, target, metric, period, starts_at, ends_at, spent, leased, written_off, uncovered)
         SELECT 'old', 'user', target, 'cost', 'month', from_at, to_at, 5, (target = 'leased')::int, (target = 'written off')::int,
           (target = 'not covered')::int
         FROM unnest($1::text[]) target, LATERAL (SELECT
           CASE WHEN target = 'last day' THEN '2024-12-31Z' ELSE '2024-12-01Z' END::timestamptz AS from_at,
           CASE WHEN target = 'still in it' THEN '2025-01-01T00:30Z' ELSE '2025-01-01Z' END::timestamptz AS to_at) d
         RETURNING id, target, leased),
       l AS (INSERT INTO leases (process_id, window_id, amount)
         SELECT process.id, w.id, w.leased FROM process, w WHERE target LIKE '%leased')
       INSERT INTO budget_notices (window_id, percent) SELECT id, 50 FROM w WHERE target = 'told'`,
      [[...gone, ...kept]],
    );
    const left = async () =>
      (
        await gateways.look<{ target: string }>(`SELECT target FROM budget_windows WHERE tenant_id = 'old' ORDER BY id`)
      ).map(({ target }) => target);
    await gateways.sql.query(`SELECT ensure_ledger_partition('2024-12-01Z'), ensure_ledger_partition('2025-01-01Z')`);
    await (await gateways.start()).quota.drain();
    expect(await left()).toEqual([...gone, ...kept]);
    await gateways.sql.query('DROP TABLE ledger_2024_12');
    await (await gateways.start()).quota.drain();
    expect(await left()).toEqual(kept);
  });

  test('the database itself refuses to pass a budget, and a tenant cannot touch one', async () => {
    await gateways.sql.query(
      `INSERT INTO budget_windows (tenant_id, metric, period, scope, starts_at, ends_at, limit_amount, ceiling)
       VALUES ('b', 'cost', 'month', 'tenant', '2026-11-01', '2026-12-01', 10, 10)`,
    );
    await expect(gateways.sql.query(`UPDATE budget_windows SET spent = 6, leased = 5`)).rejects.toThrow(
      'budget_never_passed',
    );
    const attempts = [
      `UPDATE budget_windows SET spent = 0`,
      `UPDATE budgets SET limit_amount = 1`,
      `DELETE FROM budgets`,
      `SELECT * FROM leases`,
      `SELECT * FROM gateway_processes`,
    ];
    for (const sql of attempts)
      await expect(gateways.db.database.tenant(tenantPrincipal('b'), (tx) => tx.query(sql))).rejects.toThrow(
        'permission denied',
      );
  });
});

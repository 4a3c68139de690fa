import { migrateAgain } from '../../../../test/support/migrate-again';
import { adminPrincipal, jobPrincipals, tenantPrincipal } from '../../../../test/support/principals';
import { Gateways, nanos } from '../../test/gateways';
import { MONTH, refusal, reserve, settle, type TestCall } from '../../test/scoped-calls';
import type { AssembledQuota } from '../assemble';
import { BudgetQuery, type BudgetView } from '../budget.dto';
import { recount } from '../recount.queries';

const admin = adminPrincipal();

/** Budgets of tokens outlive their rotation. */
describe('a token and those it was rotated into', () => {
  let gateways: Gateways;
  let tenants = 0;
  let tenant: string;
  /** Each made of the one before; calls of theirs. */
  let first: TestCall;
  let second: TestCall;
  let third: TestCall;

  beforeAll(async () => {
    gateways = await Gateways.open();
  });

  afterAll(() => gateways.close());

  beforeEach(async () => {
    tenant = `t${++tenants}`;
    await gateways.tenant(tenant);
    const [lineage, ...others] = ['1', '2', '3'].map((n) => `tok_${tenant}_${n}`) as [string, string, string];
    for (const [index, token] of [lineage, ...others].entries())
      await gateways.sql.query(
        `INSERT INTO tokens (id, tenant_id, label, hash, hint, role, created_at, created_by, replaces, lineage)
         VALUES ($1::text, $2, 'x', sha256(convert_to($1::text, 'UTF8')), 'x', 'member', now(), 'x', $3, $4)`,
        [token, tenant, [lineage, ...others][index - 1] ?? null, index === 0 ? null : lineage],
      );
    const calls = [lineage, ...others].map((token): TestCall => ({ tenant, token, lineage }));
    [first, second, third] = calls as [TestCall, TestCall, TestCall];
  });

  const set = (target: string | undefined, limit: string): Promise<BudgetView> =>
    gateways.budgets().set(admin, tenant, { ...MONTH, scope: 'token', target, limit });

  const windows = () =>
    gateways.look<object>(
      `SELECT target, spent, leased, limit_amount AS limit FROM budget_windows WHERE tenant_id = $1 AND scope = 'token' ORDER BY id`,
      [tenant],
    );
  const window = (spent: string, limit: string) => [
    { target: first.token, spent: nanos(spent), leased: 0n, limit: nanos(limit) },
  ];

  async function use(gateway: AssembledQuota, call: TestCall, units: string): Promise<void> {
    await settle(await reserve(gateway, call, units), units);
  }

  test.each([
    ['each', '*'],
    ['the first', '1'],
  ])('have one budget of %s, with grace or without, whichever of three processes they call', async (_, which) => {
    await set(which === '*' ? '*' : first.token, '7');
    const three = [await gateways.start(), await gateways.start(), await gateways.start()];
    const [one] = three as [AssembledQuota];
    await use(one, first, '2');
    const results = await Promise.allSettled(
      Array.from({ length: 30 }, (__, n) => {
        const gateway = three[n % 3] as AssembledQuota;
        return reserve(gateway, [first, second, third][Math.floor(n / 3) % 3] as TestCall, '1');
      }),
    );
    const holds = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(holds).toHaveLength(5);
    await Promise.all(holds.map((hold) => settle(hold, '1')));
    expect((await refusal(reserve(one, third, '1'))).details).toMatchObject({ scope: 'token', target: first.token });
    await Promise.all(three.map(({ quota }) => quota.drain()));
    expect(await windows()).toEqual(window('7', '7'));
    const tokens = await gateways.look<{ n: bigint }>(
      'SELECT count(DISTINCT token_id) AS n FROM ledger WHERE tenant_id = $1',
      [tenant],
    );
    expect(tokens[0]?.n).toBeGreaterThan(1n);
  });

  test('have it by the id of any of them, and what all have used so far counts', async () => {
    const gateway = await gateways.start();
    for (const call of [first, second, third]) await use(gateway, call, '1');
    await gateway.settlements.flush();
    expect(await set(third.token, '5')).toMatchObject({ target: first.token, spent: '3.00', limit: '5.00' });
    expect(await set(first.token, '4')).toMatchObject({ target: first.token, limit: '4.00' });
    const byId = async (target: string | undefined) =>
      (await gateways.budgets().list(admin, tenant, Object.assign(new BudgetQuery(), { scope: 'token', target })))
        .items;
    expect(await byId(second.token)).toMatchObject([{ target: first.token, spent: '3.00' }]);
    expect(await byId(second.token)).toEqual(await byId(first.token));
    const part = { ...MONTH, scope: 'token', target: second.token } as const;
    await gateways.budgets().topUp(admin, tenant, { ...part, amount: '1', reason: 'Quarter end' });
    expect(await windows()).toEqual(window('3', '5'));
    await gateways.budgets().remove(admin, tenant, part);
    expect(await byId(first.token)).toEqual([]);
  });

  test('are counted at once when a budget of each is set, and others only if they have used something', async () => {
    const one = await gateways.start();
    await use(one, first, '2');
    await use(one, third, '1');
    await one.settlements.flush();
    await gateways.sql.query(
      `INSERT INTO tokens (id, tenant_id, label, hash, hint, role, created_at, created_by)
       VALUES ('tok_idle_' || $1::text, $1, 'x', sha256(convert_to($1, 'UTF8')), 'x', 'member', now(), 'x')`,
      [tenant],
    );
    expect(await set('*', '3')).toMatchObject({ spent: '3.00', targets: 1, targetsUsedUp: 1 });
    expect(await windows()).toEqual(window('3', '3'));
    await refusal(reserve(await gateways.start(), second, '1'));
    expect(await windows()).toEqual(window('3', '3'));
  });

  test('count as one when a dead process, whose journal names tokens only, is booked by another', async () => {
    await set('*', '100');
    const gone = await gateways.start();
    const settled = await reserve(gone, second, '3');
    await reserve(gone, third, '4');
    gone.settlements.stop();
    await settle(settled, '2');
    await gone.quota.close();
    // Counted anew from the ledger, the use of the dead process comes later, by a hold that names another window.
    await gateways.sql.query(`UPDATE budget_windows SET target = 'gone' WHERE tenant_id = $1 AND scope = 'token'`, [
      tenant,
    ]);
    const part = { ...MONTH, scope: 'token', target: first.token } as const;
    await gateways.budgets().topUp(admin, tenant, { ...part, amount: '1', reason: 'A window' });
    await gateways.start();
    expect((await windows())[1]).toEqual({ target: first.token, spent: nanos('6'), leased: 0n, limit: nanos('101') });
  });

  test('count as one when a call is corrected', async () => {
    await set('*', '100');
    const gateway = await gateways.start();
    await use(gateway, second, '3');
    await gateway.quota.drain();
    const used = { cost: -nanos('1'), tokens: 0n };
    await gateways.db.database.platform(jobPrincipals.for('correct'), (tx) =>
      recount(tx, gateway.settlements.books, [
        { at: new Date(), tenantId: tenant, tokenId: second.token as string, model: 'm', used },
      ]),
    );
    expect(await windows()).toEqual(window('2', '100'));
  });

  test('get one budget and one window of what they had each, when the gateway is upgraded', async () => {
    await migrateAgain(gateways.db.urls.ownerUrl, 'TokenLineages1795300000029', async () => {
      const { rows } = await gateways.sql.query<{ id: string }>(
        `INSERT INTO budget_windows (tenant_id, scope, target, metric, period, starts_at, ends_at, limit_amount, ceiling, spent, leased)
         SELECT $1, 'token', target, 'cost', 'month', date_trunc('month', now(), 'UTC'), date_trunc('month', now(), 'UTC') + interval '1 month',
           5e9, 5e9, spent, leased FROM unnest($2::text[], ARRAY[3e9, 1e9], ARRAY[0, 2e9]) AS w(target, spent, leased) RETURNING id`,
        [tenant, [second.token, third.token]],
      );
      await gateways.sql.query(
        `INSERT INTO budgets (id, tenant_id, scope, target, metric, period, limit_amount, created_at, updated_at)
         SELECT 'bud_' || target, $1, 'token', target, 'cost', 'month', amount, now(), now() - age
         FROM unnest($2::text[], ARRAY[5e9, 9e9, 7e9], ARRAY['2 days', '1 day', '3 days']::interval[]) AS b(target, amount, age)`,
        [tenant, [first.token, third.token, second.token]],
      );
      const process = '00000000-0000-7000-8000-00000000aaaa';
      await gateways.sql.query(`INSERT INTO gateway_processes (id, host, pid) VALUES ($1, 'h', 1)`, [process]);
      await gateways.sql.query('INSERT INTO leases (process_id, window_id, amount) VALUES ($1, $2, 2e9)', [
        process,
        rows[1]?.id,
      ]);
      await gateways.sql.query('INSERT INTO budget_notices (window_id, percent) VALUES ($1, 50), ($2, 50), ($2, 80)', [
        rows[0]?.id,
        rows[1]?.id,
      ]);
    });
    expect(await windows()).toEqual([
      { target: first.token, spent: nanos('4'), leased: nanos('2'), limit: nanos('9') },
    ]);
    const lineages = await gateways.look(
      'SELECT id, lineage FROM tokens WHERE tenant_id = $1 AND lineage IS NOT NULL ORDER BY id',
      [tenant],
    );
    expect(lineages).toEqual([second, third].map(({ token }) => ({ id: token, lineage: first.token })));
    const budgets = await gateways.look('SELECT target, limit_amount AS limit FROM budgets WHERE tenant_id = $1', [
      tenant,
    ]);
    expect(budgets).toEqual([{ target: first.token, limit: nanos('9') }]);
    const kept = await gateways.look(
      `SELECT (SELECT sum(amount)::bigint FROM leases l WHERE l.window_id = w.id) AS leased,
         (SELECT array_agg(percent ORDER BY percent) FROM budget_notices n WHERE n.window_id = w.id) AS told
       FROM budget_windows w WHERE tenant_id = $1`,
      [tenant],
    );
    expect(kept).toEqual([{ leased: nanos('2'), told: [50, 80] }]);
    const own = await gateways.budgets().listOwn(tenantPrincipal(tenant));
    expect(own.items.slice(4)).toMatchObject([{ target: first.token, spent: '4.00', held: '2.00', limit: '9.00' }]);
  });
});

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adminPrincipal, jobPrincipals, tenantPrincipal } from '../../../../test/support/principals';
import type { AssembledQuota } from '../assemble';
import type { BudgetExceeded } from '../budget-exceeded';
import { Gateways, nanos, TestClock, until } from '../../test/gateways';
import { recount } from '../recount.queries';
import { ACTUAL, draftOf, testLedger, TOKEN } from '../../test/test-ledger';

const admin = adminPrincipal();
const MONTH = { metric: 'cost', period: 'month' } as const;
let gateways: Gateways;
let tenants = 0;

beforeAll(async () => {
  gateways = await Gateways.open();
});
afterAll(() => gateways.close());

interface Told {
  readonly event: string;
  readonly percent: number | undefined;
  readonly data: Record<string, unknown>;
}

/** What was told of a tenant, in order. */
async function told(tenantId: string): Promise<Told[]> {
  const { rows } = await gateways.sql.query<{ event: string; body: string }>(
    'SELECT event, body FROM webhook_deliveries WHERE tenant_id = $1 ORDER BY created_at, id',
    [tenantId],
  );
  return rows.map(({ event, body }) => {
    const data = JSON.parse(body) as Record<string, unknown>;
    return { event, percent: data['percent'] as number | undefined, data };
  });
}
const percents = async (tenantId: string): Promise<(number | undefined)[]> =>
  (await told(tenantId)).map(({ percent }) => percent);

async function department(limit: string): Promise<string> {
  const id = `noticed${++tenants}`;
  await gateways.tenant(id, { month: limit });
  return id;
}

async function spend({ holds, settlements }: AssembledQuota, tenantId: string, amount: string): Promise<void> {
  const costNanos = nanos(amount);
  const hold = await holds.reserve(tenantPrincipal(tenantId), { costNanos, tokens: 0 }, draftOf(tenantId));
  await hold.settle({ costNanos, tokens: 0, row: ACTUAL });
  await settlements.flush();
}

test('thresholds are told once each as they are crossed, with all that is known of them', async () => {
  const one = await gateways.start();
  const id = await department('100');
  // As on a new gateway: the month has begun before there were prices.
  const begun = new Date();
  const currency = jest.spyOn(testLedger, 'currency').mockImplementation((at) => (at >= begun ? 'USD' : null));
  await spend(one, id, '49');
  expect(await told(id)).toEqual([]);
  await spend(one, id, '1');
  await spend(one, id, '5');
  expect(await percents(id)).toEqual([50]);
  expect((await told(id))[0]).toMatchObject({
    event: 'budget.threshold',
    data: { scope: 'tenant', target: null, ...MONTH, percent: 50, limit: '100.00', spent: '50.00', currency: 'USD' },
  });
  // Several at once: the highest is told, the lower ones never again.
  await spend(one, id, '45');
  expect(await percents(id)).toEqual([50, 100]);
  currency.mockRestore();
});

test('thresholds are told once, though three processes book at once', async () => {
  const processes = [await gateways.start(), await gateways.start(), await gateways.start()];
  const id = await department('100');
  await Promise.all(Array.from({ length: 90 }, (_, n) => spend(processes[n % 3] as AssembledQuota, id, '1')));
  expect(await percents(id)).toEqual([50, 80]);
});

test('a lowered limit tells once, a raised one and a top-up not again', async () => {
  const one = await gateways.start();
  const id = await department('100');
  const set = (limit: string, thresholds?: number[]) =>
    gateways.budgets().set(admin, id, { ...MONTH, limit, ...(thresholds && { thresholds }) });
  await spend(one, id, '40');
  await set('60');
  await set('61');
  expect(await percents(id)).toEqual([50]);
  await set('200');
  await gateways.budgets().topUp(admin, id, { ...MONTH, amount: '100', reason: 'test' });
  await set('20');
  await spend(one, id, '30');
  expect(await percents(id)).toEqual([50]);
  // With the top-up the limit is 100, of which 70 are spent.
  await set('0');
  expect(await percents(id)).toEqual([50]);
  await spend(one, id, '30');
  expect(await percents(id)).toEqual([50, 100]);
});

test('a top-up that is taken back tells what is reached without it', async () => {
  const one = await gateways.start();
  const id = await department('40');
  const topUp = (amount: string) => gateways.budgets().topUp(admin, id, { ...MONTH, amount, reason: 'test' });
  await topUp('160');
  await spend(one, id, '60');
  expect(await percents(id)).toEqual([]);
  await topUp('-100');
  expect(await percents(id)).toEqual([50]);
});

test('what a correction adds tells a threshold once, and what it takes away, or adds to a period that is over, none', async () => {
  const one = await gateways.start();
  const id = await department('100');
  await gateways.budgets().set(admin, id, { ...MONTH, scope: 'model', target: '*', limit: '50' });
  await spend(one, id, '20');
  const correct = (by: string, at = new Date()) =>
    gateways.db.database.platform(jobPrincipals.for('correct'), (tx) => {
      const used = { cost: by.startsWith('-') ? -nanos(by.slice(1)) : nanos(by), tokens: 0n };
      return recount(tx, one.settlements.books, [{ at, tenantId: id, tokenId: TOKEN, model: 'm', used }]);
    });
  await correct('-1');
  expect(await told(id)).toEqual([]);
  await correct('33');
  expect(await told(id)).toMatchObject([
    { data: { scope: 'tenant', percent: 50, spent: '52.00' } },
    { data: { scope: 'model', percent: 100, spent: '52.00' } },
  ]);
  await correct('-20');
  await correct('20');
  expect(await told(id)).toHaveLength(2);

  const past = await department('100');
  const lastMonth = new TestClock(new Date(Date.now() - 40 * 86_400_000));
  const earlier = await gateways.start({ clock: lastMonth });
  await spend(earlier, past, '20');
  await gateways.db.database.platform(jobPrincipals.for('correct'), (tx) => {
    const change = { at: lastMonth.time, tenantId: past, tokenId: TOKEN, model: 'm' };
    return recount(tx, one.settlements.books, [{ ...change, used: { cost: nanos('70'), tokens: 0n } }]);
  });
  expect(await gateways.month(past)).toMatchObject({ spent: nanos('90'), limit: nanos('100') });
  expect(await told(past)).toEqual([]);
});

test('what a lost machine leaves tells a threshold when it is decided that it counts as spent', async () => {
  const one = await gateways.start();
  const elsewhere = await gateways.start({ dataDir: await mkdtemp(join(tmpdir(), 'quota-notices-')) });
  const id = await department('100');
  await elsewhere.holds.reserve(tenantPrincipal(id), { costNanos: nanos('85'), tokens: 0 }, draftOf(id));
  await elsewhere.quota.close();
  await gateways.lost(one).resolve(admin, elsewhere.process.id, { how: 'spent', reason: 'the disk is gone' });
  expect(await told(id)).toMatchObject([
    { event: 'budget.threshold', data: { ...MONTH, percent: expect.any(Number) } },
  ]);
  expect((await percents(id))[0]).toBeGreaterThanOrEqual(80);
});

test('a budget that takes the place of a larger one tells at once', async () => {
  const one = await gateways.start();
  const id = await department('100');
  const budgets = gateways.budgets();
  const user = { ...MONTH, scope: 'user' } as const;
  await budgets.set(admin, id, { ...user, target: '*', limit: '10' });
  await budgets.set(admin, id, { ...user, target: 'alice', limit: '50' });
  const use = { costNanos: nanos('9'), tokens: 0 };
  const hold = await one.holds.reserve(
    tenantPrincipal(id),
    use,
    draftOf(id, 0, { tokenId: TOKEN, model: 'm', subject: 'alice' }),
  );
  await hold.settle({ ...use, row: ACTUAL });
  await one.settlements.flush();
  expect(await told(id)).toEqual([]);
  await budgets.remove(admin, id, { ...user, target: 'alice' });
  expect(await told(id)).toMatchObject([{ data: { scope: 'user', target: 'alice', percent: 80, limit: '10.00' } }]);
  await budgets.remove(admin, id, { ...user, target: '*' });
  expect(await told(id)).toHaveLength(1);
});

test('a budget has its own thresholds, and its tokens and users too', async () => {
  const one = await gateways.start();
  const id = await department('100');
  const budget = { ...MONTH, scope: 'token', target: '*', limit: '10' } as const;
  const view = await gateways.budgets().set(admin, id, { ...budget, thresholds: [25] });
  expect(view.thresholds).toEqual([25]);
  await until(async () => {
    await spend(one, id, '1');
    return (await told(id)).length > 0;
  });
  expect(await told(id)).toMatchObject([{ data: { scope: 'token', target: TOKEN, percent: 25, limit: '10.00' } }]);
  const falling = gateways.budgets().set(admin, id, { ...MONTH, limit: '1', thresholds: [80, 50] });
  await expect(falling).rejects.toMatchObject({ code: 'validation_failed' });
});

test('what was spent before there was a budget tells its thresholds when the budget begins to count', async () => {
  const one = await gateways.start();
  const id = await department('100');
  await spend(one, id, '7');
  await gateways.budgets().set(admin, id, { ...MONTH, scope: 'token', target: '*', limit: '10', thresholds: [50, 60] });
  expect(await told(id)).toEqual([]);
  await until(async () => {
    await spend(one, id, '0.01');
    return (await told(id)).length > 0;
  });
  await spend(one, id, '0.01');
  expect(await told(id)).toMatchObject([{ data: { scope: 'token', target: TOKEN, percent: 60, limit: '10.00' } }]);
});

test('the first refusal of a period is told, once over all processes', async () => {
  const processes = [await gateways.start({ waitMs: 0 }), await gateways.start({ waitMs: 0 })];
  const id = await department('1');
  const refuse = async (one: AssembledQuota): Promise<void> => {
    const error = await spend(one, id, '2').catch((reason: unknown) => reason);
    one.holds.refused(error as BudgetExceeded);
  };
  for (const one of [...processes, ...processes]) await refuse(one);
  await until(async () => (await told(id)).length > 0);
  await refuse(processes[0] as AssembledQuota);
  expect(await told(id)).toMatchObject([{ event: 'budget.refused', data: { ...MONTH, limit: '1.00', spent: '0.00' } }]);
});

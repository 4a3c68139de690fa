import { CodedError } from '@app/platform';
import { adminPrincipal, tenantPrincipal } from '../../../test/support/principals';
import { Gateways, nanos, TestClock, until } from '../test/gateways';
import { ACTUAL, draftOf } from '../test/test-ledger';
import type { AssembledQuota } from './assemble';
import type { Hold } from './hold';

const one = { costNanos: nanos('1'), tokens: 0 };

const reserve = (gateway: AssembledQuota, tenant: string, costNanos = one.costNanos): Promise<Hold> =>
  gateway.holds.reserve(tenantPrincipal(tenant), { costNanos, tokens: 0 }, draftOf(tenant));

const isRefused = async (gateway: AssembledQuota, tenant: string, units: string): Promise<boolean> =>
  (await sorted([reserve(gateway, tenant, nanos(units))])).holds.map((hold) => hold.release()).length === 0;

/** Ends what can be ended of many reservations: how many were refused for lack of budget, and the holds of the others. */
async function sorted(tries: Promise<Hold>[]): Promise<{ holds: Hold[]; refusals: CodedError[] }> {
  const holds: Hold[] = [];
  const refusals: CodedError[] = [];
  for (const result of await Promise.allSettled(tries)) {
    if (result.status === 'fulfilled') holds.push(result.value);
    else if (result.reason instanceof CodedError && result.reason.code === 'budget_exceeded')
      refusals.push(result.reason);
    else throw result.reason;
  }
  return { holds, refusals };
}

describe('holds', () => {
  let gateways: Gateways;

  beforeAll(async () => {
    gateways = await Gateways.open();
  });

  afterAll(() => gateways.close());

  test('200 requests at once against a budget for 50: 50 are let through, and nothing is left behind', async () => {
    const gateway = await gateways.start();
    await gateways.tenant('fifty', { month: '50' });
    const { holds, refusals } = await sorted(Array.from({ length: 200 }, () => reserve(gateway, 'fifty')));
    expect([holds.length, refusals.length]).toEqual([50, 150]);
    expect(await gateways.month('fifty')).toMatchObject({ spent: 0n, leased: nanos('50') });
    expect(gateway.quota.facts()).toMatchObject({ openHolds: 50, heldNanos: nanos('50') });

    const before = await gateways.ledger();
    for (const hold of holds.slice(0, 10)) hold.release();
    await Promise.all(holds.slice(10).map((hold) => hold.settle({ costNanos: nanos('0.4'), tokens: 0, row: ACTUAL })));
    await gateway.settlements.flush();
    await gateway.leases.giveBackAll();
    expect(await gateways.month('fifty')).toMatchObject({ spent: nanos('16'), leased: 0n });
    expect((await gateways.ledger()).rows - before.rows).toBe(40);
    expect(gateway.quota.facts()).toMatchObject({ openHolds: 0, heldNanos: 0n, uncoveredNanos: 0n });

    const again = await sorted(Array.from({ length: 100 }, () => reserve(gateway, 'fifty')));
    expect(again.holds).toHaveLength(34);
    again.holds.forEach((hold) => hold.release());
    await gateway.quota.drain();
    expect(await gateways.month('fifty')).toMatchObject({ spent: nanos('16'), leased: 0n });
  });

  test('three processes share a budget to the last unit, and never pass it at any instant', async () => {
    await gateways.tenant('shared', { month: '30', day: '25' });
    const three = await Promise.all([gateways.start(), gateways.start(), gateways.start()]);
    let looks = 0;
    let passed = 0;
    let watching = true;
    const watch = (async () => {
      for (; watching; looks++) {
        const { rows } = await gateways.sql.query(
          `SELECT 1 FROM budget_windows WHERE tenant_id = 'shared' AND spent + leased > limit_amount`,
        );
        passed += rows.length;
      }
    })();

    let settled = 0n;
    let refused = 0;
    const client = async (gateway: AssembledQuota, seed: number): Promise<void> => {
      for (let i = 0; i < 30; i++) {
        try {
          const hold = await reserve(gateway, 'shared', nanos('0.3'));
          await new Promise((resolve) => setTimeout(resolve, (seed * 7 + i * 3) % 11));
          const costNanos = nanos('0.1') + BigInt((seed * 31 + i) % 200) * 1_000_000n;
          await hold.settle({ costNanos, tokens: 0, row: ACTUAL });
          settled += costNanos;
        } catch (error) {
          if ((error as CodedError).code !== 'budget_exceeded') throw error;
          refused++;
        }
      }
    };
    await Promise.all(three.flatMap((gateway, g) => Array.from({ length: 8 }, (_, c) => client(gateway, g * 8 + c))));
    await Promise.all(three.map(({ quota }) => quota.drain()));
    watching = false;
    await watch;

    const { spent, leased } = await gateways.month('shared');
    expect(spent).toBe(settled);
    expect(leased).toBe(0n);
    expect(looks).toBeGreaterThan(50);
    expect(passed).toBe(0);
    expect(refused).toBeGreaterThan(0);
    // What is left is less than a request needs: nobody was refused for headroom that lay idle in another process.
    expect(nanos('25') - spent).toBeLessThan(nanos('0.3'));
  });

  test('the refusal says what is limited, what is used, and when it resets', async () => {
    const clock = new TestClock(new Date('2026-11-30T23:59:30.000Z'));
    const gateway = await gateways.start({ clock });
    await gateways.tenant('told');
    await gateways.budgets(clock).set(adminPrincipal(), 'told', { metric: 'cost', period: 'month', limit: '2' });
    await gateways.heard();
    await (await reserve(gateway, 'told')).settle({ costNanos: nanos('0.25'), tokens: 0, row: ACTUAL });
    await gateway.settlements.flush();
    await reserve(gateway, 'told');
    const error = (await reserve(gateway, 'told').catch((e: unknown) => e)) as CodedError;
    expect(error).toBeInstanceOf(CodedError);
    expect(error.code).toBe('budget_exceeded');
    expect(error.details).toEqual({
      scope: 'tenant',
      metric: 'cost',
      currency: 'USD',
      period: 'month',
      limit: '2.00',
      spent: '0.25',
      held: '1.00',
      requested: '1.00',
      resetAt: '2026-12-01T00:00:00.000Z',
    });
    // The other request may cost less than it holds, so asking again soon may help.
    expect(error.headers).toEqual({ 'retry-after': '1', 'x-should-retry': 'true' });
    const hopeless = (await reserve(gateway, 'told', nanos('1.75') + 1n).catch((e: unknown) => e)) as CodedError;
    expect(hopeless.headers).toEqual({ 'retry-after': '30' });
    expect(error.message).toBe(
      "This month's budget of 2.00 USD does not cover this request: 0.25 USD spent, 1.00 USD held for requests under way, " +
        'and this request could cost up to 1.00 USD. What is held may come back at any moment, so try again. ' +
        'It resets at 2026-12-01T00:00:00.000Z.',
    );
    expect(hopeless.message).not.toContain('try again');
  });

  test('a new day finds a new window; a hold counts where it was made', async () => {
    const clock = new TestClock(new Date('2026-11-10T23:59:59.000Z'));
    const gateway = await gateways.start({ clock });
    await gateways.tenant('daily');
    await gateways.budgets(clock).set(adminPrincipal(), 'daily', { metric: 'cost', period: 'day', limit: '1' });
    await gateways.heard();
    const late = await reserve(gateway, 'daily');
    await expect(reserve(gateway, 'daily')).rejects.toMatchObject({ code: 'budget_exceeded' });

    clock.time = new Date('2026-11-11T00:00:01.000Z');
    const early = await reserve(gateway, 'daily');
    await late.settle({ costNanos: nanos('0.5'), tokens: 0, row: ACTUAL });
    await early.settle({ costNanos: nanos('0.75'), tokens: 0, row: ACTUAL });
    await gateway.quota.drain();
    const { rows } = await gateways.sql.query(
      `SELECT spent::text, leased::text FROM budget_windows WHERE tenant_id = 'daily' AND metric = 'cost' AND period = 'day'
       ORDER BY starts_at`,
    );
    expect(rows).toEqual([
      { spent: '500000000', leased: '0' },
      { spent: '750000000', leased: '0' },
    ]);
  });

  test('what is used without a budget counts when one is set; a raised one lets through at once', async () => {
    const gateway = await gateways.start();
    await gateways.tenant('later');
    await (await reserve(gateway, 'later', nanos('3'))).settle({ costNanos: nanos('3'), tokens: 0, row: ACTUAL });
    await gateway.settlements.flush();
    const set = (limit: string) =>
      gateways.budgets().set(adminPrincipal(), 'later', { metric: 'cost', period: 'month', limit });
    expect(await set('4')).toMatchObject({ spent: '3.00', limit: '4.00' });
    await until(() => isRefused(gateway, 'later', '2'));
    await set('5');
    let hold: Hold | undefined;
    await until(async () => (hold = await reserve(gateway, 'later', nanos('2')).catch(() => undefined)) !== undefined);
    expect(await gateways.month('later')).toMatchObject({ spent: nanos('3'), limit: nanos('5') });
    hold?.release();
  });

  test('the process that sets a budget obeys at once, whether it hears of it or not', async () => {
    const deaf = await gateways.start({ deaf: true });
    await gateways.tenant('own');
    const budget = { metric: 'cost', period: 'month' } as const;
    await gateways.budgetsOf(deaf).set(adminPrincipal(), 'own', { ...budget, limit: '1' });
    expect(await isRefused(deaf, 'own', '2')).toBe(true);
    await gateways.budgetsOf(deaf).remove(adminPrincipal(), 'own', budget);
    expect(await isRefused(deaf, 'own', '2')).toBe(false);
  });

  test('a process that does not hear of a budget learns of it from what it books', async () => {
    const deaf = await gateways.start({ deaf: true });
    await gateways.tenant('unheard');
    await gateways.budgets().set(adminPrincipal(), 'unheard', { metric: 'cost', period: 'month', limit: '4' });
    await (await reserve(deaf, 'unheard', nanos('3'))).settle({ costNanos: nanos('3'), tokens: 0, row: ACTUAL });
    await until(() => isRefused(deaf, 'unheard', '2'));
    (await reserve(deaf, 'unheard', nanos('1'))).release();
    await deaf.quota.drain();
    expect(await gateways.month('unheard')).toMatchObject({ spent: nanos('3'), leased: 0n, uncovered: 0n });
  });

  test('a process that does not hear of a budget, and books nothing, knows of it from the next day on', async () => {
    const clock = new TestClock(new Date('2026-11-20T12:00:00.000Z'));
    const deaf = await gateways.start({ clock, deaf: true });
    await gateways.tenant('yesterday');
    await gateways.budgets(clock).set(adminPrincipal(), 'yesterday', { metric: 'cost', period: 'day', limit: '1' });
    expect(await isRefused(deaf, 'yesterday', '2')).toBe(false);
    clock.time = new Date('2026-11-21T00:00:00.001Z');
    expect(await isRefused(deaf, 'yesterday', '2')).toBe(true);
    expect(await isRefused(deaf, 'yesterday', '1')).toBe(false);
  });

  test('a lowered limit holds for what calls under way give back, however busy the process is', async () => {
    const gateway = await gateways.start();
    await gateways.tenant('busy', { month: '10' });
    const [first, second] = [await reserve(gateway, 'busy', nanos('4')), await reserve(gateway, 'busy', nanos('4'))];
    await gateways.budgets().set(adminPrincipal(), 'busy', { metric: 'cost', period: 'month', limit: '5' });
    await until(async () => (await gateways.month('busy')).leased === nanos('8'));
    first.release();
    expect(await isRefused(gateway, 'busy', '4')).toBe(true);
    second.release();
    expect(await isRefused(gateway, 'busy', '5.1')).toBe(true);
    await until(async () => !(await isRefused(gateway, 'busy', '5')));
    await gateway.quota.drain();
    expect(await gateways.month('busy')).toMatchObject({ spent: 0n, leased: 0n, ceiling: nanos('5') });
  });

  test('a budget lowered below what is used lets nothing through, and the ceiling falls with what is held', async () => {
    const gateway = await gateways.start();
    await gateways.tenant('lowered', { month: '10' });
    const hold = await reserve(gateway, 'lowered', nanos('6'));
    await gateways.budgets().set(adminPrincipal(), 'lowered', { metric: 'cost', period: 'month', limit: '2' });
    await until(async () => (await gateways.month('lowered')).leased === nanos('6'));
    expect(await gateways.month('lowered')).toMatchObject({ limit: nanos('2'), ceiling: nanos('6') });
    await expect(reserve(gateway, 'lowered', 1n)).rejects.toMatchObject({ code: 'budget_exceeded' });
    await hold.settle({ costNanos: nanos('1'), tokens: 0, row: ACTUAL });
    await gateway.settlements.flush();
    await gateway.leases.giveBackAll();
    expect(await gateways.month('lowered')).toMatchObject({ spent: nanos('1'), leased: 0n, ceiling: nanos('2') });
    (await reserve(gateway, 'lowered', nanos('1'))).release();
  });

  test('headroom that lies idle in one process is called back for another', async () => {
    await gateways.tenant('recalled', { month: '10' });
    const [a, b] = [await gateways.start(), await gateways.start()];
    (await reserve(a, 'recalled', nanos('8'))).release();
    expect((await gateways.month('recalled')).leased).toBeGreaterThanOrEqual(nanos('8'));
    (await reserve(b, 'recalled', nanos('9'))).release();
  });

  test.each([
    ['seconds', '10', 6_000],
    ['a minute where plenty is left', '10000', 61_000],
  ])('headroom that nobody uses goes back by itself after %s', async (name, month, idleMs) => {
    const clock = new TestClock();
    const gateway = await gateways.start({ clock });
    const id = name.replaceAll(' ', '-');
    await gateways.tenant(id, { month });
    const hold = await reserve(gateway, id, nanos('2'));
    clock.time = new Date(clock.time.getTime() + idleMs);
    await until(async () => (await gateways.month(id)).leased === nanos('2'));
    hold.release();
    await until(async () => (await gateways.month(id)).leased === 0n);
  });

  test('headroom that is given back twice is not taken for that of a pool which came in between', async () => {
    const gateway = await gateways.start();
    await gateways.tenant('twice', { month: '100' });
    const { leases, settlements } = gateway;
    await (await reserve(gateway, 'twice')).settle({ costNanos: nanos('1'), tokens: 0, row: ACTUAL });
    await settlements.flush();
    const first = leases.giveBackAll();
    await new Promise((turn) => setImmediate(turn));
    let open!: () => void;
    const gate = settlements.lane.run(() => new Promise<void>((resolve) => (open = resolve)));
    const second = leases.giveBackAll();
    await first;
    const hold = await reserve(gateway, 'twice', nanos('40'));
    open();
    await Promise.all([gate, second]);
    const other = await reserve(gateway, 'twice', nanos('2'));
    await leases.giveBackAll();
    expect(await gateways.month('twice')).toMatchObject({ leased: nanos('42') });
    await Promise.all([hold, other].map((one) => one.settle({ costNanos: one.amount.cost, tokens: 0, row: ACTUAL })));
    await gateway.quota.drain();
    expect(await gateways.month('twice')).toMatchObject({ spent: nanos('43'), leased: 0n, uncovered: 0n });
  });

  test('a hold ends once, at no more than it is', async () => {
    const gateway = await gateways.start();
    await gateways.tenant('once', { month: '10' });
    const hold = await reserve(gateway, 'once');
    expect(() => hold.settle({ costNanos: nanos('1') + 1n, tokens: 0, row: ACTUAL })).toThrow(TypeError);
    expect(() => hold.settle({ costNanos: -1n, tokens: 0, row: ACTUAL })).toThrow(TypeError);
    expect(hold.closed).toBe(false);
    await hold.settle({ costNanos: nanos('1'), tokens: 0, row: ACTUAL });
    expect(hold.closed).toBe(true);
    expect(() => hold.release()).toThrow(TypeError);
    expect(() => hold.settle({ costNanos: 0n, tokens: 0, row: ACTUAL })).toThrow(TypeError);
    await gateway.quota.drain();
    expect(await gateways.month('once')).toMatchObject({ spent: nanos('1'), leased: 0n });
  });

  test('the draining process takes no new work and leaves nothing behind', async () => {
    const gateway = await gateways.start();
    await gateways.tenant('drained', { month: '10' });
    await (await reserve(gateway, 'drained')).settle({ costNanos: 1n, tokens: 0, row: ACTUAL });
    await gateway.quota.drain();
    await expect(reserve(gateway, 'drained')).rejects.toMatchObject({ code: 'draining' });
    const { rows } = await gateways.sql.query(`SELECT ended_how FROM gateway_processes WHERE id = $1`, [
      gateway.process.id,
    ]);
    expect(rows).toEqual([{ ended_how: 'drained' }]);
    expect(await gateways.month('drained')).toMatchObject({ spent: 1n, leased: 0n });
  });
});

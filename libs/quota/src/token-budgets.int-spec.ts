import type { CodedError } from '@app/platform';
import { adminPrincipal, tenantPrincipal } from '../../../test/support/principals';
import { Gateways, nanos, TestClock, until } from '../test/gateways';
import { actual, draftOf } from '../test/test-ledger';
import type { AssembledQuota } from './assemble';
import type { Hold } from './hold';

const PRICE_NANOS = 3n;

/** Holds that many tokens at their price. */
const reserve = (gateway: AssembledQuota, tenant: string, tokens: number): Promise<Hold> =>
  gateway.holds.reserve(
    tenantPrincipal(tenant),
    { costNanos: BigInt(tokens) * PRICE_NANOS, tokens },
    draftOf(tenant, tokens),
  );

const settle = (hold: Hold, tokens: number): Promise<void> =>
  hold.settle({ costNanos: BigInt(tokens) * PRICE_NANOS, tokens, row: actual(tokens) });

describe('token budgets', () => {
  let gateways: Gateways;

  beforeAll(async () => {
    gateways = await Gateways.open();
  });

  afterAll(() => gateways.close());

  const limit = async (tenant: string, tokens: number, clock?: TestClock) => {
    const budget = { metric: 'tokens', period: 'month', limit: String(tokens) } as const;
    const set = await gateways.budgets(clock).set(adminPrincipal(), tenant, budget);
    await gateways.heard();
    return set;
  };

  test('three processes share one to the last token', async () => {
    await gateways.tenant('shared', { month: '100' });
    await limit('shared', 3_000);
    const three = await Promise.all([gateways.start(), gateways.start(), gateways.start()]);
    let [used, refused] = [0, 0];
    const client = async (gateway: AssembledQuota, seed: number): Promise<void> => {
      for (let i = 0; i < 25; i++) {
        try {
          const hold = await reserve(gateway, 'shared', 30);
          const tokens = 1 + ((seed * 31 + i * 7) % 30);
          await settle(hold, tokens);
          used += tokens;
        } catch (error) {
          if ((error as CodedError).code !== 'budget_exceeded') throw error;
          refused++;
        }
      }
    };
    await Promise.all(three.flatMap((gateway, g) => Array.from({ length: 6 }, (_, c) => client(gateway, g * 6 + c))));
    await Promise.all(three.map(({ quota }) => quota.drain()));
    expect(await gateways.month('shared', 'tokens')).toMatchObject({ spent: BigInt(used), leased: 0n });
    expect(await gateways.month('shared')).toMatchObject({ spent: BigInt(used) * PRICE_NANOS, leased: 0n });
    expect(refused).toBeGreaterThan(0);
    expect(used).toBeLessThanOrEqual(3_000);
    expect(3_000 - used).toBeLessThan(30);
  });

  test('the refusal names tokens, and the cost window gives back what it had given', async () => {
    const clock = new TestClock(new Date('2026-11-30T23:59:30.000Z'));
    const gateway = await gateways.start({ clock });
    await gateways.tenant('told');
    await gateways.budgets(clock).set(adminPrincipal(), 'told', { metric: 'cost', period: 'month', limit: '100' });
    await limit('told', 100, clock);
    await settle(await reserve(gateway, 'told', 60), 40);
    await gateway.settlements.flush();
    const error = (await reserve(gateway, 'told', 61).catch((e: unknown) => e)) as CodedError;
    expect(error.details).toEqual({
      scope: 'tenant',
      metric: 'tokens',
      period: 'month',
      limit: '100',
      spent: '40',
      held: '0',
      requested: '61',
      resetAt: '2026-12-01T00:00:00.000Z',
    });
    expect(error.message).toContain("This month's budget of 100 tokens does not cover this request: 40 tokens used, ");
    await gateway.leases.giveBackAll();
    expect(await gateways.month('told')).toMatchObject({ spent: 120n, leased: 0n });
  });

  test('what is used without one counts when one is set in the middle of the month', async () => {
    const gateway = await gateways.start();
    await gateways.tenant('later');
    await settle(await reserve(gateway, 'later', 70), 70);
    await gateway.settlements.flush();
    expect(await limit('later', 100)).toMatchObject({ spent: '70', limit: '100' });
    await until(async () => (await gateways.month('later', 'tokens')).leased === 0n);
    await expect(reserve(gateway, 'later', 31)).rejects.toMatchObject({ code: 'budget_exceeded' });
    (await reserve(gateway, 'later', 30)).release();
  });

  test('requests that cost nothing are limited by their tokens', async () => {
    const gateway = await gateways.start();
    await gateways.tenant('free', { month: '0' });
    await limit('free', 10);
    const free = (tokens: number) =>
      gateway.holds.reserve(tenantPrincipal('free'), { costNanos: 0n, tokens }, draftOf('free', tokens));
    await (await free(10)).settle({ costNanos: 0n, tokens: 10, row: actual(10) });
    await expect(free(1)).rejects.toMatchObject({ code: 'budget_exceeded' });
  });

  test('a dead process leaves no token uncounted: settled as they were, open ones at their worst', async () => {
    await gateways.tenant('dead', { month: '100' });
    await limit('dead', 1_000);
    const gateway = await gateways.start();
    const settled = await reserve(gateway, 'dead', 100);
    await reserve(gateway, 'dead', 400);
    gateway.settlements.stop();
    await settle(settled, 25);
    await gateway.quota.close();
    await gateways.start();
    expect(await gateways.month('dead', 'tokens')).toMatchObject({ spent: 425n, leased: 0n });
    expect(await gateways.month('dead')).toMatchObject({ spent: 1_275n, leased: 0n });
  });

  test('a hold is settled at no more tokens than it holds', async () => {
    const gateway = await gateways.start();
    await gateways.tenant('capped');
    const hold = await reserve(gateway, 'capped', 10);
    expect(() => hold.settle({ costNanos: 0n, tokens: 11, row: actual(11) })).toThrow(TypeError);
    expect(() => hold.settle({ costNanos: nanos('0'), tokens: -1, row: actual(-1) })).toThrow(TypeError);
    hold.release();
  });
});

import type { CodedError } from '@app/platform';
import { adminPrincipal, tenantPrincipal } from '../../../test/support/principals';
import { Gateways, nanos, until } from '../test/gateways';
import { TestCaller, turn } from '../test/test-caller';
import { ACTUAL, draftOf } from '../test/test-ledger';
import type { AssembledQuota } from './assemble';
import type { Hold } from './hold';
import type { Caller, Pool } from './pool';

/** Longer than any of these tests may last: whoever is let through by then was let through by something else than time. */
const LONG_MS = 60_000;

const reserve = (gateway: AssembledQuota, tenant: string, units: string, caller: Caller | null = null): Promise<Hold> =>
  gateway.holds.reserve(
    tenantPrincipal(tenant),
    { costNanos: nanos(units), tokens: 0 },
    draftOf(tenant),
    undefined,
    true,
    caller,
  );

const outcome = (hold: Promise<Hold>): Promise<Hold | string> => hold.catch((error: CodedError) => error.code);

const poolOf = (gateway: AssembledQuota, tenant: string): Pool | undefined =>
  gateway.leases.pools.find(({ key }) => key === tenant);

/** Resolves when the tenant's pool has found no room for those who wait. */
const stalled = (gateway: AssembledQuota, tenant: string, waiting: number): Promise<void> =>
  until(() => {
    const pool = poolOf(gateway, tenant);
    return pool?.stalled != null && pool.waiters.length === waiting;
  });

describe('a request for which there is no room', () => {
  let gateways: Gateways;

  beforeAll(async () => {
    gateways = await Gateways.open();
  });

  afterAll(() => gateways.close());

  test('waits for what is held and is let through when it comes back', async () => {
    const gateway = await gateways.start({ waitMs: LONG_MS });
    await gateways.tenant('back', { month: '10' });
    const hold = await reserve(gateway, 'back', '8');
    const waiting = reserve(gateway, 'back', '6');
    await stalled(gateway, 'back', 1);
    await hold.settle({ costNanos: nanos('4'), tokens: 0, row: ACTUAL });
    await (await waiting).settle({ costNanos: nanos('6'), tokens: 0, row: ACTUAL });
    await gateway.quota.drain();
    expect(await gateways.month('back')).toMatchObject({ spent: nanos('10'), leased: 0n });
  });

  test('is let through by what another process gives back', async () => {
    const [a, b] = [await gateways.start({ waitMs: LONG_MS }), await gateways.start({ waitMs: LONG_MS })];
    await gateways.tenant('other', { month: '10' });
    const hold = await reserve(a, 'other', '8');
    const waiting = reserve(b, 'other', '6');
    await stalled(b, 'other', 1);
    hold.release();
    (await waiting).release();
  });

  test('is refused at once if waiting cannot help', async () => {
    const gateway = await gateways.start({ waitMs: LONG_MS });
    await gateways.tenant('hopeless', { month: '10' });
    const hold = await reserve(gateway, 'hopeless', '8');
    expect(await outcome(reserve(gateway, 'hopeless', '11'))).toBe('budget_exceeded');
    hold.release();
  });

  test('is refused when what it waits for turns out to be spent', async () => {
    const gateway = await gateways.start({ waitMs: LONG_MS });
    await gateways.tenant('spent', { month: '10' });
    const hold = await reserve(gateway, 'spent', '8');
    const waiting = outcome(reserve(gateway, 'spent', '6'));
    await stalled(gateway, 'spent', 1);
    await hold.settle({ costNanos: nanos('8'), tokens: 0, row: ACTUAL });
    expect(await waiting).toBe('budget_exceeded');
  });

  test('is refused when it has waited long enough, and told what is held', async () => {
    const gateway = await gateways.start({ waitMs: 50 });
    await gateways.tenant('patient', { month: '10' });
    const hold = await reserve(gateway, 'patient', '8');
    await expect(reserve(gateway, 'patient', '6')).rejects.toMatchObject({
      code: 'budget_exceeded',
      details: { spent: '0.00', held: '8.00', requested: '6.00' },
      headers: { 'retry-after': '1', 'x-should-retry': 'true' },
    });
    hold.release();
    (await reserve(gateway, 'patient', '6')).release();
  });

  test('is refused at once if it may not wait, and told what there is room for', async () => {
    const gateway = await gateways.start({ waitMs: LONG_MS });
    await gateways.tenant('hasty', { month: '10', day: '9' });
    const hold = await reserve(gateway, 'hasty', '8');
    const hasty = (): Promise<Hold> =>
      gateway.holds.reserve(
        tenantPrincipal('hasty'),
        { costNanos: nanos('6'), tokens: 0 },
        draftOf('hasty'),
        undefined,
        false,
      );
    const [room, most] = ['1', '9'].map((units) => ({ cost: nanos(units), tokens: null }));
    await expect(hasty()).rejects.toMatchObject({ code: 'budget_exceeded', room, most });
    const waiting = reserve(gateway, 'hasty', '6');
    await stalled(gateway, 'hasty', 1);
    await expect(hasty()).rejects.toMatchObject({ code: 'budget_exceeded', room, most });
    (await reserve(gateway, 'hasty', '1')).release();
    hold.release();
    (await waiting).release();
  });

  test('is told that the database is away when that is silent for long, and does not wait for it', async () => {
    const gateway = await gateways.start({ waitMs: 100 });
    await gateways.tenant('standby', { month: '10' });
    await gateways.sql.query(
      `CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(40); RETURN NEW; END $$;
       CREATE TRIGGER linger BEFORE INSERT ON leases FOR EACH ROW EXECUTE FUNCTION linger()`,
    );
    try {
      expect(await outcome(reserve(gateway, 'standby', '1'))).toBe('database_unavailable');
    } finally {
      await gateways.sql.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()`,
      );
      await gateways.sql.query('DROP TRIGGER linger ON leases');
    }
    await until(() => !poolOf(gateway, 'standby')?.pumping);
    await (await reserve(gateway, 'standby', '10')).settle({ costNanos: nanos('10'), tokens: 0, row: ACTUAL });
    await gateway.quota.drain();
    expect(await gateways.month('standby')).toMatchObject({ spent: nanos('10'), leased: 0n });
  });

  test('does not keep smaller ones out that come after it', async () => {
    const gateway = await gateways.start({ waitMs: LONG_MS });
    await gateways.tenant('large', { month: '10' });
    const hold = await reserve(gateway, 'large', '2');
    const large = reserve(gateway, 'large', '9.5');
    await stalled(gateway, 'large', 1);
    for (let i = 0; i < 20; i++) (await reserve(gateway, 'large', '4')).release();
    hold.release();
    (await large).release();
  });

  test('those who wait are let through in the order they came', async () => {
    const gateway = await gateways.start({ waitMs: LONG_MS });
    await gateways.tenant('order', { month: '1' });
    const hold = await reserve(gateway, 'order', '1');
    const order: number[] = [];
    const all = [0, 1, 2, 3, 4].map(async (i) => {
      const mine = await reserve(gateway, 'order', '1');
      order.push(i);
      mine.release();
    });
    await stalled(gateway, 'order', 5);
    hold.release();
    await Promise.all(all);
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });

  test('leaves the queue at once when its call ends, and nobody waits for it', async () => {
    const gateway = await gateways.start({ waitMs: LONG_MS });
    await gateways.tenant('left', { month: '10' });
    const hold = await reserve(gateway, 'left', '8');
    const caller = new TestCaller();
    const gone = reserve(gateway, 'left', '6', caller).catch((error: unknown) => error);
    await stalled(gateway, 'left', 1);
    const behind = reserve(gateway, 'left', '5');
    await stalled(gateway, 'left', 2);
    caller.cut();
    expect(poolOf(gateway, 'left')?.waiters).toHaveLength(1);
    await hold.settle({ costNanos: nanos('4'), tokens: 0, row: ACTUAL });
    // What came back is enough for either, and the first of them would be the one that has left.
    expect(await Promise.race([gone, behind])).toBe(caller.cutBy);
    const next = await behind;
    expect(gateway.holds.facts).toEqual({ open: 1, heldNanos: nanos('5') });
    next.release();
    await expect(reserve(gateway, 'left', '9', caller)).rejects.toBe(caller.cutBy);
    await gateway.quota.drain();
    expect(await gateways.month('left')).toMatchObject({ spent: nanos('4'), leased: 0n });
  });

  test('leaves nobody looking for room when it was the last that waited', async () => {
    const gateway = await gateways.start({ waitMs: LONG_MS });
    await gateways.tenant('last', { month: '10' });
    const hold = await reserve(gateway, 'last', '8');
    const caller = new TestCaller();
    const gone = reserve(gateway, 'last', '6', caller).catch((error: unknown) => error);
    await stalled(gateway, 'last', 1);
    caller.cut();
    await turn();
    expect(poolOf(gateway, 'last')?.pumping).toBe(false);
    expect(await Promise.race([gone, turn()])).toBe(caller.cutBy);
    hold.release();
  });

  test('is told nothing of its call where there is room', async () => {
    const gateway = await gateways.start();
    await gateways.tenant('roomy', { month: '10' });
    (await reserve(gateway, 'roomy', '8')).release();
    (await reserve(gateway, 'roomy', '8', Object.freeze({ cutBy: null, onCut: null }))).release();
  });

  test('is let through when the budget is raised, and refused when it is lowered', async () => {
    const gateway = await gateways.start({ waitMs: LONG_MS });
    await gateways.tenant('changed', { month: '10' });
    const set = (limit: string) =>
      gateways.budgets().set(adminPrincipal(), 'changed', { metric: 'cost', period: 'month', limit });
    const hold = await reserve(gateway, 'changed', '8');
    const first = reserve(gateway, 'changed', '6');
    await stalled(gateway, 'changed', 1);
    await set('14');
    const second = outcome(reserve(gateway, 'changed', '7'));
    await first;
    await stalled(gateway, 'changed', 1);
    await set('5');
    expect(await second).toBe('budget_exceeded');
    hold.release();
  });

  test('is let through when the budget is topped up', async () => {
    const gateway = await gateways.start({ waitMs: LONG_MS });
    await gateways.tenant('topped', { month: '10' });
    const hold = await reserve(gateway, 'topped', '8');
    const waiting = reserve(gateway, 'topped', '6');
    await stalled(gateway, 'topped', 1);
    const topUp = { metric: 'cost', period: 'month', amount: '4', reason: 'Quarter end' } as const;
    await gateways.budgets().topUp(adminPrincipal(), 'topped', topUp);
    (await waiting).release();
    hold.release();
  });
});

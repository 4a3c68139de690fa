import type { RouteConfig } from '@app/platform';
import { adminPrincipal, tenantPrincipal } from '../../../../test/support/principals';
import { Gateways, nanos, TestClock, until, type Used } from '../../test/gateways';
import { DAY_TOKENS, MONTH, refusal, reserve, settle, type TestCall } from '../../test/scoped-calls';
import { draftOf, testLedger, TOKEN } from '../../test/test-ledger';
import type { AssembledQuota } from '../assemble';
import { type BudgetKey, BudgetQuery } from '../budget.dto';
import type { Hold } from '../hold';
import { Attribution } from './attribution';
import { endUserOf } from './end-user';

const admin = adminPrincipal();

describe('budgets of parts of a tenant and of the organisation', () => {
  let gateways: Gateways;

  beforeEach(async () => {
    gateways = await Gateways.open();
    await gateways.tenant('a');
    await gateways.tenant('b');
  });

  afterEach(() => gateways.close());

  const set = (tenant: string | null, part: Partial<BudgetKey>, limit: string) =>
    gateways.budgets().set(admin, tenant, { ...MONTH, ...part, limit });

  /** Windows beside the tenants' own, by what they are of. */
  const windows = async (): Promise<Record<string, Used>> => {
    const rows = await gateways.look<Used & { name: string }>(
      `SELECT concat_ws(' ', tenant_id, scope, nullif(target, ''), metric) AS name, spent, leased, limit_amount AS "limit", ceiling
       FROM budget_windows WHERE scope <> 'tenant' ORDER BY id`,
    );
    return Object.fromEntries(rows.map(({ name, ...used }) => [name, used]));
  };

  test('of calls that are booked together, only those count in a window that were made in it', async () => {
    const clock = new TestClock();
    const gateway = await gateways.start({ clock });
    const calls = [await reserve(gateway, { tenant: 'a' }, '1')];
    clock.time = new Date(clock.time.getTime() + 2);
    calls.push(await reserve(gateway, { tenant: 'a' }, '20'));
    await set(null, {}, '100');
    await gateways.sql.query(`UPDATE budget_windows SET starts_at = $1 WHERE scope = 'organisation'`, [clock.time]);
    await settle(calls[0] as Hold, '1');
    await settle(calls[1] as Hold, '20');
    await gateway.settlements.flush();
    expect(await windows()).toMatchObject({ 'organisation cost': { spent: nanos('20') } });
  });

  /** Takes as much as there is room for, one unit a call, and settles all of it; refused calls must be refused for that part. */
  async function exhaust(gateways: readonly AssembledQuota[], call: TestCall, tries: number): Promise<number> {
    const results = await Promise.allSettled(
      Array.from({ length: tries }, (_, n) => reserve(gateways[n % gateways.length] as AssembledQuota, call, '1', 10)),
    );
    const holds = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'budget_exceeded' });
    await Promise.all(holds.map((hold) => settle(hold, '1', 10)));
    return holds.length;
  }

  test.each<[string, string | null, Partial<BudgetKey>, string, TestCall, TestCall | null]>([
    [
      'a model',
      'a',
      { scope: 'model', target: 'opus' },
      '7',
      { tenant: 'a', model: 'opus' },
      { tenant: 'a', model: 'x' },
    ],
    [
      'a pattern of models',
      'a',
      { scope: 'model', target: 'op*' },
      '7',
      { tenant: 'a', model: 'opus' },
      { tenant: 'b', model: 'opus' },
    ],
    [
      'each token',
      'a',
      { scope: 'token', target: '*' },
      '7',
      { tenant: 'a', token: 't1' },
      { tenant: 'a', token: 't2' },
    ],
    [
      'an end user',
      'a',
      { scope: 'user', target: 'alice' },
      '7',
      { tenant: 'a', user: 'alice' },
      { tenant: 'a', user: 'bob' },
    ],
    [
      'each end user',
      'a',
      { scope: 'user', target: '*' },
      '7',
      { tenant: 'a', user: 'alice' },
      { tenant: 'a', user: 'bob' },
    ],
    ['the organisation', null, {}, '7', { tenant: 'a' }, null],
    [
      'an end user, in tokens',
      'a',
      { ...DAY_TOKENS, scope: 'user', target: '*' },
      '70',
      { tenant: 'a', user: 'alice' },
      { tenant: 'a' },
    ],
  ])(
    'three processes share that of %s to the last unit, and others are not touched',
    async (_, tenant, part, limit, call, other) => {
      await set(tenant, part, limit);
      const three = [await gateways.start(), await gateways.start(), await gateways.start()];
      let passed = 0;
      let watching = true;
      const watch = (async () => {
        while (watching)
          passed += (await gateways.look(`SELECT 1 FROM budget_windows WHERE spent + leased > limit_amount`)).length;
      })();
      const through = await exhaust(three, call, 60);
      if (other) (await reserve(three[0] as AssembledQuota, other, '5', 50)).release();
      await Promise.all(three.map(({ quota }) => quota.drain()));
      watching = false;
      await watch;
      expect(through).toBe(7);
      expect(passed).toBe(0);
      const [[, window] = []] = Object.entries(await windows());
      expect(window).toMatchObject({ leased: 0n, spent: window?.limit });
      for (const { quota } of three) expect(quota.facts()).toMatchObject({ uncoveredNanos: 0n, uncoveredTokens: 0n });
    },
  );

  test('all that a call counts in apply at once; it takes from all of them or from none', async () => {
    await set('a', {}, '10');
    await set('a', { scope: 'model', target: 'op*' }, '8');
    await set('a', { scope: 'model', target: 'opus' }, '6');
    await set('a', { scope: 'user', target: '*' }, '4');
    await set(null, {}, '9');
    const gateway = await gateways.start({ waitMs: 30 });
    const [alice, bob] = [
      { tenant: 'a', model: 'opus', user: 'alice' },
      { tenant: 'a', model: 'opus', user: 'bob' },
    ];
    const first = await reserve(gateway, alice, '4');
    expect((await refusal(reserve(gateway, alice, '1'))).details).toMatchObject({
      scope: 'user',
      target: 'alice',
      held: '4.00',
    });
    const second = await reserve(gateway, bob, '2');
    expect((await refusal(reserve(gateway, bob, '1'))).details).toMatchObject({ scope: 'model', target: 'opus' });
    const third = await reserve(gateway, { ...bob, model: 'op' }, '2');
    expect((await refusal(reserve(gateway, { tenant: 'a', model: 'op' }, '1'))).details).toMatchObject({
      target: 'op*',
    });
    const fourth = await reserve(gateway, { tenant: 'b' }, '1');
    expect((await refusal(reserve(gateway, { tenant: 'a' }, '1'))).details).toMatchObject({ scope: 'organisation' });
    for (const hold of [first, second, third, fourth]) hold.release();
    await gateway.quota.drain();
    for (const used of Object.values(await windows())) expect(used).toMatchObject({ spent: 0n, leased: 0n });
  });

  describe('a call that one of several models may answer', () => {
    const of = (model: string): Attribution => new Attribution('a', { tokenId: TOKEN, model });
    const either = (gateway: AssembledQuota, units: string): Promise<Hold> =>
      gateway.holds.reserve(
        tenantPrincipal('a'),
        { costNanos: nanos(units), tokens: 0 },
        { ...draftOf('a', 0, { tokenId: TOKEN, model: 'opus' }), others: [of('mini')] },
      );

    test('takes from the budgets of all of them, and in the end counts in those of the one that answered', async () => {
      await set('a', { scope: 'model', target: 'opus' }, '10');
      await set('a', { scope: 'model', target: 'mini' }, '5');
      const gateway = await gateways.start({ waitMs: 30 });
      expect((await refusal(either(gateway, '6'))).details).toMatchObject({ target: 'mini' });
      const hold = await either(gateway, '4');
      expect((await refusal(reserve(gateway, { tenant: 'a', model: 'mini' }, '2'))).details).toMatchObject({
        target: 'mini',
      });
      hold.attributeTo(of('mini'));
      (await reserve(gateway, { tenant: 'a', model: 'opus' }, '10')).release();
      await settle(hold, '3');
      await settle(await either(gateway, '2'), '1');
      (await either(gateway, '2')).release();
      await gateway.quota.drain();
      expect(Object.values(await windows())).toMatchObject([
        { spent: nanos('1'), leased: 0n },
        { spent: nanos('3'), leased: 0n },
      ]);
      expect(gateway.quota.facts()).toMatchObject({ uncoveredNanos: 0n });
    });

    test('counts in those of the drafted one where nobody learns who did', async () => {
      await set('a', { scope: 'model', target: 'opus' }, '10');
      await set('a', { scope: 'model', target: 'mini' }, '5');
      const gateway = await gateways.start();
      await either(gateway, '4');
      await gateway.quota.close();
      await gateways.start();
      expect(Object.values(await windows())).toMatchObject([
        { spent: nanos('4'), leased: 0n },
        { spent: 0n, leased: 0n },
      ]);
    });
  });

  test('the refusal names scope and target; of the organisation it tells no figures', async () => {
    const clock = new TestClock(new Date('2026-11-30T23:59:30.000Z'));
    const budgets = gateways.budgets(clock);
    await budgets.set(admin, 'a', { ...MONTH, scope: 'model', target: 'opus*', limit: '2' });
    await budgets.set(admin, null, { ...MONTH, limit: '3' });
    const gateway = await gateways.start({ clock });
    const told = await refusal(reserve(gateway, { tenant: 'a', model: 'opus-5' }, '2.5'));
    expect(told.details).toEqual({
      scope: 'model',
      target: 'opus*',
      metric: 'cost',
      currency: 'USD',
      period: 'month',
      limit: '2.00',
      spent: '0.00',
      held: '0.00',
      requested: '2.50',
      resetAt: '2026-12-01T00:00:00.000Z',
    });
    expect(told.message).toContain("This month's budget of 2.00 USD for the model opus*");
    const ofAll = await refusal(reserve(gateway, { tenant: 'b' }, '3.5'));
    expect(ofAll.details).toEqual({
      scope: 'organisation',
      metric: 'cost',
      currency: 'USD',
      period: 'month',
      requested: '3.50',
      resetAt: '2026-12-01T00:00:00.000Z',
    });
    expect(ofAll.message).not.toContain('3.00');
  });

  test('a budget set in the middle of a month finds what was used, and calls under way count once, when they end', async () => {
    const [one, two] = [await gateways.start(), await gateways.start()];
    const alice = { tenant: 'a', token: 't1', model: 'opus', user: 'alice' };
    await settle(await reserve(one, alice, '3'), '2');
    await settle(await reserve(two, { ...alice, user: 'bob' }, '3'), '1');
    const [early, late] = [await reserve(one, alice, '5'), await reserve(two, alice, '5')];
    await one.settlements.flush();
    await two.settlements.flush();
    expect(await set('a', { scope: 'user', target: 'alice' }, '20')).toMatchObject({ spent: '2.00' });
    expect(await set('a', { scope: 'model', target: 'op*' }, '20')).toMatchObject({ spent: '3.00' });
    expect(await set('a', {}, '20')).toMatchObject({ spent: '3.00' });
    expect(await set(null, {}, '20')).toMatchObject({ spent: '3.00' });
    await settle(early, '4');
    await settle(late, '0.5');
    await one.quota.drain();
    await two.quota.drain();
    expect(await windows()).toMatchObject({
      'a user alice cost': { spent: nanos('6.5'), leased: 0n },
      'a model op* cost': { spent: nanos('7.5'), leased: 0n },
      'organisation cost': { spent: nanos('7.5'), leased: 0n },
    });
    expect(await gateways.month('a')).toMatchObject({ spent: nanos('7.5'), leased: 0n });
    for (const { quota } of [one, two]) expect(quota.facts().uncoveredNanos).toBe(0n);
  });

  test('whoever waits in a budget that is gone before anything was counted in it is let through', async () => {
    await set('a', { scope: 'user', target: '*' }, '1');
    const deaf = await gateways.start({ deaf: true });
    await gateways.budgets().remove(admin, 'a', { ...MONTH, scope: 'user', target: '*' });
    (await reserve(deaf, { tenant: 'a', user: 'alice' }, '2')).release();
    expect(await windows()).toEqual({});
  });

  test('what the pools of all owners have left goes back at once, and what is held stays', async () => {
    await set('a', { scope: 'user', target: '*' }, '10');
    await set('a', { scope: 'model', target: 'opus' }, '10');
    await set(null, {}, '100');
    const gateway = await gateways.start();
    const held = await reserve(gateway, { tenant: 'a', model: 'opus', user: 'alice' }, '2');
    (await reserve(gateway, { tenant: 'a', model: 'opus', user: 'bob' }, '3')).release();
    const leased = async (): Promise<Record<string, bigint>> =>
      Object.fromEntries(Object.entries(await windows()).map(([name, window]) => [name, window.leased]));
    expect(Object.values(await leased()).every((amount) => amount > 0n)).toBe(true);
    await gateway.leases.giveBackAll();
    expect(await leased()).toEqual({
      'a user alice cost': nanos('2'),
      'a user bob cost': 0n,
      'a model opus cost': nanos('2'),
      'organisation cost': nanos('2'),
    });
    held.release();
    await gateway.leases.giveBackAll();
    expect(Object.values(await leased())).toEqual([0n, 0n, 0n, 0n]);
  });

  test('budgets set while calls are booked miss none of them and count none twice', async () => {
    const gateway = await gateways.start();
    const alice = { tenant: 'a', model: 'opus', user: 'alice' };
    let made = 0;
    let over = false;
    const client = async (): Promise<void> => {
      for (; !over; made++) await settle(await reserve(gateway, alice, '0.01', 3), '0.01', 2);
    };
    const clients = Promise.all([client(), client(), client()]);
    for (let n = 0; n < 12; n++) {
      const before = made;
      await set('a', { scope: 'model', target: `${'opus'.slice(0, n % 5)}*` }, '1000');
      await set('a', { ...DAY_TOKENS, scope: 'user', target: n % 2 ? '*' : 'alice' }, '1000000');
      if (n % 3 === 0) await set(null, n % 2 ? {} : DAY_TOKENS, '1000000');
      if (n === 5) await set('a', {}, '1000000');
      await until(() => made > before + 1);
    }
    over = true;
    await clients;
    await gateway.quota.drain();
    const all = Object.entries(await windows());
    expect(all.map(([name]) => name).sort()).toEqual([
      ...['*', 'o*', 'op*', 'opu*', 'opus*'].map((target) => `a model ${target} cost`),
      'a user alice tokens',
      'organisation cost',
      'organisation tokens',
    ]);
    for (const [name, { spent, leased }] of all) {
      expect([name, spent]).toEqual([name, name.endsWith('cost') ? nanos('0.01') * BigInt(made) : 2n * BigInt(made)]);
      expect(leased).toBe(0n);
    }
    expect(await gateways.month('a')).toMatchObject({ spent: nanos('0.01') * BigInt(made), leased: 0n });
    expect(gateway.quota.facts()).toMatchObject({ uncoveredNanos: 0n, uncoveredTokens: 0n });
  });

  test('a limit that is set reaches a process that is running, and one that is removed lets through again', async () => {
    const gateway = await gateways.start({ waitMs: 0 });
    const alice = { tenant: 'a', user: 'alice' };
    (await reserve(gateway, alice, '5')).release();
    await set('a', { scope: 'user', target: '*' }, '4');
    await until(async () => (await reserve(gateway, alice, '5').catch((error: Error) => error)) instanceof Error);
    await set('a', { scope: 'user', target: 'alice' }, '6');
    await until(async () => passes(gateway, alice, '5'));
    expect((await refusal(reserve(gateway, { ...alice, user: 'bob' }, '5'))).details).toMatchObject({
      target: 'bob',
      limit: '4.00',
    });
    await gateways.budgets().remove(admin, 'a', { ...MONTH, scope: 'user', target: 'alice' });
    await until(async () => !(await passes(gateway, alice, '5')));
    expect((await refusal(reserve(gateway, alice, '5'))).details).toMatchObject({ limit: '4.00' });
    await gateways.budgets().remove(admin, 'a', { ...MONTH, scope: 'user', target: '*' });
    await until(async () => passes(gateway, alice, '5'));
    await settle(await reserve(gateway, alice, '1'), '1');
    await gateway.quota.drain();
    expect(await windows()).toMatchObject({ 'a user alice cost': { limit: null, spent: nanos('1'), leased: 0n } });
  });

  const passes = (gateway: AssembledQuota, call: TestCall, units: string): Promise<boolean> =>
    reserve(gateway, call, units).then(
      (hold) => (hold.release(), true),
      () => false,
    );

  test('a request that waits in one pool holds nothing of another, and goes on waiting where it is short', async () => {
    await set('a', {}, '10');
    await set('a', { scope: 'user', target: 'alice' }, '5');
    const gateway = await gateways.start({ waitMs: 60_000 });
    const [alice, bob] = [
      { tenant: 'a', user: 'alice' },
      { tenant: 'a', user: 'bob' },
    ];
    const held = await reserve(gateway, alice, '5');
    const waiting = reserve(gateway, alice, '4');
    const pool = (key: string) => gateway.leases.pools.find((p) => p.key === key);
    await until(() => pool('a user alice')?.stalled != null);
    // All that the tenant has left is free for others, though somebody waits who needs some of it.
    const rest = await reserve(gateway, bob, '5');
    await set('a', { scope: 'user', target: 'alice' }, '10');
    await until(() => pool('a')?.stalled != null && pool('a user alice')?.waiters.length === 0);
    rest.release();
    (await waiting).release();
    held.release();
    await gateway.quota.drain();
    for (const { spent, leased } of Object.values(await windows())) expect([spent, leased]).toEqual([0n, 0n]);
  });

  test('a new day has new windows for each, and a hold counts in those in which it was made', async () => {
    const clock = new TestClock(new Date('2026-11-10T23:59:59.000Z'));
    const day = { metric: 'cost', period: 'day', scope: 'user', target: '*' } as const;
    await gateways.budgets(clock).set(admin, 'a', { ...day, limit: '1' });
    const gateway = await gateways.start({ clock });
    const alice = { tenant: 'a', user: 'alice' };
    const late = await reserve(gateway, alice, '1');
    await refusal(reserve(gateway, alice, '1'));
    clock.time = new Date('2026-11-11T00:00:01.000Z');
    const early = await reserve(gateway, alice, '1');
    await settle(late, '0.5');
    await settle(early, '0.75');
    await gateway.quota.drain();
    expect(
      await gateways.look(`SELECT spent, leased FROM budget_windows WHERE scope = 'user' ORDER BY starts_at`),
    ).toEqual([
      { spent: nanos('0.5'), leased: 0n },
      { spent: nanos('0.75'), leased: 0n },
    ]);
  });

  test('a window of a period that began with its budget reads no ledger and keeps nobody from booking; others do', async () => {
    const clock = new TestClock(new Date('2026-11-10T22:59:00.000Z'));
    const spies = [...(['used', 'usedByUsers', 'pauseBooking'] as const)].map((name) => jest.spyOn(testLedger, name));
    const reads = (): number[] => spies.map((spy) => spy.mock.calls.length);
    const setAt = (part: Partial<BudgetKey>, limit: string) =>
      gateways.budgets(clock).set(admin, 'a', { metric: 'cost', period: 'day', ...part, limit });
    try {
      await setAt({ scope: 'user', target: '*' }, '3');
      const gateway = await gateways.start({ clock });
      const use = async (user: string): Promise<void> =>
        settle(await reserve(gateway, { tenant: 'a', user }, '1'), '1');
      await use('alice');
      expect(reads()).toEqual([0, 2, 2]);

      clock.time = new Date('2026-11-11T00:00:00.000Z');
      for (const user of ['alice', 'bob']) await use(user);
      await setAt({ scope: 'user', target: '*' }, '2');
      await setAt({ scope: 'user', target: '*' }, '3');
      expect(reads()).toEqual([0, 2, 2]);
      await refusal(reserve(gateway, { tenant: 'a', user: 'bob' }, '2.01'));

      // Set again within the hour before the period: some process may have used it without knowing.
      await gateways.budgets(clock).remove(admin, 'a', { metric: 'cost', period: 'day', scope: 'user', target: '*' });
      clock.time = new Date('2026-11-11T23:01:00.000Z');
      await setAt({ scope: 'user', target: '*' }, '3');
      clock.time = new Date('2026-11-12T00:00:00.000Z');
      await use('bob');
      expect(reads()).toEqual([0, 4, 4]);
      await gateway.quota.drain();
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
    expect(
      await gateways.look(
        `SELECT target, spent FROM budget_windows WHERE scope = 'user' AND starts_at = '2026-11-11Z' ORDER BY target`,
      ),
    ).toEqual(['alice', 'bob'].map((target) => ({ target, spent: nanos('1') })));
  });

  test('a budget of each that is set in a period counts all who have used something at once, and later only what has come since', async () => {
    const gateway = await gateways.start();
    const of = (user: string): TestCall => ({ tenant: 'a', user });
    for (const user of ['alice', 'bob']) await settle(await reserve(gateway, of(user), '3'), '2', 0);
    await settle(await reserve(gateway, { tenant: 'b', user: 'alice' }, '1'), '1');
    await settle(await reserve(gateway, { tenant: 'a' }, '1'), '1');
    const underWay = await reserve(gateway, of('carol'), '3');
    await gateway.settlements.flush();
    await set('a', { scope: 'user', target: 'bob' }, '9');

    const read = jest.spyOn(testLedger, 'usedByUsers');
    try {
      expect(await set('a', { scope: 'user', target: '*' }, '4')).toMatchObject({ spent: '2.00', targets: 1 });
      expect(await windows()).toMatchObject({
        'a user bob cost': { spent: nanos('2'), limit: nanos('9') },
        'a user alice cost': { spent: nanos('2'), limit: nanos('4'), ceiling: nanos('4') },
      });
      // Of a call that was made before and is booked afterwards nobody knew a window.
      await settle(underWay, '3');
      await gateway.settlements.flush();
      expect(Object.keys(await windows())).toHaveLength(2);
      await until(async () => !(await passes(gateway, of('carol'), '1.01')));
      (await reserve(gateway, of('carol'), '1')).release();
      (await reserve(gateway, of('dave'), '4')).release();
      const [atOnce, ...since] = read.mock.calls.map(([, , , after]) => after);
      expect(atOnce).toBeNull();
      expect(since).toHaveLength(2);
      for (const after of since) expect(after).toBeInstanceOf(Date);
    } finally {
      read.mockRestore();
    }
    await gateway.quota.drain();
    expect(await windows()).toMatchObject({
      'a user alice cost': { spent: nanos('2'), leased: 0n },
      'a user bob cost': { spent: nanos('2'), leased: 0n },
      'a user carol cost': { spent: nanos('3'), leased: 0n },
      'a user dave cost': { spent: 0n, leased: 0n },
    });
  });

  test.each([
    ['cost', 'tokens'],
    ['tokens', 'cost'],
  ] as const)(
    'two budgets of each in one period are counted by one reading, where %s was read less far than %s',
    async (one, other) => {
      const gateway = await gateways.start();
      const of = (user: string): TestCall => ({ tenant: 'a', user });
      const [bob, carol, dave] = [
        await reserve(gateway, of('bob'), '1', 5),
        await reserve(gateway, of('carol'), '1', 5),
        await reserve(gateway, of('dave'), '1', 5),
      ];
      const setOfEach = (metric: 'cost' | 'tokens') =>
        set('a', { metric, scope: 'user', target: '*' }, { cost: '4', tokens: '9' }[metric]);
      await settle(await reserve(gateway, of('alice'), '3', 5), '2', 5);
      await gateway.settlements.flush();
      const read = jest.spyOn(testLedger, 'usedByUsers');
      try {
        await setOfEach(one);
        // The row a reading ended with is read again by the next: bob's tells nothing of where that begins, dave's does.
        await settle(dave, '1', 2);
        await gateway.settlements.flush();
        await settle(bob, '1', 3);
        await gateway.settlements.flush();
        await setOfEach(other);
        await settle(carol, '1', 4);
        await gateway.settlements.flush();
        expect(read).toHaveBeenCalledTimes(2);
        // Knows both from its start.
        const later = await gateways.start();
        await refusal(reserve(later, of('carol'), '3.01'));
        await refusal(reserve(later, of('dave'), '3.01'));
        expect(read).toHaveBeenCalledTimes(3);
      } finally {
        read.mockRestore();
      }
      const spent = Object.entries(await windows()).map(([name, window]) => [name, window.spent]);
      expect(Object.fromEntries(spent)).toEqual({
        ...{ 'a user alice cost': nanos('2'), 'a user bob cost': nanos('1'), 'a user carol cost': nanos('1') },
        ...{ 'a user alice tokens': 5n, 'a user bob tokens': 3n, 'a user carol tokens': 4n },
        ...{ 'a user dave cost': nanos('1'), 'a user dave tokens': 2n },
      });
    },
  );

  test('where one of two budgets of each was not read for yet in the period, all of it is read', async () => {
    const gateway = await gateways.start();
    for (const user of ['alice', 'bob']) {
      await settle(await reserve(gateway, { tenant: 'a', user }, '1', 5), '1', 5);
      await gateway.settlements.flush();
    }
    await set('a', { scope: 'user', target: '*' }, '4');
    await gateways.sql.query(
      `INSERT INTO budgets (id, tenant_id, scope, target, metric, period, limit_amount, created_at, updated_at)
       VALUES ('bud_unread', 'a', 'user', '*', 'tokens', 'month', 9, now(), now())`,
    );
    const later = await gateways.start();
    (await reserve(later, { tenant: 'a', user: 'carol' }, '1', 5)).release();
    expect(await windows()).toMatchObject({
      'a user alice tokens': { spent: 5n },
      'a user bob tokens': { spent: 5n },
      'a user carol tokens': { spent: 0n },
    });
  });

  test('a process knows by the first call of a period what budgets were set before it, though it heard of none', async () => {
    const clock = new TestClock(new Date('2026-11-10T12:00:00.000Z'));
    const gateway = await gateways.start({ clock });
    const alice = { tenant: 'a', user: 'alice' };
    (await reserve(gateway, alice, '5')).release();
    await gateways.sql.query(
      `INSERT INTO budgets (id, tenant_id, scope, target, metric, period, limit_amount, created_at, updated_at)
       VALUES ('bud_unheard', 'a', 'user', '*', 'cost', 'day', $1, $2, $2)`,
      [String(nanos('3')), clock.time],
    );
    (await reserve(gateway, alice, '5')).release();
    clock.time = new Date('2026-11-11T00:00:00.000Z');
    await refusal(reserve(gateway, alice, '5'));
    (await reserve(gateway, alice, '3')).release();
  });

  test('a dead process leaves nothing uncounted in any window', async () => {
    await set('a', { scope: 'user', target: '*' }, '100');
    await set(null, {}, '100');
    const gateway = await gateways.start();
    const alice = { tenant: 'a', user: 'alice', model: 'opus' };
    const settled = await reserve(gateway, alice, '3');
    await reserve(gateway, alice, '4');
    gateway.settlements.stop();
    await settle(settled, '2');
    await gateway.quota.close();
    // Set after it died: what it left in its journal counts here too.
    await set('a', { scope: 'model', target: 'opus' }, '100');
    await gateways.start();
    expect(await windows()).toEqual({
      'a user alice cost': { spent: nanos('6'), leased: 0n, limit: nanos('100'), ceiling: nanos('100') },
      'organisation cost': { spent: nanos('6'), leased: 0n, limit: nanos('100'), ceiling: nanos('100') },
      'a model opus cost': { spent: nanos('6'), leased: 0n, limit: nanos('100'), ceiling: nanos('100') },
    });
  });

  test('end users who are made up without end are refused, and cost no windows; those who are known or have a budget are not', async () => {
    await set('a', { scope: 'user', target: '*' }, '4');
    await set('b', { scope: 'user', target: '*' }, '4');
    const gateway = await gateways.start();
    await settle(await reserve(gateway, { tenant: 'a', user: 'alice' }, '1'), '1');
    await gateways.look(
      `INSERT INTO budget_windows (tenant_id, scope, target, metric, period, starts_at, ends_at, limit_amount, ceiling, spent)
       SELECT tenant_id, scope, 'user-' || n, metric, period, starts_at, ends_at, limit_amount, ceiling, 0
       FROM budget_windows, generate_series(1, 9998) n WHERE target = 'alice'`,
    );
    await settle(await reserve(gateway, { tenant: 'a', user: 'bob' }, '1'), '1');
    await expect(reserve(gateway, { tenant: 'a', user: 'made-up' }, '1')).rejects.toMatchObject({
      code: 'end_users_exceeded',
    });
    await settle(await reserve(gateway, { tenant: 'a', user: 'bob' }, '1'), '1');
    await settle(await reserve(gateway, { tenant: 'a' }, '1'), '1');
    await settle(await reserve(gateway, { tenant: 'b', user: 'made-up' }, '1'), '1');
    await set('a', { scope: 'user', target: 'carol' }, '4');
    await settle(await reserve(gateway, { tenant: 'a', user: 'carol' }, '1'), '1');
    const [{ count } = {}] = await gateways.look<{ count: bigint }>(
      "SELECT count(*) FROM budget_windows WHERE scope = 'user' AND tenant_id = 'a'",
    );
    expect(count).toBe(10_001n);
  });

  test('of more end users than are kept apart the dearest have windows, and one that is given a budget begins with what it has used', async () => {
    const gateway = await gateways.start();
    await set('a', {}, '1000');
    for (const [user, units] of Object.entries({ alice: '1', bob: '3', carol: '2' }))
      await settle(await reserve(gateway, { tenant: 'a', user }, units), units);
    await gateway.settlements.flush();
    await gateways.look(
      `INSERT INTO budget_windows (tenant_id, scope, target, metric, period, starts_at, ends_at, spent)
       SELECT tenant_id, 'user', 'user-' || n, metric, period, starts_at, ends_at, 0
       FROM budget_windows, generate_series(1, 9997) n WHERE tenant_id = 'a' AND (scope, metric, period) = ('tenant', 'cost', 'month')`,
    );
    await set('a', { scope: 'user', target: '*' }, '4');
    const made = async (): Promise<unknown> =>
      gateways.look("SELECT target, spent FROM budget_windows WHERE scope = 'user' AND spent > 0 ORDER BY target");
    expect(await made()).toEqual([
      { target: 'bob', spent: nanos('3') },
      { target: 'carol', spent: nanos('2') },
    ]);
    await until(async () => !(await passes(gateway, { tenant: 'a', user: 'carol' }, '3')));
    (await reserve(gateway, { tenant: 'a', user: 'alice' }, '3')).release();
    await refusal(reserve(gateway, { tenant: 'a', user: 'alice' }, '3.01'));
    await expect(reserve(gateway, { tenant: 'a', user: 'dave' }, '1')).rejects.toMatchObject({
      code: 'end_users_exceeded',
    });
    await set('a', { scope: 'user', target: 'dave' }, '4');
    await until(() => passes(gateway, { tenant: 'a', user: 'dave' }, '4'));
  });

  test('a request that does not name an end user counts in none', async () => {
    await set('a', { scope: 'user', target: '*' }, '0');
    const gateway = await gateways.start();
    (await reserve(gateway, { tenant: 'a' }, '1')).release();
    await refusal(reserve(gateway, { tenant: 'a', user: 'alice' }, '1'));
  });

  test('are topped up one by one', async () => {
    const budgets = gateways.budgets();
    const topUp = (tenant: string | null, part: Partial<BudgetKey>) =>
      budgets.topUp(admin, tenant, { ...MONTH, ...part, amount: '5', reason: 'Quarter end' });
    await set('a', { scope: 'user', target: '*' }, '10');
    await set(null, {}, '10');
    await expect(topUp('a', { scope: 'user', target: '*' })).rejects.toMatchObject({ code: 'validation_failed' });
    await expect(topUp('a', { scope: 'model', target: 'opus' })).rejects.toMatchObject({ code: 'budget_not_found' });
    expect(await topUp('a', { scope: 'user', target: 'alice' })).toMatchObject({ limit: '10.00', topUp: '5.00' });
    expect(await topUp(null, {})).toMatchObject({ scope: 'organisation', topUp: '5.00' });
    const gateway = await gateways.start();
    (await reserve(gateway, { tenant: 'a', user: 'alice' }, '15')).release();
    await refusal(reserve(gateway, { tenant: 'a', user: 'bob' }, '15'));
    await refusal(reserve(gateway, { tenant: 'a' }, '15.01'));
  });

  test('are listed without one line for each end user, who can be looked up', async () => {
    const budgets = gateways.budgets();
    await set('a', { scope: 'user', target: '*' }, '2');
    await set('a', { scope: 'user', target: 'carol' }, '9');
    await set('a', { scope: 'model', target: 'op*' }, '50');
    await set(null, {}, '100');
    const gateway = await gateways.start();
    const hold = async (user: string, units: string): Promise<Hold> => reserve(gateway, { tenant: 'a', user }, units);
    for (const [user, units] of [
      ['alice', '2'],
      ['bob', '1'],
      ['carol', '3'],
    ] as const)
      await settle(await hold(user, units), units);
    await gateway.quota.drain();
    const own = await budgets.listOwn(tenantPrincipal('a'));
    expect(own).toEqual(await budgets.list(admin, 'a'));
    expect(own.items.slice(4)).toMatchObject([
      { scope: 'model', target: 'op*', limit: '50.00', spent: '0.00', targets: null },
      { scope: 'user', target: '*', limit: '2.00', spent: '3.00', targets: 2, targetsUsedUp: 1 },
      { scope: 'user', target: 'carol', limit: '9.00', spent: '3.00', targets: null },
    ]);
    const standing = async (target: string) =>
      (await budgets.listOwn(tenantPrincipal('a'), query({ scope: 'user', target }))).items;
    expect(await standing('alice')).toMatchObject([{ target: 'alice', limit: '2.00', spent: '2.00' }]);
    expect(await standing('carol')).toMatchObject([{ target: 'carol', limit: '9.00', spent: '3.00' }]);
    expect(await standing('dave')).toMatchObject([{ target: 'dave', limit: '2.00', spent: '0.00' }]);
    expect((await budgets.listOrganisation(admin)).items).toMatchObject([
      { scope: 'organisation', limit: '100.00', spent: '6.00' },
    ]);
    const first = await budgets.list(admin, 'a', query({ limit: 2 }));
    expect(first.items.map(({ scope, target }) => [scope, target]).slice(4)).toEqual([
      ['model', 'op*'],
      ['user', '*'],
    ]);
    const second = await budgets.list(admin, 'a', query({ limit: 2, cursor: first.nextCursor as string }));
    expect(second).toMatchObject({ items: [{ target: 'carol' }], nextCursor: null });
  });

  const query = (change: Partial<BudgetQuery>): BudgetQuery => Object.assign(new BudgetQuery(), change);

  test.each<[BudgetKey]>([
    [{ ...MONTH, scope: 'tenant', target: 'x' }],
    [{ ...MONTH, scope: 'model' }],
    [{ ...MONTH, scope: 'model', target: 'a*b' }],
  ])('%j is no budget', async (key) => {
    await expect(gateways.budgets().set(admin, 'a', { ...key, limit: '1' })).rejects.toMatchObject({
      code: 'validation_failed',
    });
  });

  test('an end user whose name is not kept as it is has a budget by the name that is, and no other', async () => {
    const [long, kept] = [`user_${'a'.repeat(64)}`, endUserOf(`user_${'a'.repeat(64)}`)];
    const problem = { code: 'validation_failed', message: expect.stringContaining(kept) as string };
    const named = (target: string) => ({ ...MONTH, scope: 'user', target }) as const;
    const budgets = gateways.budgets();
    await expect(set('a', named(long), '1')).rejects.toMatchObject(problem);
    await expect(budgets.topUp(admin, 'a', { ...named(long), amount: '1', reason: 'x' })).rejects.toMatchObject(
      problem,
    );
    await expect(budgets.list(admin, 'a', query({ scope: 'user', target: long }))).rejects.toMatchObject(problem);
    await set('a', named(kept), '1');
    await refusal(reserve(await gateways.start(), { tenant: 'a', user: kept }, '2'));
    // Set before names were looked at.
    await gateways.sql.query('UPDATE budgets SET target = $1', [long]);
    await budgets.remove(admin, 'a', named(long));
  });

  test('a route, for whose name no call counts, has no budget but where it leads to a model of that name', async () => {
    const routeTo = (...models: string[]): RouteConfig => ({
      ...{ targets: models.map((model) => ({ model })), sticky: 'none', retries: 2, retryMs: 30_000 },
    });
    const routes = { smart: routeTo('opus', 'gpt'), gpt: routeTo('azure/gpt', 'gpt') };
    const budgets = gateways.budgets(undefined, routes);
    const setFor = (target: string) => budgets.set(admin, 'a', { ...MONTH, scope: 'model', target, limit: '1' });
    await expect(setFor('smart')).rejects.toMatchObject({
      code: 'validation_failed',
      message: expect.stringContaining('opus, gpt') as string,
    });
    for (const model of ['gpt', 'opus', 'smart*', 'constructor']) await setFor(model);
  });

  test('a budget that is set while a caller has calls under way counts for its next one', async () => {
    await set(null, {}, '100');
    const gateway = await gateways.start();
    const caller = { tenant: 'a', user: 'ada' };
    const open = await reserve(gateway, caller, '1');
    await set('a', { scope: 'user', target: 'ada' }, '5');
    const outcomes: string[] = [];
    await until(async () => {
      const next = await reserve(gateway, caller, '6').catch((error: { code: string }) => error);
      if ('release' in next) next.release();
      outcomes.push('release' in next ? 'let through' : next.code);
      return outcomes.at(-1) !== 'let through';
    });
    expect(outcomes.at(-1)).toBe('budget_exceeded');
    open.release();
  });

  test('a token must be there, and its own', async () => {
    const missing = set('a', { scope: 'token', target: 'tok_none' }, '1');
    await expect(missing).rejects.toMatchObject({ code: 'token_not_found' });
    await gateways.sql.query(
      `INSERT INTO tokens (id, tenant_id, label, hash, hint, role, created_at, created_by)
       VALUES ('tok_b', 'b', 'x', sha256('x'), 'x', 'member', now(), 'x')`,
    );
    await expect(set('a', { scope: 'token', target: 'tok_b' }, '1')).rejects.toMatchObject({ code: 'token_not_found' });
    await set('a', { scope: 'token', target: '*' }, '1');
    for (const target of ['tok_none', 'tok_b'])
      await expect(gateways.budgets().list(admin, 'a', query({ scope: 'token', target }))).rejects.toMatchObject({
        code: 'token_not_found',
      });
    await set('b', { scope: 'token', target: 'tok_b' }, '1');
    const gateway = await gateways.start();
    await refusal(reserve(gateway, { tenant: 'b', token: 'tok_b' }, '2'));
    (await reserve(gateway, { tenant: 'b', token: 'tok_c' }, '2')).release();
  });

  test('a tenant sees nothing of the organisation', async () => {
    await set(null, {}, '100');
    const gateway = await gateways.start();
    await settle(await reserve(gateway, { tenant: 'a' }, '1'), '1');
    await gateway.quota.drain();
    for (const sql of ['SELECT * FROM budgets', `SELECT * FROM budget_windows WHERE scope <> 'tenant'`])
      expect(await gateways.db.database.tenant(tenantPrincipal('a'), (tx) => tx.query(sql))).toEqual([]);
    expect(JSON.stringify(await gateways.budgets().listOwn(tenantPrincipal('a')))).not.toContain('organisation');
  });
});

import { setTimeout as delay } from 'node:timers/promises';
import { Gateways, nanos, until } from '../test/gateways';
import { refusal, reserve, settle } from '../test/scoped-calls';
import type { AssembledQuota } from './assemble';
import type { Hold } from './hold';
import type { Pool } from './pool';
import type { LimitedWindow } from './standing';

/** As the gateway's own default. */
const WAIT_MS = 2_000;
const ROUNDS = 10;

const release = (hold: Hold): Promise<void> => Promise.resolve(hold.release());

describe('gateway processes near a limit', () => {
  let gateways: Gateways;

  beforeAll(async () => {
    gateways = await Gateways.open();
  });

  afterAll(() => gateways.close());

  const start = (): Promise<AssembledQuota> => gateways.start({ waitMs: WAIT_MS });

  const call = async (gateway: AssembledQuota, tenant: string, end: (hold: Hold) => Promise<void>): Promise<void> => {
    const hold = await reserve(gateway, { tenant }, '4');
    await delay(5); // as an answer takes
    await end(hold);
  };

  const announced = async (kind: string): Promise<number> => {
    const [row] = await gateways.look<{ n: bigint }>('SELECT n FROM change_counters WHERE kind = $1', [kind]);
    return Number(row?.n ?? 0n);
  };

  test.each([
    { how: 'released', callers: 4, limit: '9', end: release },
    { how: 'settled', callers: 4, limit: '9', end: (hold: Hold) => settle(hold, '0.001') },
    { how: 'released', callers: 1, limit: '5', end: release },
  ])(
    'take turns: one with $callers calls at a time leaves room of $limit for one of another, holds being $how',
    async ({ how, callers, limit, end }) => {
      const [busy, other] = [await start(), await start()];
      const tenant = `${how}-${limit}`;
      await gateways.tenant(tenant, { month: limit });
      let [isOver, ofBusy] = [false, 0];
      const busily = async (): Promise<void> => {
        for (; !isOver; ofBusy++) await call(busy, tenant, end);
      };
      const callersOfBusy = Array.from({ length: callers }, busily);
      await until(() => ofBusy > callers);
      const before = ofBusy;
      try {
        // Each is refused unless it comes to its turn while it waits.
        for (let round = 0; round < ROUNDS; round++) await call(other, tenant, end);
      } finally {
        isOver = true;
      }
      expect(ofBusy - before).toBeGreaterThan(0);
      await Promise.all(callersOfBusy);

      for (const gateway of [busy, other]) {
        await gateway.settlements.flush();
        await gateway.leases.giveBackAll();
        expect(gateway.quota.facts().uncoveredNanos).toBe(0n);
      }
      expect((await gateways.month(tenant)).leased).toBe(0n);
    },
  );

  test('leave it at that when they have alike: what comes back goes to those who wait next to it', async () => {
    const [a, b] = [await start(), await start()];
    await gateways.tenant('alike', { month: '8' });
    const alike = { tenant: 'alike' };
    const [ofA, ofB] = [await reserve(a, alike, '4'), await reserve(b, alike, '4')];
    const [nextOfA, nextOfB] = [reserve(a, alike, '4'), reserve(b, alike, '4')];
    const recalled = (gateway: AssembledQuota): boolean => poolOf(gateway).recall?.inUse === nanos('4');
    await until(() => recalled(a) && recalled(b));
    const turns = await announced('room');
    ofA.release();
    const held = [await nextOfA];
    ofB.release();
    held.push(await nextOfB);
    expect(await announced('room')).toBe(turns);
    for (const hold of held) hold.release();
  });

  test('do not wait for one that has asked and then died', async () => {
    const gateway = await start();
    await gateways.tenant('died', { month: '8' });
    const [hold, pool] = [await reserve(gateway, { tenant: 'died' }, '8'), poolOf(gateway)];
    const waiting = reserve(gateway, { tenant: 'died' }, '8');
    await until(() => pool.stalled !== null);
    const [{ id: windowId }] = pool.stalled?.windows as [LimitedWindow];
    const turns = await announced('room');
    pool.recall = { windowId, processId: 'gone', inUse: 0n, untilMs: Infinity };
    hold.release();
    const next = await waiting;
    expect(await announced('room')).toBe(turns + 1);
    expect(pool.recall).toBeNull();

    const another = reserve(gateway, { tenant: 'died' }, '8');
    pool.recall = { windowId, processId: 'gone', inUse: 0n, untilMs: performance.now() };
    next.release();
    (await another).release();
    expect(await announced('room')).toBe(turns + 1);
    expect(pool.recall).toBeNull();
  });

  test('ask again only after a pause, and not themselves, also if they have some of the window', async () => {
    const [a, b] = [await start(), await start()];
    await gateways.tenant('asks', { month: '10' });
    const asking = { tenant: 'asks' };
    const [ofA, ofB] = [await reserve(a, asking, '8'), await reserve(b, asking, '1')];
    const recalls = await announced('lease');
    await refusal(reserve(b, asking, '6'));
    const asked = (await announced('lease')) - recalls;
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(50);
    expect(poolOf(b).recall).toBeNull();
    ofA.release();
    ofB.release();
  });
});

const poolOf = (gateway: AssembledQuota): Pool => gateway.leases.pools[0] as Pool;

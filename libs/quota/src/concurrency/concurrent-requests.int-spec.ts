import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { Client } from 'pg';
import { type GatewayDatabase, openGatewayDatabase, silentLog } from '../../../../test/support/gateway-database';
import { jobPrincipals } from '../../../../test/support/principals';
import { until } from '../../test/gateways';
import { TestCaller, turn } from '../../test/test-caller';
import { ProcessLock } from '../process-lock';
import { ConcurrentRequests, type Leave } from './concurrent-requests.service';
import { SlotPool } from './slot-pool';

describe('requests at the same time', () => {
  let db: GatewayDatabase;
  let keys = 0;
  const started: { readonly requests: ConcurrentRequests; readonly lock: ProcessLock }[] = [];

  beforeAll(async () => {
    db = await openGatewayDatabase();
  });
  afterAll(() => db.close());
  afterEach(async () => {
    for (const { requests, lock } of started.splice(0)) {
      await requests.stop();
      await lock.release();
    }
  });

  const sql = <Row>(text: string, parameters: unknown[] = []): Promise<Row[]> =>
    db.database.platform(jobPrincipals.for('test'), (tx) => tx.query<Row>(text, parameters));

  /** What one gateway process has: an identity, its proof of life, its own door and ear. */
  async function start(waitMs = 0) {
    const id = randomUUID();
    await sql("INSERT INTO gateway_processes (id, host, pid) VALUES ($1, 'test', 1)", [id]);
    const lock = new ProcessLock(db.urls.gatewayUrl, id, silentLog);
    await lock.hold();
    const { database, changes } = await db.otherProcess();
    const requests = new ConcurrentRequests(database, jobPrincipals, silentLog, id, () => waitMs);
    requests.start(changes);
    const process = { id, lock, requests, database };
    started.push(process);
    return process;
  }
  const newKey = (): string => `tenant t${++keys}`;
  const slots = (key: string) =>
    sql<{ process_id: string; slots: number }>('SELECT process_id, slots FROM concurrency_slots WHERE key = $1', [key]);

  test('are never more than the limit over three processes, and as many as the limit, whoever leaves meanwhile', async () => {
    const processes = [await start(5_000), await start(5_000), await start(5_000)];
    const enter = (index: number, key: string, limit: number, caller?: TestCaller) =>
      (processes[index % 3] as (typeof processes)[number]).requests.enter(key, limit, caller);
    const run = fc.asyncProperty(
      fc.integer({ min: 1, max: 12 }),
      fc.array(
        fc.record({ ms: fc.integer({ min: 0, max: 15 }), leavesAfterMs: fc.option(fc.integer({ min: 0, max: 60 })) }),
        { minLength: 20, maxLength: 60 },
      ),
      async (limit, calls) => {
        const key = newKey();
        let [now, most] = [0, 0];
        const call = async ({ ms, leavesAfterMs }: (typeof calls)[number], index: number): Promise<void> => {
          const caller = new TestCaller();
          if (leavesAfterMs !== null) setTimeout(() => caller.cut(), leavesAfterMs);
          const leave = await Promise.resolve(enter(index, key, limit, caller)).catch((error: unknown) => {
            if (error !== caller.cutBy) throw error;
          });
          if (leave === null) throw new Error('refused, though the others end soon');
          if (!leave) return;
          most = Math.max(most, ++now);
          await delay(ms);
          now--;
          leave();
        };
        await Promise.all(calls.map(call));
        expect(most).toBeLessThanOrEqual(limit);
        expect(now).toBe(0);
        const again = await Promise.all(Array.from({ length: limit }, async (_, n) => enter(n, key, limit)));
        expect(again).not.toContain(null);
        for (const leave of again) leave?.();
      },
    );
    // Made smaller, a failure would take as long as those who wait for what never comes free.
    await fc.assert(run, { numRuns: 8, endOnFailure: true });

    const key = newKey();
    const all = await Promise.all(Array.from({ length: 30 }, async (_, n) => enter(n, key, 7)));
    expect(all.filter((leave) => leave)).toHaveLength(7);
  });

  test('a request that waits gets the slot of one that ends, here or in another process', async () => {
    const [one, other] = [await start(10_000), await start(10_000)];
    const key = newKey();
    const first = (await one.requests.enter(key, 1)) as Leave;
    const here = one.requests.enter(key, 1);
    first();
    const second = (await here) as Leave;
    const there = other.requests.enter(key, 1);
    // What another asked for meanwhile is not kept, though nobody waits here.
    await delay(50);
    second();
    expect(await there).toBeInstanceOf(Function);
    expect(await slots(key)).toContainEqual({ process_id: other.id, slots: 1 });
  });

  test('a request for which nothing comes free is refused', async () => {
    const one = await start(150);
    const key = newKey();
    const leave = await one.requests.enter(key, 1);
    expect(await one.requests.enter(key, 1)).toBeNull();
    leave?.();
    leave?.();
    expect(await one.requests.enter(key, 1)).toBeInstanceOf(Function);
    expect(await one.requests.enter(key, 1)).toBeNull();
  });

  /** What a request is told in the end: how to leave, `null`, or an error. */
  const ask = ({ requests }: { requests: ConcurrentRequests }, key: string, caller?: TestCaller): Promise<unknown> =>
    Promise.resolve(requests.enter(key, 1, caller)).catch((error: unknown) => error);
  /** What it has been told by now; `undefined` while it waits. */
  const byNow = (told: Promise<unknown>): Promise<unknown> => Promise.race([told, turn()]);

  test('a request that leaves while it waits is told so at once, and those behind it move up', async () => {
    const one = await start(60_000);
    const key = newKey();
    const first = (await one.requests.enter(key, 1)) as Leave;
    const caller = new TestCaller();
    const gone = ask(one, key, caller);
    const behind = ask(one, key);
    caller.cut();
    expect(await byNow(gone)).toBe(caller.cutBy);
    first();
    expect(await byNow(behind)).toBeInstanceOf(Function);
    expect(await byNow(ask(one, key, caller))).toBe(caller.cutBy);
  });

  test('a request that leaves in the moment in which it is admitted gives its slot back', async () => {
    const one = await start(60_000);
    const key = newKey();
    const first = (await one.requests.enter(key, 1)) as Leave;
    const caller = new TestCaller();
    const admitted = ask(one, key, caller);
    const behind = ask(one, key);
    first();
    caller.cut();
    const leave = (await admitted) as Leave;
    leave();
    expect(await byNow(behind)).toBeInstanceOf(Function);
  });

  test('at most a thousand wait, and whoever leaves makes room for another', async () => {
    const one = await start(60_000);
    const key = newKey();
    const first = (await one.requests.enter(key, 1)) as Leave;
    const callers = Array.from({ length: 1_000 }, () => new TestCaller());
    const waiting = callers.map((caller) => ask(one, key, caller));
    expect(await byNow(ask(one, key))).toBeNull();
    callers[500]?.cut();
    expect(await byNow(waiting[500] as Promise<unknown>)).toBe(callers[500]?.cutBy);
    const next = ask(one, key);
    expect(await byNow(next)).toBeUndefined();
    expect(await byNow(ask(one, key))).toBeNull();
    for (const caller of callers) if (!caller.cutBy) caller.cut();
    expect(await byNow(Promise.all(waiting))).toEqual(callers.map(({ cutBy }) => cutBy));
    first();
    expect(await byNow(next)).toBeInstanceOf(Function);
  });

  test('nobody asks the database any more when the last that waited has left', async () => {
    const one = await start(60_000);
    const key = newKey();
    await one.requests.enter(key, 1);
    const spy = jest.spyOn(SlotPool.prototype, 'pause');
    const pause = spy.getMockImplementation();
    try {
      const paused = new Promise<SlotPool>((resolve) => {
        spy.mockImplementation(function (this: SlotPool, ms) {
          resolve(this);
          return (pause as typeof this.pause).call(this, ms);
        });
      });
      const callers = [new TestCaller(), new TestCaller()];
      const waiting = callers.map((caller) => ask(one, key, caller));
      const pool = await paused;
      for (const [n, isStillAsking] of [true, false].entries()) {
        callers[n]?.cut();
        expect(await byNow(waiting[n] as Promise<unknown>)).toBe(callers[n]?.cutBy);
        await turn();
        expect(pool.pumping).toBe(isStillAsking);
      }
    } finally {
      spy.mockRestore();
    }
  });

  test('a slot that comes for a request that has left meanwhile goes to others', async () => {
    const [one, other] = [await start(10_000), await start(10_000)];
    const key = newKey();
    const lock = new Client(db.urls.superuserUrl);
    await lock.connect();
    try {
      await lock.query("SELECT pg_advisory_lock(hashtextextended('concurrency ' || $1, 0))", [key]);
      const caller = new TestCaller();
      const gone = ask(one, key, caller);
      await until(async () => {
        const { rows } = await lock.query(
          `SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database
           WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted`,
        );
        return rows.length > 0;
      });
      caller.cut();
      expect(await byNow(gone)).toBe(caller.cutBy);
    } finally {
      await lock.end();
    }
    await until(async () => (await slots(key)).length > 0);
    expect(await other.requests.enter(key, 1)).toBeInstanceOf(Function);
    expect(await slots(key)).toEqual([{ process_id: other.id, slots: 1 }]);
  });

  test('a lowered limit ends nothing and admits nobody until enough have ended', async () => {
    const one = await start();
    const key = newKey();
    const leaves = await Promise.all([1, 2, 3].map(async () => one.requests.enter(key, 10)));
    expect(await one.requests.enter(key, 3)).toBeNull();
    leaves[0]?.();
    expect(await one.requests.enter(key, 2)).toBeNull();
    leaves[1]?.();
    expect(await one.requests.enter(key, 2)).toBeInstanceOf(Function);
  });

  test('what lies idle is given back', async () => {
    const one = await start();
    const key = newKey();
    const leave = await one.requests.enter(key, 100);
    expect((await slots(key))[0]?.slots).toBeGreaterThan(1);
    leave?.();
    while ((await slots(key)).length > 0) await delay(50);
  });

  test('slots of a process that is gone are dropped when they are needed, those of a living one never', async () => {
    const [gone, alive, one] = [await start(), await start(), await start(500)];
    const key = newKey();
    await gone.requests.enter(key, 2);
    await alive.requests.enter(key, 2);
    expect(await one.requests.enter(key, 2)).toBeNull();
    // As a machine that is lost: its connections end, and nobody ever settles its affairs.
    await gone.lock.release();
    await gone.database.close();
    while (!(await one.requests.enter(key, 2))) await delay(20);
    expect(await one.requests.enter(key, 2)).toBeNull();
    expect((await slots(key)).map(({ process_id }) => process_id).sort()).toEqual([alive.id, one.id].sort());
  });

  test('go on with what is at hand while the database is away, and then nobody is admitted', async () => {
    const one = await start();
    const key = newKey();
    const leave = await one.requests.enter(key, 100);
    const { slots: atHand = 0 } = (await slots(key))[0] ?? {};
    await one.database.close();
    for (let n = 1; n < atHand; n++) expect(await one.requests.enter(key, 100)).toBeInstanceOf(Function);
    await expect(one.requests.enter(key, 100)).rejects.toThrow();
    leave?.();
    expect(await one.requests.enter(key, 100)).toBeInstanceOf(Function);
  });
});

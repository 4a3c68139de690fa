import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { type GatewayDatabase, openGatewayDatabase, silentLog } from '../../../../test/support/gateway-database';
import { jobPrincipals } from '../../../../test/support/principals';
import { ProcessLock } from '../process-lock';
import { ConcurrentRequests, type Leave } from './concurrent-requests.service';

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

  test('are never more than the limit over three processes, and as many as the limit', async () => {
    const processes = [await start(5_000), await start(5_000), await start(5_000)];
    const run = fc.asyncProperty(
      fc.integer({ min: 1, max: 12 }),
      fc.array(fc.integer({ min: 0, max: 15 }), { minLength: 20, maxLength: 60 }),
      async (limit, durations) => {
        const key = newKey();
        let [now, most] = [0, 0];
        const call = async (ms: number, index: number): Promise<void> => {
          const leave = await processes[index % 3]?.requests.enter(key, limit);
          if (!leave) throw new Error('refused, though the others end soon');
          most = Math.max(most, ++now);
          await delay(ms);
          now--;
          leave();
        };
        await Promise.all(durations.map(call));
        expect(most).toBeLessThanOrEqual(limit);
        expect(now).toBe(0);
      },
    );
    await fc.assert(run, { numRuns: 8 });

    const key = newKey();
    const all = await Promise.all(Array.from({ length: 30 }, async (_, n) => processes[n % 3]?.requests.enter(key, 7)));
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

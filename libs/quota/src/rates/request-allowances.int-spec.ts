import fc from 'fast-check';
import { type GatewayDatabase, openGatewayDatabase } from '../../../../test/support/gateway-database';
import { jobPrincipals } from '../../../../test/support/principals';
import { TestClock } from '../../test/gateways';
import { RequestAllowances } from './request-allowances.service';

describe('requests of a minute', () => {
  let db: GatewayDatabase;
  let clock: TestClock;
  let keys = 0;
  const processes: RequestAllowances[] = [];

  beforeAll(async () => {
    db = await openGatewayDatabase();
  });
  afterAll(() => db.close());
  beforeEach(() => {
    clock = new TestClock(new Date('2026-11-25T10:00:30Z'));
  });
  afterEach(() => processes.splice(0).forEach((each) => each.onApplicationShutdown()));

  function start(own = clock): RequestAllowances {
    const allowances = new RequestAllowances(db.database, jobPrincipals, own);
    processes.push(allowances);
    return allowances;
  }
  const newKey = (): string => `tenant t${++keys}`;
  const ask = async (allowances: RequestAllowances, key: string, limit: number): Promise<boolean> =>
    !(await allowances.increment(key, 60_000, limit)).isBlocked;
  const admitted = async (asked: readonly Promise<boolean>[]): Promise<number> =>
    (await Promise.all(asked)).filter(Boolean).length;

  test('are just as many as the limit, over several processes that are asked for more', async () => {
    const run = fc.asyncProperty(
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 60 }),
      async (limit, count, burst) => {
        const key = newKey();
        const many = Array.from({ length: count }, () => start());
        let all = 0;
        // Bursts on all of them at once, until none lets any through.
        for (let now = -1; now !== 0; all += now)
          now = await admitted(many.flatMap((one) => Array.from({ length: burst }, () => ask(one, key, limit))));
        expect(all).toBe(limit);
      },
    );
    // The example asks so often in small steps that what it asks ahead would grow without end.
    await fc.assert(run, { numRuns: 15, examples: [[68, 1, 1]] });
  });

  test('begin anew with the next minute, and not with a clock that is set back', async () => {
    const key = newKey();
    const one = start();
    expect(await admitted(Array.from({ length: 5 }, () => ask(one, key, 3)))).toBe(3);
    clock.time = new Date('2026-11-25T10:01:00Z');
    expect(await admitted(Array.from({ length: 2 }, () => ask(one, key, 3)))).toBe(2);
    clock.time = new Date('2026-11-25T10:00:59Z');
    expect(await ask(one, key, 3)).toBe(false);
    clock.time = new Date('2026-11-25T10:01:01Z');
    expect(await admitted(Array.from({ length: 5 }, () => ask(one, key, 3)))).toBeLessThanOrEqual(1);
  });

  test('follow a limit that is changed within the minute, and keep what it has used', async () => {
    const key = newKey();
    const one = start();
    expect(await admitted(Array.from({ length: 10 }, () => ask(one, key, 100)))).toBe(10);
    // What is at hand was taken under the higher limit.
    expect(await ask(one, key, 8)).toBe(false);
    expect(await admitted(Array.from({ length: 200 }, () => ask(one, key, 150)))).toBeLessThanOrEqual(140);
    expect(await ask(one, key, 150)).toBe(false);
  });

  test('tell what is left and for how long', async () => {
    const key = newKey();
    const one = start();
    expect(await one.increment(key, 60_000, 2)).toMatchObject({ isBlocked: false, timeToExpire: 30 });
    await one.increment(key, 60_000, 2);
    expect(await one.increment(key, 60_000, 2)).toEqual({
      isBlocked: true,
      totalHits: 2,
      timeToExpire: 30,
      timeToBlockExpire: 30,
    });
  });

  test('go on within what is at hand while the database is away, and then nobody is let through', async () => {
    const key = newKey();
    const { database } = await db.otherProcess();
    const one = new RequestAllowances(database, jobPrincipals, clock);
    processes.push(one);
    expect(await ask(one, key, 1_000)).toBe(true);
    await database.close();
    let admittedAway = 0;
    for (;;) {
      const answer = await ask(one, key, 1_000).catch((error: Error) => error);
      if (answer instanceof Error) break;
      admittedAway++;
    }
    expect(admittedAway).toBe(7);
  });

  test('never pass the limit in the database either', async () => {
    await expect(
      db.database.platform(jobPrincipals.for('look'), (tx) =>
        tx.query(`INSERT INTO request_minutes VALUES ('x', now(), 5, 6, 1)`),
      ),
    ).rejects.toThrow('rate_never_passed');
  });
});

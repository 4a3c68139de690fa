import { readdirSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CodedError, createLog, Database, type Log, type Principal, type Tx } from '@app/platform';
import { OlderCopy } from '../../../test/support/older-copy';
import { adminPrincipal, tenantPrincipal } from '../../../test/support/principals';
import { type GatewayOptions, Gateways, nanos, until } from '../test/gateways';
import { ACTUAL, draftOf } from '../test/test-ledger';
import type { AssembledQuota } from './assemble';
import type { Hold } from './hold';

const OLDER = /restored from an older copy, or a standby that was behind was promoted/;

const ANN = { tokenId: 'tok', model: 'm', subject: 'ann' };

const reserve = (gateway: AssembledQuota, tenant: string, units: string): Promise<Hold> =>
  gateway.holds.reserve(tenantPrincipal(tenant), { costNanos: nanos(units), tokens: 0 }, draftOf(tenant, 0, ANN));

const settle = (hold: Hold, units: string): Promise<void> =>
  hold.settle({ costNanos: nanos(units), tokens: 0, row: ACTUAL });

let gateways: Gateways;
let copy: OlderCopy | null;
let said: { level: string; msg: string; missingCommits?: number }[];
let log: Log;

beforeEach(async () => {
  gateways = await Gateways.open();
  await gateways.tenant('a', { month: '20' });
  copy = null;
  said = [];
  log = createLog('info', { write: (line) => said.push(JSON.parse(line) as (typeof said)[number]) });
});

afterEach(async () => {
  jest.restoreAllMocks();
  await gateways.close();
  await copy?.drop();
});

const start = (options: GatewayOptions = {}): Promise<AssembledQuota> => gateways.start({ log, ...options });

/** Tries it again until it does. */
const succeeds = (work: () => Promise<unknown>): Promise<void> =>
  until(() =>
    work().then(
      () => true,
      () => false,
    ),
  );

async function book(gateway: AssembledQuota, tenant: string, units: string): Promise<void> {
  await settle(await reserve(gateway, tenant, units), units);
  // It was cut off when the copy was made.
  await succeeds(() => gateway.settlements.flush());
}

const takeCopy = async (): Promise<OlderCopy> => (copy = await OlderCopy.of(gateways.db.urls));
const commitsOf = async ({ process }: AssembledQuota): Promise<bigint | undefined> =>
  (
    await gateways.look<{ commits: bigint }>('SELECT commits FROM process_commits WHERE process_id = $1', [process.id])
  )[0]?.commits;
/** So that whatever else finds it out has to. */
const silenceHeartbeats = (): void => {
  const platform = Database.prototype.platform; // eslint-disable-line @typescript-eslint/unbound-method
  jest.spyOn(Database.prototype, 'platform').mockImplementation(function (this: Database, principal, work) {
    if (principal.id === 'heartbeat') return Promise.reject(new CodedError('database_unavailable'));
    return platform.call(this, principal, work);
  });
};
const isFenced = (gateway: AssembledQuota) => (): boolean => gateway.quota.facts().fenced !== null;

describe('a database that has become an older copy of itself', () => {
  test('is not booked into; the next start books what the journal still has, and the budget holds', async () => {
    const gateway = await start();
    await book(gateway, 'a', '1');
    const older = await takeCopy();
    await book(gateway, 'a', '2');
    await book(gateway, 'a', '5');
    await reserve(gateway, 'a', '3');
    const hold = await reserve(gateway, 'a', '4');
    await older.restore();

    await settle(hold, '4');
    await until(isFenced(gateway));
    const platform = jest.spyOn(Database.prototype, 'platform');
    await expect(gateway.settlements.flush()).rejects.toMatchObject({ code: 'database_unavailable' });
    expect(platform.mock.calls.map(([principal]) => principal.id)).not.toContain('settlement');
    await expect(reserve(gateway, 'a', '1')).rejects.toMatchObject({ code: 'database_unavailable' });
    await expect(reserve(gateway, 'a', '1')).rejects.toThrow(OLDER);
    expect(await gateways.ledger()).toEqual({ rows: 1, sum: nanos('1'), unconfirmed: 0 });
    expect(said.filter(({ level }) => level === 'fatal')).toEqual([
      expect.objectContaining({ msg: expect.stringMatching(OLDER) as string }),
    ]);

    await gateway.quota.drain();
    const next = await start();
    expect(await gateways.ledger()).toEqual({ rows: 5, sum: nanos('15'), unconfirmed: 1 });
    expect(await gateways.month('a')).toMatchObject({ spent: nanos('15'), leased: 0n });
    expect(readdirSync(join(gateways.dataDir, 'journal'))).toEqual([next.process.id]);
    await expect(reserve(next, 'a', '6')).rejects.toMatchObject({ code: 'budget_exceeded' });
    await book(next, 'a', '5');
    await next.quota.drain();
    expect(await gateways.month('a')).toMatchObject({ spent: nanos('20'), leased: 0n });
  });

  test('is found out by a booking before it is committed: else the count would catch up', async () => {
    silenceHeartbeats();
    const gateway = await start();
    await book(gateway, 'a', '1');
    const older = await takeCopy();
    await book(gateway, 'a', '1');
    await book(gateway, 'a', '1');
    const hold = await reserve(gateway, 'a', '1');
    await older.restore();
    await settle(hold, '1');
    await until(isFenced(gateway));
    expect(gateway.quota.facts().missingCommits).toBe(2);
    expect(await commitsOf(gateway)).toBe(1n);
    expect((await gateways.ledger()).rows).toBe(1);
  });

  test('is found out by who asks it for headroom, and grants nothing', async () => {
    silenceHeartbeats();
    await gateways.tenant('b', { month: '20' });
    const gateway = await start();
    const older = await takeCopy();
    await book(gateway, 'a', '1');
    await older.restore();
    await until(async () => {
      await expect(reserve(gateway, 'b', '1')).rejects.toMatchObject({ code: 'database_unavailable' });
      return isFenced(gateway)();
    });
    expect(gateway.quota.facts()).toMatchObject({ missingCommits: 1, fenced: expect.stringMatching(OLDER) as string });
    expect((await gateways.month('b')).leased).toBe(0n);
  });

  test('is found out by a process that does nothing', async () => {
    const gateway = await start();
    await book(gateway, 'a', '1');
    const older = await takeCopy();
    await book(gateway, 'a', '1');
    await older.restore();
    await until(isFenced(gateway));
    expect(gateway.quota.facts().missingCommits).toBeGreaterThan(0);
  });

  test('is found out where only headroom was leased that it does not know of', async () => {
    const gateway = await start();
    const older = await takeCopy();
    await succeeds(() => reserve(gateway, 'a', '1'));
    await until(async () => (await commitsOf(gateway)) === 1n);
    await older.restore();
    await until(isFenced(gateway));
    expect(gateway.quota.facts().missingCommits).toBe(1);
  });

  test('is found out where it was made before the process started; what that has booked is booked again', async () => {
    const budget = { metric: 'cost', period: 'month', limit: '50', scope: 'user', target: '*' } as const;
    await gateways.budgets().set(adminPrincipal(), 'a', budget);
    await gateways.tenant('b', { month: '100' });
    await gateways.sql.query("UPDATE budgets SET created_at = now() - interval '2 months'");
    await gateways.sql.query("DELETE FROM budget_windows WHERE tenant_id = 'b'");
    const older = await takeCopy();
    const gateway = await start();
    await book(gateway, 'a', '2');
    await older.restore();
    await until(isFenced(gateway));
    expect(gateway.quota.facts().fenced).toMatch(/^The database does not know this gateway process: /);
    await gateway.quota.drain();

    // The ids that windows had there are given to others meanwhile.
    const elsewhere = await start({ dataDir: await mkdtemp(join(tmpdir(), 'quota-elsewhere-')) });
    await book(elsewhere, 'b', '3');
    const next = await start();
    await book(next, 'a', '1');
    await next.quota.drain();
    await elsewhere.quota.drain();
    expect(await gateways.month('a')).toMatchObject({ spent: nanos('3'), leased: 0n });
    expect(await gateways.month('b')).toMatchObject({ spent: nanos('3'), leased: 0n });
    const users = await gateways.look("SELECT target, spent FROM budget_windows WHERE scope = 'user'");
    expect(users).toEqual([{ target: 'ann', spent: nanos('3') }]);
  });

  test('is found out where it is of a version that counted nothing', async () => {
    const gateway = await start();
    await gateways.sql.query('DROP TABLE process_commits');
    await until(isFenced(gateway));
    expect(gateway.quota.facts().fenced).toMatch(OLDER);
  });

  test('is not taken for one that works: what was booked stays in the journal of a process that ends before it looks', async () => {
    silenceHeartbeats();
    const gateway = await start();
    await book(gateway, 'a', '1');
    const older = await takeCopy();
    await book(gateway, 'a', '2');
    await gateway.leases.giveBackAll();
    await older.restore();
    await succeeds(() => gateways.sql.query('SELECT 1'));
    await gateway.quota.drain();
    await start();
    expect(await gateways.month('a')).toMatchObject({ spent: nanos('3'), leased: 0n });
  });
});

describe('a database that is the same', () => {
  /** The n-th booking of a gateway ends as if the connection had been lost, before or after its commit. */
  function loseBooking(nth: number, when: 'before' | 'after'): void {
    let seen = 0;
    const platform = Database.prototype.platform; // eslint-disable-line @typescript-eslint/unbound-method
    jest.spyOn(Database.prototype, 'platform').mockImplementation(async function <T>(
      this: Database,
      principal: Principal,
      work: (tx: Tx) => Promise<T>,
    ): Promise<T> {
      const isLost = principal.id === 'settlement' && ++seen === nth;
      const result = await platform.call(this, principal, async (tx) => {
        const done = await work(tx);
        if (isLost && when === 'before') throw new CodedError('database_unavailable');
        return done;
      });
      if (isLost) throw new CodedError('database_unavailable');
      return result as T;
    });
  }

  test.each(['before', 'after'] as const)('of which a commit was not acknowledged, lost %s it', async (when) => {
    const gateway = await start();
    await book(gateway, 'a', '1');
    loseBooking(1, when);
    await settle(await reserve(gateway, 'a', '2'), '2');
    await expect(gateway.settlements.flush()).rejects.toMatchObject({ code: 'database_unavailable' });
    const counted = await commitsOf(gateway);
    await book(gateway, 'a', '4');
    expect((await gateways.ledger()).rows).toBe(3);
    // A heartbeat counts what was leased; the next one only looks.
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    await book(gateway, 'a', '1');
    expect(gateway.quota.facts()).toMatchObject({ fenced: null, missingCommits: 0 });
    expect(counted).toBe(when === 'before' ? 1n : 2n);
  });

  test('and tells a heartbeat late what it knew before a batch was booked', async () => {
    const platform = Database.prototype.platform; // eslint-disable-line @typescript-eslint/unbound-method
    let told = 0;
    let booked = (): void => undefined;
    const isBooked = new Promise<void>((resolve) => (booked = resolve));
    jest.spyOn(Database.prototype, 'platform').mockImplementation(async function (this: Database, principal, work) {
      const result = await platform.call(this, principal, work);
      if (principal.id === 'heartbeat' && ++told === 1) await isBooked;
      return result;
    });
    const gateway = await start();
    await until(() => told === 1);
    await book(gateway, 'a', '1');
    booked();
    await until(() => told === 3 || isFenced(gateway)());
    expect(gateway.quota.facts()).toMatchObject({ fenced: null, missingCommits: 0 });
  });

  test('and holds the journal of a process of a version that counted nothing: its heir books it', async () => {
    const gateway = await start();
    await settle(await reserve(gateway, 'a', '12'), '12');
    gateway.settlements.stop();
    await gateway.quota.close();
    await gateways.sql.query('DELETE FROM process_commits WHERE process_id = $1', [gateway.process.id]);
    await start();
    expect(await gateways.month('a')).toMatchObject({ spent: nanos('12'), leased: 0n });
    expect(await gateways.look('SELECT percent FROM budget_notices')).toEqual([{ percent: 50 }]);
  });
});

import { cp, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatNanos } from '@app/platform';
import { adminPrincipal, tenantPrincipal } from '../../../../test/support/principals';
import { Gateways, nanos } from '../../test/gateways';
import { ACTUAL, draftOf } from '../../test/test-ledger';
import type { AssembledQuota } from '../assemble';
import type { Hold } from '../hold';
import type { Resolution } from './lost-process.dto';

const finance = adminPrincipal();

describe('a lost process', () => {
  let gateways: Gateways;
  let here: AssembledQuota;
  let elsewhere: AssembledQuota;
  let hold: Hold;

  /** Another machine's gateway has 4 on hold, of which it will have used 3, and has settled 1 more that it had not booked. */
  beforeEach(async () => {
    gateways = await Gateways.open();
    await gateways.tenant('a', { month: '100' });
    here = await gateways.start();
    elsewhere = await gateways.start({ dataDir: await newMachine() });
    hold = await reserve(elsewhere, '4');
    const other = await reserve(elsewhere, '1');
    elsewhere.settlements.stop();
    await other.settle({ costNanos: nanos('1'), tokens: 0, row: ACTUAL });
  });

  afterEach(() => gateways.close());

  const newMachine = (): Promise<string> => mkdtemp(join(tmpdir(), 'quota-lost-'));
  const reserve = (gateway: AssembledQuota, units: string): Promise<Hold> =>
    gateway.holds.reserve(tenantPrincipal('a'), { costNanos: nanos(units), tokens: 0 }, draftOf('a'));
  const resolve = (how: Resolution) =>
    gateways.lost(here).resolve(finance, elsewhere.process.id, { how, reason: 'the disk is gone' });
  const listed = async (): Promise<string[]> => (await gateways.lost(here).list(finance)).map(({ id }) => id);

  async function resolveLost(how: Resolution): Promise<bigint> {
    await elsewhere.quota.close();
    const { leased } = await gateways.month('a');
    await resolve(how);
    return leased;
  }

  test('is not resolved while it is alive, nor one that there never was', async () => {
    await expect(resolve('spent')).rejects.toMatchObject({ code: 'lost_process_not_found' });
    for (const id of ['', 'x', '%', here.process.id])
      await expect(gateways.lost(here).resolve(finance, id, { how: 'spent', reason: 'a guess' })).rejects.toMatchObject(
        { code: 'lost_process_not_found' },
      );
  });

  test('is listed and resolved where nothing is leased to it: it may have worked for tenants that nothing limits', async () => {
    await elsewhere.quota.close();
    await gateways.sql.query('DELETE FROM leases');
    expect(await gateways.lost(here).list(finance)).toMatchObject([
      { id: elsewhere.process.id, journal: 'missing', leased: [] },
    ]);
    expect(await resolve('spent')).toMatchObject({ how: 'spent', leased: [] });
    expect(await listed()).toEqual([]);
    await expect(resolve('spent')).rejects.toMatchObject({ code: 'lost_process_not_found' });
  });

  test('is not resolved when it comes back before the decision is made', async () => {
    await elsewhere.quota.close();
    const [known, ...others] = await gateways.lost(here).list(finance);
    expect([known?.id, others]).toEqual([elsewhere.process.id, []]);
    const lock = await gateways.sql.connect();
    await lock.query(`SELECT pg_advisory_lock(('x' || right(replace($1::text, '-', ''), 16))::bit(64)::bigint)`, [
      elsewhere.process.id,
    ]);
    const service = gateways.lost(here);
    // It was listed a moment ago.
    jest.spyOn(service, 'list').mockResolvedValue([known!]);
    await expect(
      service.resolve(finance, elsewhere.process.id, { how: 'released', reason: 'a guess' }),
    ).rejects.toMatchObject({ code: 'process_alive' });
    lock.release(true);
    expect((await gateways.month('a')).leased).toBeGreaterThanOrEqual(nanos('5'));
  });

  test('as spent: what it had leased counts as used, and no row of the ledger says so', async () => {
    const leased = await resolveLost('spent');
    expect(leased).toBeGreaterThanOrEqual(nanos('5'));
    expect(await gateways.month('a')).toMatchObject({ spent: leased, leased: 0n, writtenOff: leased });
    const { items } = await gateways.budgets().list(finance, 'a');
    expect(items.find(({ metric, period }) => metric === 'cost' && period === 'month')).toMatchObject({
      spent: formatNanos(leased),
      writtenOff: formatNanos(leased),
      held: '0.00',
    });
    expect(await gateways.ledger()).toEqual({ rows: 0, sum: 0n, unconfirmed: 0 });
    expect(await listed()).toEqual([]);
    await expect(resolve('released')).rejects.toMatchObject({ code: 'lost_process_not_found' });
  });

  test('as released: what it had leased can be used again, all of it', async () => {
    await resolveLost('released');
    expect(await gateways.month('a')).toMatchObject({ spent: 0n, leased: 0n, writtenOff: 0n });
    await (await reserve(here, '100')).settle({ costNanos: nanos('100'), tokens: 0, row: ACTUAL });
  });

  test('is on record, with the reason', async () => {
    await resolveLost('released');
    const { rows } = await gateways.sql.query<{ line: string }>(
      'SELECT line FROM audit_records ORDER BY seq DESC LIMIT 1',
    );
    expect(JSON.parse(rows[0]?.line ?? '')).toMatchObject({
      action: 'lease.resolved',
      target: { kind: 'process', id: elsewhere.process.id },
      before: { leased: [{ tenantId: 'a', metric: 'cost', amount: expect.any(String) }] },
      after: { how: 'released' },
      reason: 'the disk is gone',
    });
  });

  test('whose machine comes back after all is booked once, out of what was written off', async () => {
    const leased = await resolveLost('spent');
    const heir = await gateways.start({ dataDir: elsewhere.place.dataDir });
    await heir.recovery.sweep();
    expect(await gateways.ledger()).toEqual({ rows: 2, sum: nanos('5'), unconfirmed: 1 });
    expect(await gateways.month('a')).toMatchObject({
      spent: leased,
      writtenOff: leased - nanos('5'),
      leased: 0n,
      uncovered: 0n,
    });
    expect(await listed()).toEqual([]);
  });

  test('whose journal is found twice is booked once all the same', async () => {
    const copy = await newMachine();
    await elsewhere.quota.close();
    await cp(elsewhere.place.dataDir, copy, { recursive: true });
    await resolve('spent');
    await gateways.start({ dataDir: elsewhere.place.dataDir });
    await gateways.start({ dataDir: copy });
    expect((await gateways.ledger()).rows).toBe(2);
    const { spent, writtenOff } = await gateways.month('a');
    expect(spent).toBe(nanos('5') + writtenOff);
  });

  test('that was released too early passes no budget unseen: what comes to light is counted, and marked', async () => {
    await resolveLost('released');
    await gateways.start({ dataDir: elsewhere.place.dataDir });
    expect(await gateways.month('a')).toMatchObject({ spent: nanos('5'), writtenOff: 0n, uncovered: nanos('5') });
  });

  test('that was only out of reach takes no more work, and what it had under way is booked once', async () => {
    // Its network is gone, so its lock is; it hears of the decision when it comes back.
    await elsewhere.process.stop();
    const { leased } = await gateways.month('a');
    await resolve('spent');
    await elsewhere.process['look']();
    await expect(reserve(elsewhere, '1')).rejects.toMatchObject({ code: 'database_unavailable' });
    await hold.settle({ costNanos: nanos('3'), tokens: 0, row: ACTUAL });
    await elsewhere.quota.drain();
    expect(await gateways.ledger()).toEqual({ rows: 2, sum: nanos('4'), unconfirmed: 0 });
    expect(await gateways.month('a')).toMatchObject({
      spent: leased,
      leased: 0n,
      writtenOff: leased - nanos('4'),
      uncovered: 0n,
    });
  });
});

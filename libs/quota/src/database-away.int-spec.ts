import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog, EmbeddedPostgres } from '@app/platform';
import { tenantPrincipal } from '../../../test/support/principals';
import { offerToTests } from '../../../test/support/test-server';
import { Gateways, nanos, until } from '../test/gateways';
import { ACTUAL, draftOf } from '../test/test-ledger';

describe('while the database is away', () => {
  const principal = tenantPrincipal('a');
  let dataDir: string;
  let server: EmbeddedPostgres;
  let gateways: Gateways;

  const start = () =>
    EmbeddedPostgres.start({ dataDir, settings: { fsync: 'off', full_page_writes: 'off', max_connections: '200' } });

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'quota-pg-'));
    server = await start();
    await offerToTests(server);
    gateways = await Gateways.open();
  });

  afterAll(async () => {
    await gateways.close();
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  test('requests go on inside what is leased, then are refused; nothing is lost, and it catches up by itself', async () => {
    await gateways.tenant('a', { month: '100' });
    await gateways.tenant('b', { month: '100' });
    await gateways.tenant('unlimited');
    const said: string[] = [];
    const log = createLog('info', { write: (line) => said.push((JSON.parse(line) as { msg: string }).msg) });
    const gateway = await gateways.start({ log });
    const reserve = (units: string) =>
      gateway.holds.reserve(principal, { costNanos: nanos(units), tokens: 0 }, draftOf('a'));
    const before = await reserve('1');

    await server.stop();
    await before.settle({ costNanos: nanos('0.5'), tokens: 0, row: ACTUAL });
    let answered = 1;
    for (; answered < 1_000; answered++) {
      const hold = await reserve('1').catch((error: unknown) => error as { code: string });
      if ('code' in hold) {
        expect(hold.code).toBe('database_unavailable');
        break;
      }
      await hold.settle({ costNanos: nanos('0.5'), tokens: 0, row: ACTUAL });
    }
    expect(answered).toBeGreaterThan(5);
    expect(answered).toBeLessThan(200);
    await expect(
      gateway.holds.reserve(tenantPrincipal('b'), { costNanos: 1n, tokens: 0 }, draftOf('b')),
    ).rejects.toMatchObject({
      code: 'database_unavailable',
    });
    // Nothing has to be asked for a tenant that nothing limits.
    const unlimited = tenantPrincipal('unlimited');
    (await gateway.holds.reserve(unlimited, { costNanos: nanos('999'), tokens: 0 }, draftOf('unlimited'))).release();
    expect(gateway.quota.facts()).toMatchObject({ unflushedRows: answered, fenced: null, openHolds: 0 });
    // A server that comes back sooner than the next batch is due is no outage to the log.
    await until(() => said.includes('settled rows wait for the database'));

    server = await start();
    await until(() => said.includes('settled rows reach the database again'));
    expect(gateway.quota.facts().unflushedRows).toBe(0);
    const spent = nanos('0.5') * BigInt(answered);
    expect(await gateways.ledger()).toEqual({ rows: answered, sum: spent, unconfirmed: 0 });
    await (await reserve('1')).settle({ costNanos: nanos('1'), tokens: 0, row: ACTUAL });
    await gateway.quota.drain();
    expect(await gateways.month('a')).toMatchObject({ spent: spent + nanos('1'), leased: 0n });
    expect(gateway.quota.facts()).toMatchObject({ uncoveredNanos: 0n, fenced: null });
    expect(said.filter((msg) => msg.startsWith('settled rows'))).toEqual([
      'settled rows wait for the database',
      'settled rows reach the database again',
    ]);
  });

  test('whoever ends meanwhile leaves it to the next start', async () => {
    await gateways.tenant('c', { month: '100' });
    const gateway = await gateways.start();
    const hold = await gateway.holds.reserve(tenantPrincipal('c'), { costNanos: nanos('3'), tokens: 0 }, draftOf('c'));
    await server.stop();
    await hold.settle({ costNanos: nanos('2'), tokens: 0, row: ACTUAL });
    await gateway.quota.drain();

    server = await start();
    expect((await gateways.month('c')).spent).toBe(0n);
    await gateways.start();
    expect(await gateways.month('c')).toMatchObject({ spent: nanos('2'), leased: 0n });
  });

  test('rows whose booking was cut off in the middle are booked once', async () => {
    await gateways.tenant('d', { month: '100' });
    const gateway = await gateways.start();
    const holds = await Promise.all(
      Array.from({ length: 40 }, () =>
        gateway.holds.reserve(tenantPrincipal('d'), { costNanos: nanos('1'), tokens: 0 }, draftOf('d')),
      ),
    );
    const cuts = holds.map(async (hold, i) => {
      await new Promise((resolve) => setTimeout(resolve, i * 15));
      await hold.settle({ costNanos: nanos('1'), tokens: 0, row: ACTUAL });
      if (i % 5 === 0)
        await gateways.sql
          .query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'openclawmu'`)
          .catch(() => undefined);
    });
    await Promise.all(cuts);
    await until(() => gateway.quota.facts().unflushedRows === 0);
    await until(async () => {
      await gateway.leases.giveBackAll();
      return (await gateways.month('d').catch(() => null))?.leased === 0n;
    });
    expect(await gateways.month('d')).toMatchObject({ spent: nanos('40'), leased: 0n });
    expect(gateway.quota.facts().uncoveredNanos).toBe(0n);
  });
});

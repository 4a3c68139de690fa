import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { adminPrincipal, tenantPrincipal } from '../../../test/support/principals';
import { Gateways, nanos, until } from '../test/gateways';
import { ACTUAL, draftOf } from '../test/test-ledger';
import type { AssembledQuota } from './assemble';
import type { Hold } from './hold';

const TEST = resolve(__dirname, '../test');

const reserve = (gateway: AssembledQuota, tenant: string, units: string): Promise<Hold> =>
  gateway.holds.reserve(tenantPrincipal(tenant), { costNanos: nanos(units), tokens: 0 }, draftOf(tenant));

describe('recovery', () => {
  let gateways: Gateways;

  beforeEach(async () => {
    gateways = await Gateways.open();
  });

  afterEach(() => gateways.close());

  /** A gateway that settled one request, released one, left one open, and is gone before any of it reached the database. */
  async function dead(tenant: string): Promise<AssembledQuota> {
    const gateway = await gateways.start();
    const [settled, released] = [await reserve(gateway, tenant, '1'), await reserve(gateway, tenant, '2')];
    await reserve(gateway, tenant, '4');
    gateway.settlements.stop();
    await settled.settle({ costNanos: nanos('0.5'), tokens: 0, row: ACTUAL });
    released.release();
    await gateway.quota.close();
    return gateway;
  }

  const folderOf = (gateway: AssembledQuota): string => join(gateways.dataDir, 'journal', gateway.process.id);
  const endOf = async (gateway: AssembledQuota): Promise<string | null> => {
    const { rows } = await gateways.sql.query<{ ended_how: string | null }>(
      'SELECT ended_how FROM gateway_processes WHERE id = $1',
      [gateway.process.id],
    );
    return rows[0]?.ended_how ?? null;
  };

  test('the next start books what a dead process settled, and what it left open at its worst case', async () => {
    await gateways.tenant('a', { month: '100' });
    const gone = await dead('a');
    expect((await gateways.month('a')).leased).toBeGreaterThanOrEqual(nanos('7'));
    await gateways.start();
    expect(await gateways.ledger()).toEqual({ rows: 2, sum: nanos('4.5'), unconfirmed: 1 });
    expect(await gateways.month('a')).toMatchObject({ spent: nanos('4.5'), leased: 0n });
    expect(existsSync(folderOf(gone))).toBe(false);
    expect(await endOf(gone)).toBe('recovered');
  });

  test('what a dead process had booked itself is not counted again', async () => {
    await gateways.tenant('a', { month: '100' });
    const gateway = await gateways.start();
    await (await reserve(gateway, 'a', '1')).settle({ costNanos: nanos('0.5'), tokens: 0, row: ACTUAL });
    await gateway.settlements.flush();
    await gateway.quota.close();
    await gateways.start();
    expect(await gateways.ledger()).toEqual({ rows: 1, sum: nanos('0.5'), unconfirmed: 0 });
    expect(await gateways.month('a')).toMatchObject({ spent: nanos('0.5'), leased: 0n });
    expect(existsSync(folderOf(gateway))).toBe(false);
  });

  test('a journal whose last line is cut short is read up to there', async () => {
    await gateways.tenant('a', { month: '100' });
    const gone = await dead('a');
    const [segment] = readdirSync(folderOf(gone));
    appendFileSync(join(folderOf(gone), segment as string), '0123abcd S 0199');
    await gateways.start();
    expect(await gateways.ledger()).toEqual({ rows: 2, sum: nanos('4.5'), unconfirmed: 1 });
    expect(existsSync(folderOf(gone))).toBe(false);
  });

  test('a journal that cannot even be opened keeps neither the start nor the others waiting', async () => {
    await gateways.tenant('a', { month: '100' });
    const gone = await dead('a');
    writeFileSync(join(gateways.dataDir, 'journal', '00000000-0000-7000-8000-000000000000'), 'not a folder');
    await gateways.start();
    expect(await endOf(gone)).toBe('recovered');
  });

  test('a damaged journal is kept, and what is unknown of it stays counted and shows as lost', async () => {
    await gateways.tenant('a', { month: '100' });
    const gone = await dead('a');
    const [segment] = readdirSync(folderOf(gone));
    const path = join(folderOf(gone), segment as string);
    const lines = readFileSync(path, 'utf8').split('\n');
    writeFileSync(path, [`${lines[0]}x`, ...lines.slice(1)].join('\n'));
    const heir = await gateways.start();
    expect(existsSync(`${folderOf(gone)}.damaged`)).toBe(true);
    expect((await gateways.month('a')).leased).toBeGreaterThan(0n);
    expect(await endOf(gone)).toBeNull();
    const [lost, ...others] = await gateways.lost(heir).list(adminPrincipal());
    expect(others).toEqual([]);
    expect(lost).toMatchObject({
      id: gone.process.id,
      journal: 'damaged',
      leased: [{ tenantId: 'a', metric: 'cost', period: 'month' }],
    });
  });

  test('a machine that is lost with its journal stays counted and is listed', async () => {
    await gateways.tenant('a', { month: '100' });
    const elsewhere = await gateways.start({ dataDir: await mkdtemp(join(tmpdir(), 'quota-lost-')) });
    await reserve(elsewhere, 'a', '4');
    const here = await gateways.start();
    expect(await gateways.lost(here).list(adminPrincipal())).toEqual([]);
    await elsewhere.quota.close();
    expect((await gateways.lost(here).list(adminPrincipal())).map(({ id }) => id)).toEqual([elsewhere.process.id]);
    expect((await gateways.month('a')).leased).toBeGreaterThanOrEqual(nanos('4'));
  });

  test('several heirs at once book everything once', async () => {
    await gateways.tenant('a', { month: '100' });
    const heirs = [await gateways.start(), await gateways.start(), await gateways.start()];
    const gone = await dead('a');
    await Promise.all([...heirs, ...heirs].map(({ recovery }) => recovery.sweep()));
    await until(() => !existsSync(folderOf(gone)));
    expect(await gateways.ledger()).toEqual({ rows: 2, sum: nanos('4.5'), unconfirmed: 1 });
    expect(await gateways.month('a')).toMatchObject({ spent: nanos('4.5'), leased: 0n });
  });

  test('a sweep finds who dies while others run', async () => {
    await gateways.tenant('a', { month: '100' });
    await gateways.start();
    const gone = await dead('a');
    await until(async () => (await endOf(gone)) === 'recovered');
    expect((await gateways.ledger()).rows).toBe(2);
  });

  test('who has lost its lock for a moment is not dead', async () => {
    await gateways.tenant('a', { month: '100' });
    const [alive, other] = [await gateways.start(), await gateways.start()];
    const hold = await reserve(alive, 'a', '4');
    await gateways.sql.query(
      `SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
       WHERE l.locktype = 'advisory' AND d.datname = current_database()`,
    );
    await other.recovery.sweep();
    expect(await endOf(alive)).toBeNull();
    expect(existsSync(folderOf(alive))).toBe(true);
    await until(async () => (await gateways.lost(other).list(adminPrincipal())).length === 0);
    await hold.settle({ costNanos: nanos('1'), tokens: 0, row: ACTUAL });
    await alive.quota.drain();
    expect(await gateways.month('a')).toMatchObject({ spent: nanos('1'), leased: 0n });
  });

  test('who was declared dead takes no more work; what it had under way is booked once', async () => {
    // Of which it is so little that no threshold is near: it must be told all the same.
    await gateways.tenant('a', { month: '1000000' });
    const slow = await gateways.start();
    const hold = await reserve(slow, 'a', '4');
    const { rows } = await gateways.sql.query<{ id: string; at: Date }>(
      'SELECT $1::text AS id, $2::timestamptz AS at',
      [hold.id, hold.at],
    );
    expect(rows).toHaveLength(1);
    // As an heir would have left it, that could not know better.
    await gateways.sql.query(`UPDATE gateway_processes SET ended_at = now(), ended_how = 'recovered' WHERE id = $1`, [
      slow.process.id,
    ]);
    await gateways.sql.query('DELETE FROM leases; UPDATE budget_windows SET leased = 0');
    await until(() => slow.quota.facts().fenced !== null);
    await expect(reserve(slow, 'a', '1')).rejects.toMatchObject({ code: 'database_unavailable' });
    await hold.settle({ costNanos: nanos('3'), tokens: 0, row: ACTUAL });
    await slow.settlements.flush();
    expect(await gateways.month('a')).toMatchObject({ spent: nanos('3'), leased: 0n });
    expect(slow.quota.facts().uncoveredNanos).toBe(nanos('3'));
  });

  test('killed again and again while it works: every answered request is billed once, and the budget holds', async () => {
    const limit = nanos('100');
    await gateways.tenant('a', { month: '100' });
    const answered = new Map<string, bigint>();
    let passed = 0;
    let kills = 0;
    const life = async (): Promise<void> => {
      for (;;) {
        const child = spawn(
          process.execPath,
          [
            '-r',
            join(TEST, 'register.cjs'),
            join(TEST, 'working-gateway.ts'),
            gateways.db.urls.gatewayUrl,
            gateways.dataDir,
            'a',
          ],
          { stdio: ['ignore', 'pipe', 'inherit'] },
        );
        let printed = '';
        child.stdout.on('data', (data: Buffer) => {
          if (printed === '' && kills < 6) setTimeout(() => child.kill('SIGKILL'), 20 + 15 * kills++);
          printed += data.toString();
        });
        const code = await new Promise((done) => child.once('close', done));
        for (const line of printed.split('\n').slice(0, -1)) {
          const [, id = '', cost = ''] = line.split(' ');
          answered.set(id, BigInt(cost));
        }
        if (code === 0) return;
        expect(code).toBeNull();
      }
    };
    const watch = setInterval(() => {
      void gateways.month('a').then(({ spent, leased }) => (passed += spent + leased > limit ? 1 : 0));
    }, 10);
    await Promise.all([life(), life()]);
    clearInterval(watch);
    const heir = await gateways.start();
    await heir.quota.drain();

    expect(kills).toBeGreaterThanOrEqual(6);
    expect(passed).toBe(0);
    const { rows } = await gateways.sql.query<{ id: string; cost: string; status: string }>(
      `SELECT replace(id::text, '-', '') AS id, cost_nanos AS cost, status FROM ledger`,
    );
    const billed = new Map(rows.map((row) => [row.id, BigInt(row.cost)]));
    expect(billed.size).toBe(rows.length);
    expect([...answered].filter(([id, cost]) => billed.get(id) !== cost)).toEqual([]);
    const sum = [...billed.values()].reduce((total, cost) => total + cost, 0n);
    expect(await gateways.month('a')).toMatchObject({ spent: sum, leased: 0n });
    expect(sum).toBeLessThanOrEqual(limit);
    expect(rows.some(({ status }) => status === 'unconfirmed')).toBe(true);
    expect(readdirSync(join(gateways.dataDir, 'journal'))).toEqual([]);
  }, 90_000);
});

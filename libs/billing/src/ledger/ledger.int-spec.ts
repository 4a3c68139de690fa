import { BillingWorld } from '../../test/billing-world';
import type { LedgerRow } from './ledger-row';
import { headText, rowLine, type WrittenHead } from './row-text';

describe('the ledger', () => {
  let world: BillingWorld;
  beforeAll(async () => {
    world = await BillingWorld.open();
    await world.addTenant('alpha', 'CC-1');
    await world.addTenant('beta');
    await world.priceAt({ 'gpt-4o': ['2.5', '10'] });
  });
  afterAll(() => world.close());

  const stored = async (id: string) =>
    (await world.asSuperuser<Record<string, unknown>>('SELECT * FROM ledger WHERE id = $1', [id]))[0];

  it('books a row as it is, with the cost centre of the moment', async () => {
    const row = world.row({
      counts: { cacheRead: 7, cacheWrite5m: 6, cacheWrite1h: 5, reasoning: 4 },
      subject: 'ann',
      providerRequestId: 'up-1',
    });
    expect(await world.book(row)).toEqual([row.id]);
    expect(await stored(row.id)).toMatchObject({
      at: row.at,
      tenant_id: 'alpha',
      cost_center: 'CC-1',
      subject: 'ann',
      provider_request_id: 'up-1',
      cache_read_tokens: '7',
      cache_write_5m_tokens: '6',
      cache_write_1h_tokens: '5',
      reasoning_tokens: '4',
      cost_nanos: String(row.costNanos),
      status: 'actual',
    });
    await world.asSuperuser("UPDATE tenants SET cost_center = 'CC-2' WHERE id = 'alpha'");
    expect(await stored(row.id)).toMatchObject({ cost_center: 'CC-1' });
    await world.asSuperuser("UPDATE tenants SET cost_center = 'CC-1' WHERE id = 'alpha'");
  });

  it('books rows that share a head, and others among them, each with its own', async () => {
    const owners = ['alpha', 'beta', 'alpha', 'beta', 'alpha'];
    const rows = owners.map((tenantId) => world.row({ tenantId, tokenId: `tok_${tenantId}` }));
    const heads = new Map(owners.map((owner, n) => [owner, { number: n, json: headText(rows[n] as LedgerRow) }]));
    const lines = rows.map((row) => rowLine(row, heads.get(row.tenantId) as WrittenHead, world.ledger.textOf(row)));
    const timesMs = rows.map(({ at }) => at.getTime());
    const book = (some: string[], written: string | Buffer) =>
      world.inPlatform((tx) =>
        world.ledger.book(tx, { rows: some.length, lines: written, heads: heads.values(), timesMs }),
      );
    const [first, others] = [lines.slice(0, 2), lines.slice(2)];
    expect(await book(first, first.join(''))).toBe('all');
    expect(await book(others, Buffer.from(others.join('')))).toBe('all');
    for (const { id, tenantId, tokenId } of rows)
      expect(await stored(id)).toMatchObject({ tenant_id: tenantId, token_id: tokenId });
  });

  it('takes less than 400 bytes for an ordinary call, indexes included', async () => {
    const month = '2025-03';
    const rows = Array.from({ length: 5_000 }, (_, index) =>
      world.row({
        at: new Date(Date.parse(`${month}-01T00:00:00Z`) + index * 60_000),
        subject: 'ann@example.com',
        providerRequestId: `req_011CSHoEeqs5C35K2UUq${String(index).padStart(4, '0')}`,
        webSearches: 1,
      }),
    );
    await world.book(...rows);
    const [size] = await world.asSuperuser<{ bytes: string; rows: string }>(
      `SELECT pg_total_relation_size('ledger_2025_03') AS bytes, (SELECT count(*) FROM ledger_2025_03) AS rows`,
    );
    expect(Number(size?.rows)).toBe(rows.length);
    expect(Number(size?.bytes) / rows.length).toBeLessThan(400);
  });

  it('tells which rows are new, so that a repeat settles nothing twice', async () => {
    const [a, b, c] = [world.row(), world.row(), world.row()];
    expect((await world.book(a, b)).toSorted()).toEqual([a.id, b.id].sort());
    expect(await world.book(b, c, a)).toEqual([c.id]);
    expect(await world.book(a, b, c)).toEqual([]);
    expect(await world.book(a, a)).toEqual([]);
    expect(await world.book()).toEqual([]);
  });

  it('books each row once when several processes send it', async () => {
    const rows = Array.from({ length: 50 }, () => world.row());
    const booked = await Promise.all([1, 2, 3, 4].map(() => world.book(...rows)));
    expect(booked.flat().toSorted()).toEqual(rows.map(({ id }) => id).sort());
  });

  it('makes the partition of a month that nobody prepared, also for several at once', async () => {
    const months = ['2024-02-29T23:59:59.999Z', '2024-03-01T00:00:00.000Z', '2023-12-31T12:00:00.000Z'].map((at) =>
      world.row({ at: new Date(at) }),
    );
    const booked = await Promise.all([1, 2, 3].map(() => world.book(...months)));
    expect(booked.flat()).toHaveLength(3);
    const partitions = await world.asSuperuser<{ name: string }>(
      `SELECT DISTINCT tableoid::regclass::text AS name FROM ledger WHERE at < '2025-01-01' ORDER BY 1`,
    );
    expect(partitions.map(({ name }) => name)).toEqual(['ledger_2023_12', 'ledger_2024_02', 'ledger_2024_03']);
  });

  it('prepares this month and the next two, and may do so again', async () => {
    await world.partitions.ensureAhead();
    await world.partitions.ensureAhead();
    const names = (
      await world.asSuperuser<{ name: string }>(
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'ledger'::regclass",
      )
    ).map(({ name }) => name);
    const now = new Date();
    for (const ahead of [0, 1, 2]) {
      const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead)).toISOString();
      expect(names).toContain(`ledger_${month.slice(0, 4)}_${month.slice(5, 7)}`);
    }
  });

  it('does not lock readers and writers out while it prepares a month', async () => {
    const booked = await world.inPlatform(async (reader) => {
      await reader.query('SELECT count(*) FROM ledger');
      // The reader's transaction is open, so anything that needs the ledger for itself would wait for it in vain.
      return Promise.race([
        world.book(world.row({ at: new Date('2022-05-05T00:00:00Z') })),
        new Promise((resolve) => setTimeout(() => resolve('locked out'), 5_000)),
      ]);
    });
    expect(booked).toEqual([expect.any(String)]);
  });

  it.each([
    ['costs a nano less than due', { costNanos: 3_499_999n }],
    ['is priced by a card that does not exist', { rateCard: 99 }],
    ['is of a model the card does not price', { model: 'mystery', costNanos: 5n }],
  ])('quarantines a row that %s, and books its neighbours', async (_, fields) => {
    const [good, bad] = [world.row(), world.row(fields)];
    expect(good.costNanos).toBe(3_500_000n);
    expect(JSON.parse(world.ledger.textOf(bad))).toMatchObject({ status: 'quarantined' });
    expect(JSON.parse(world.ledger.textOf(good))).toMatchObject({ status: 'actual' });
    expect(await world.book(bad, good)).toEqual(expect.arrayContaining([bad.id, good.id]));
    expect(await stored(bad.id)).toMatchObject({ status: 'quarantined', cost_nanos: String(bad.costNanos) });
    expect(await stored(good.id)).toMatchObject({ status: 'actual' });
  });

  it('knows a card that another process imported a moment ago', async () => {
    const { version } = await world.cards.import(world.admin, {
      currency: 'USD',
      prices: [{ model: 'new-model', input: '1', output: '1' }],
    });
    world.catalogue.replace({ models: [], cards: [] });
    const row = world.row({ model: 'new-model', rateCard: version, costNanos: 1_100_000n });
    await world.book(row);
    expect(await stored(row.id)).toMatchObject({ status: 'actual' });
  });

  it.each(['openclawmu_platform', 'openclawmu_tenant'])('cannot be changed or emptied by %s', async (role) => {
    await world.book(world.row());
    const partition = 'ledger_2024_02';
    for (const sql of [
      'UPDATE ledger SET cost_nanos = 0',
      'DELETE FROM ledger',
      'TRUNCATE ledger',
      `SELECT * FROM ${partition}`,
      `DELETE FROM ${partition}`,
      'DROP TABLE ledger',
      `ALTER TABLE ledger DETACH PARTITION ${partition}`,
    ])
      await expect(world.asSuperuser(`SET ROLE ${role}; ${sql}`)).rejects.toMatchObject({ code: '42501' });
  });

  it('cannot be written by a tenant, not even for itself', async () => {
    const insert = `INSERT INTO ledger (at, id) SELECT at, id FROM ledger WHERE tenant_id = 'alpha' LIMIT 1`;
    await expect(
      world.asSuperuser(`SET ROLE openclawmu_tenant; SET app.tenant = 'alpha'; ${insert}`),
    ).rejects.toMatchObject({ code: '42501' });
  });
});

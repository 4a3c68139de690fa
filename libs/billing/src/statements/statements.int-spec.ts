import { createHash } from 'node:crypto';
import { formatNanos, type Tx } from '@app/platform';
import { tenantPrincipal } from '../../../../test/support/principals';
import { BillingWorld } from '../../test/billing-world';
import type { LedgerRow } from '../ledger/ledger-row';
import type { StatementRow } from './statement';
import { StatementFiles } from './statement-files';
import { selectStatement } from './statements.queries';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('statements', () => {
  let world: BillingWorld;
  /** A tenant for each test: its statements are a chain of their own. */
  let tenant: string;
  let count = 0;
  beforeAll(async () => {
    world = await BillingWorld.open();
    await world.addTenant('alpha');
    await world.priceAt({ 'gpt-4o': ['2.5', '10'] });
  });
  beforeEach(async () => {
    tenant = `tenant-${(count += 1)}`;
    await world.addTenant(tenant, 'CC-1');
  });
  afterAll(() => world.close());

  const row = (at: string, fields: Partial<LedgerRow> = {}): LedgerRow =>
    world.row({ at: new Date(at), tenantId: tenant, ...fields });
  const close = (period: string, of: string | null = tenant) =>
    world.statements.close(world.admin, of === null ? { period } : { period, tenant: of });
  const text = async ({ chunks }: { chunks: AsyncGenerator<string> }): Promise<string> => {
    let all = '';
    for await (const chunk of chunks) all += chunk;
    return all;
  };
  const bill = async (id: string): Promise<string> => text(await world.statements.bill(world.admin, id));
  /** Entry, month and request id of each line. */
  const lines = (csv: string): string[] =>
    csv
      .trimEnd()
      .split('\r\n')
      .slice(1)
      .map((line) => line.split(',').slice(0, 3).join(' '));
  const line = (entry: string, month: string, { id }: LedgerRow): string => `${entry} ${month} req_${id}`;

  it('fixes the rows of a month, so that its bill is the same whatever comes after', async () => {
    const [first, second] = [row('2026-03-01T12:00:00.000Z'), row('2026-03-20T12:00:00.000Z')];
    await world.book(first, second, row('2026-02-28T22:59:59.999Z'), row('2026-03-31T22:00:00.000Z'));
    const closed = await close('2026-03');
    const csv = await bill(closed.id);
    expect(closed).toMatchObject({
      id: `2026-03-${tenant}`,
      schema: 'statement/2',
      tenant,
      timeZone: 'Europe/Berlin',
      from: '2026-02-28T23:00:00.000Z',
      to: '2026-03-31T22:00:00.000Z',
      lateAfter: null,
      currency: 'USD',
      rows: 2,
      lateRows: 0,
      bytes: Buffer.byteLength(csv),
      sha256: sha256(csv),
      rateCards: [{ version: 1, sha256: world.catalogue.card(1)?.hash }],
      totals: { requests: 2, cost: formatNanos(first.costNanos + second.costNanos) },
      closedBy: world.admin.id,
    });
    expect(lines(csv)).toEqual([line('usage', '2026-03', first), line('usage', '2026-03', second)]);

    await world.book(row('2026-03-15T12:00:00.000Z'));
    await world.asSuperuser('UPDATE tenants SET cost_center = $1, name = $1 WHERE id = $2', ['CC-9', tenant]);
    expect(await bill(closed.id)).toBe(csv);
    expect(await world.statements.show(world.admin, closed.id)).toEqual(closed);
  });

  it('writes a bill in the form in which it was closed, also when statements have another now', async () => {
    await world.book(row('2026-03-01T12:00:00.000Z', { formula: 1 }));
    const { id } = await close('2026-03');
    const read = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => world.inPlatform(work);
    const closed = (await read((tx) => selectStatement(tx, id))) as StatementRow;
    const before = new StatementFiles(closed, read, 'statement/1');
    const { bytes, sha256: hash, digestsSha256 } = await before.facts();
    await world.asSuperuser(
      "UPDATE statements SET schema = 'statement/1', bytes = $2, sha256 = $3, digests_sha256 = $4, list_cost_nanos = NULL WHERE id = $1",
      [id, bytes, hash, digestsSha256],
    );
    const csv = await bill(id);
    expect(sha256(csv)).toBe(hash);
    expect(csv).toMatch(/^entry,month,.*,subject,model,.*,formula,cost,currency,/);
    expect(await text(await world.statements.digests(world.admin, id))).toMatch(/^request_id,sha256\r\n/);
    expect(await world.statements.show(world.admin, id)).toMatchObject({
      schema: 'statement/1',
      totals: { listCost: '0.0035', cost: '0.0035' },
    });
  });

  it('answers a month that is closed already as it is', async () => {
    await world.book(row('2026-03-01T12:00:00.000Z'));
    const closed = await close('2026-03');
    await world.book(row('2026-03-02T12:00:00.000Z'));
    expect(await close('2026-03')).toEqual(closed);
    const records = await world.asSuperuser<{ n: string }>(
      "SELECT count(*) AS n FROM audit_records WHERE action = 'statement.closed' AND tenant_id = $1",
      [tenant],
    );
    expect(records).toEqual([{ n: '1' }]);
  });

  it('puts what came late, and corrections, into the next statement under their own month', async () => {
    const inTime = row('2026-03-10T12:00:00.000Z');
    const never = row('2026-01-10T12:00:00.000Z');
    await world.book(inTime, never);
    const march = await close('2026-03');
    const late = row('2026-03-31T21:59:59.999Z');
    const earlier = row('2026-02-10T12:00:00.000Z');
    const correction = row('2026-03-10T12:00:00.001Z', { status: 'correction' });
    const usage = row('2026-04-05T12:00:00.000Z');
    await world.book(late, earlier, correction, usage);
    await world.asSuperuser('UPDATE ledger SET corrects = $1 WHERE id = $2', [inTime.id, correction.id]);
    const april = await close('2026-04');
    const csv = await bill(april.id);
    expect(lines(csv)).toEqual([
      line('late', '2026-02', earlier),
      line('correction', '2026-03', correction),
      line('late', '2026-03', late),
      line('usage', '2026-04', usage),
    ]);
    expect(csv).toContain(`,correction,completed,req_${inTime.id},\r\n`);
    expect(april).toMatchObject({ rows: 4, lateRows: 3, lateAfter: march.asOf });

    const afterApril = row('2026-04-06T12:00:00.000Z');
    await world.book(afterApril);
    const may = await close('2026-05');
    expect(lines(await bill(may.id))).toEqual([line('late', '2026-04', afterApril)]);
    expect(lines(await bill(march.id))).toEqual([line('usage', '2026-03', inTime)]);
  });

  it('has every row that is booked while it closes in exactly one statement', async () => {
    const before = Array.from({ length: 5 }, () => row('2026-06-10T12:00:00.000Z'));
    const racing = Array.from({ length: 40 }, () => row('2026-06-10T12:00:00.000Z'));
    await world.book(...before);
    const booking = (async () => {
      for (const each of racing) await world.book(each);
    })();
    await pause(30);
    const june = await close('2026-06');
    await booking;
    const july = await close('2026-07');
    const booked = [...lines(await bill(june.id)), ...lines(await bill(july.id))].map((each) => each.slice(-36));
    expect(booked.sort()).toEqual([...before, ...racing].map(({ id }) => `req_${id}`).sort());
    expect(june.rows + july.rows).toBe(45);
  });

  it('waits for a booking that is under way rather than to pass it over', async () => {
    const slow = row('2026-06-10T12:00:00.000Z');
    let closing: ReturnType<typeof close> | undefined;
    let isClosed = false;
    await world.inPlatform(async (tx: Tx) => {
      await world.ledger.append(tx, [slow]);
      closing = close('2026-06').finally(() => (isClosed = true));
      await pause(300);
      expect(isClosed).toBe(false);
    });
    expect((await closing)?.rows).toBe(1);
  });

  it('is not fooled by a clock that was set back', async () => {
    const closed = await close('2026-06');
    await world.asSuperuser("UPDATE statements SET as_of = as_of + interval '1 hour' WHERE id = $1", [closed.id]);
    await world.book(row('2026-06-10T12:00:00.000Z'));
    expect(lines(await bill(closed.id))).toEqual([]);
    await world.asSuperuser('DELETE FROM statements WHERE id = $1', [closed.id]);
  });

  it('closes the months of a chain in order, without a gap', async () => {
    await close('2026-03');
    await expect(close('2026-05')).rejects.toMatchObject({
      code: 'statement_out_of_order',
      message: expect.stringContaining('2026-04') as string,
    });
    await expect(close('2026-02')).rejects.toMatchObject({ code: 'statement_out_of_order' });
    expect((await close('2026-04')).from).toBe((await world.statements.show(world.admin, `2026-03-${tenant}`)).to);
  });

  it('begins where the last one ended when the time zone was changed in between', async () => {
    await close('2026-03');
    const between = row('2026-03-31T22:30:00.000Z');
    await world.book(between);
    const { current } = world.config;
    Object.assign(world.config, { current: { ...current, timezone: 'UTC' } });
    try {
      const april = await close('2026-04');
      expect(april).toMatchObject({
        from: '2026-03-31T22:00:00.000Z',
        to: '2026-05-01T00:00:00.000Z',
        timeZone: 'UTC',
      });
      expect(lines(await bill(april.id))).toEqual([line('usage', '2026-03', between)]);
    } finally {
      Object.assign(world.config, { current });
    }
  });

  it('refuses a month that is not over, and a tenant nobody has', async () => {
    const next = new Date(Date.now() + 40 * 86_400_000).toISOString().slice(0, 7);
    await expect(close(next)).rejects.toMatchObject({ code: 'period_not_over' });
    await expect(close('2026-03', 'nobody')).rejects.toMatchObject({ code: 'tenant_not_found' });
  });

  it('closes once when several ask at the same time', async () => {
    await world.book(row('2026-03-01T12:00:00.000Z'));
    const [one, ...others] = await Promise.all([1, 2, 3].map(() => close('2026-03')));
    expect(others).toEqual([one, one]);
  });

  it('covers all tenants when none is named', async () => {
    const other = world.row({ at: new Date('2021-03-03T12:00:00.000Z'), tenantId: 'alpha' });
    const own = row('2021-03-03T12:00:00.001Z');
    await world.book(own, other);
    const all = await close('2021-03', null);
    expect(all).toMatchObject({ id: '2021-03', tenant: null, rows: 2 });
    expect(lines(await bill(all.id))).toEqual([line('usage', '2021-03', other), line('usage', '2021-03', own)]);
    expect((await close('2021-03', 'alpha')).rows).toBe(1);
  });

  it("gives a tenant its own statements, byte for byte the admins', and no others", async () => {
    const own = tenantPrincipal(tenant);
    await world.addTenant(`${tenant}-neighbour`);
    await world.book(row('2026-03-01T12:00:00.000Z'));
    const first = await close('2026-03');
    await world.book(row('2026-03-02T12:00:00.000Z'), row('2026-04-02T12:00:00.000Z'));
    const second = await close('2026-04');
    const others = [await close('2021-03', null), await close('2026-03', `${tenant}-neighbour`)];

    expect((await world.statements.list(own, { limit: 50 })).items).toEqual([second, first]);
    for (const { id } of [first, second]) expect(await text(await world.statements.bill(own, id))).toBe(await bill(id));
    for (const { id } of others) {
      await expect(world.statements.show(own, id)).rejects.toMatchObject({ code: 'statement_not_found' });
      await expect(world.statements.bill(own, id)).rejects.toMatchObject({ code: 'statement_not_found' });
    }
  });

  it('tells a file of digests, one for each line', async () => {
    await world.book(row('2026-03-01T12:00:00.000Z'), row('2026-03-01T12:00:00.001Z'));
    const closed = await close('2026-03');
    const digests = await text(await world.statements.digests(world.admin, closed.id));
    expect(sha256(digests)).toBe(closed.digestsSha256);
    const [, ...billed] = (await bill(closed.id)).trimEnd().split('\r\n');
    expect(digests).toBe(
      `request_id,sha256\r\n${billed.map((each) => `${each.split(',')[2]},${sha256(each)}\r\n`).join('')}`,
    );
  });

  it('exports the rate cards it was priced by', async () => {
    await world.book(row('2026-03-01T12:00:00.000Z'));
    const closed = await close('2026-03');
    const cards = await world.statements.rateCards(world.admin, closed.id);
    expect(cards.map(({ version, document }) => ({ version, sha256: sha256(document) }))).toEqual(closed.rateCards);
  });

  it.each([
    ['a row was changed', 'UPDATE ledger SET subject = $2 WHERE tenant_id = $1'],
    ['a row is gone', "DELETE FROM ledger WHERE tenant_id = $1 AND $2 <> ''"],
    ['a row was smuggled in', "UPDATE ledger SET at = '2026-03-05Z' WHERE tenant_id = $1 AND $2 <> ''"],
  ])('breaks a download off, loudly, when %s', async (_, tampering) => {
    await world.book(row('2026-03-01T12:00:00.000Z'));
    const { id } = await close('2026-03');
    await world.asSuperuser(tampering, [tenant, 'mallory']);
    await expect(bill(id)).rejects.toMatchObject({ code: 'statement_altered' });
    await expect(world.statements.digests(world.admin, id).then(text)).rejects.toMatchObject({
      code: 'statement_altered',
    });
  });

  it('cannot be changed or deleted by the gateway', async () => {
    const { id } = await close('2026-03');
    for (const sql of ['UPDATE statements SET rows = 7', 'DELETE FROM statements'])
      await expect(world.inPlatform((tx) => tx.query(sql))).rejects.toThrow('permission denied');
    expect(await world.statements.show(world.admin, id)).toMatchObject({ rows: 0 });
  });

  it('lists statements newest first, page by page', async () => {
    for (const period of ['2026-01', '2026-02', '2026-03']) await close(period);
    const seen: string[] = [];
    for (let cursor: string | undefined; ;) {
      const page = await world.statements.list(world.admin, { tenant, limit: 2, ...(cursor && { cursor }) });
      seen.push(...page.items.map(({ period }) => period));
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(['2026-03', '2026-02', '2026-01']);
  });

  it('knows no other statement', async () => {
    for (const id of ['2019-01', '', "x' OR 1=1"])
      await expect(world.statements.show(world.admin, id)).rejects.toMatchObject({ code: 'statement_not_found' });
  });
});

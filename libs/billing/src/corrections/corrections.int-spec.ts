import { Audit } from '@app/audit';
import { parseNanos } from '@app/platform';
import { tenantPrincipal } from '../../../../test/support/principals';
import { BillingWorld } from '../../test/billing-world';
import type { LedgerRow } from '../ledger/ledger-row';
import { ledgerId, requestId } from '../reports/usage-record';
import type { UsageChange } from './budget-books';
import { CorrectionBooking } from './booking.service';
import { STATED } from './correction';
import { Corrections } from './corrections.service';

describe('corrections', () => {
  let world: BillingWorld;
  /** A tenant for each test. */
  let tenant: string;
  let count = 0;
  /** What budgets were told. */
  const changes: UsageChange[] = [];
  beforeAll(async () => {
    world = await BillingWorld.open();
    await world.priceAt({ 'gpt-4o': ['2.5', '10'] });
    world.booking.budgets({
      recount: (_, more) => {
        changes.push(...more);
        return Promise.resolve();
      },
    });
  });
  beforeEach(async () => {
    tenant = `tenant-${(count += 1)}`;
    await world.addTenant(tenant, 'CC-1');
    changes.length = 0;
  });
  afterAll(() => world.close());

  const unsure = (fields: Partial<Omit<LedgerRow, 'counts'>> = {}): LedgerRow =>
    world.row({
      tenantId: tenant,
      status: 'unconfirmed',
      outcome: 'unknown',
      reason: 'no_answer',
      subject: 'ann',
      providerRequestId: 'up-1',
      counts: { input: 0, cacheWrite1h: 900, output: 400 },
      ...fields,
    });
  const booked = async (fields?: Parameters<typeof unsure>[0]): Promise<LedgerRow> => {
    const row = unsure(fields);
    await world.book(row);
    return row;
  };
  const REASON = 'The invoice of March, line 17';
  const correct = ({ id }: Pick<LedgerRow, 'id'>, input: number, output: number, key?: string) =>
    world.corrections.correct(world.admin, requestId(id), { tokens: { input, output }, reason: REASON }, key);
  const rowsOf = () =>
    world.asSuperuser<Record<string, unknown>>('SELECT * FROM ledger WHERE tenant_id = $1 ORDER BY at, id', [tenant]);
  const auditOf = () =>
    world.asSuperuser<{ line: string }>(
      "SELECT line FROM audit_records WHERE action = 'usage.corrected' AND tenant_id = $1 ORDER BY seq",
      [tenant],
    );
  const totals = async () => (await world.usage.rollUp(world.admin, { by: 'model', tenant })).totals;
  const list = (query: object = {}) =>
    world.uncertain.list(world.admin, { limit: 50, corrected: false, tenant, ...query });

  it('books the difference beside the row, with all that identifies it, and changes nothing', async () => {
    const row = await booked();
    await world.asSuperuser("UPDATE tenants SET cost_center = 'CC-9' WHERE id = $1", [tenant]);
    const [before] = await rowsOf();
    const correction = await correct(row, 1_000, 20);
    // 1000 * 2.5 + 20 * 10 per million, less 900 * 2.5 + 400 * 10
    expect(correction).toMatchObject({
      corrects: requestId(row.id),
      before: { cost: '0.00625', tokens: { cacheWrite1h: 900, output: 400 } },
      after: { cost: '0.0027', tokens: { input: 1_000, cacheWrite1h: 0, output: 20 }, formula: 2, rateCard: 1 },
      difference: '-0.00355',
      currency: 'USD',
      reason: REASON,
    });
    const [same, booking, ...others] = await rowsOf();
    expect(others).toEqual([]);
    expect(same).toEqual(before);
    expect(requestId(String(booking?.['id']).replaceAll('-', ''))).toBe(correction.requestId);
    const own = ['id', 'booked_at', 'status', 'reason', 'corrects'];
    const counts = Object.keys(booking ?? {}).filter((name) => /_tokens$|_nanos$/.test(name));
    for (const name of Object.keys(booking ?? {}))
      if (!own.includes(name) && !counts.includes(name))
        expect([name, booking?.[name]]).toEqual([name, before?.[name]]);
    expect(booking).toMatchObject({
      status: 'correction',
      reason: REASON,
      corrects: before?.['id'],
      input_tokens: '1000',
      cache_write_1h_tokens: '-900',
      output_tokens: '-380',
      cost_nanos: '-3550000',
      list_cost_nanos: null,
      cost_center: 'CC-1',
      api: 'c',
    });
    expect(changes).toEqual([
      {
        at: row.at,
        tenantId: tenant,
        tokenId: 'tok_alpha',
        subject: 'ann',
        endUser: null,
        model: 'gpt-4o',
        costNanos: -3_550_000n,
        tokens: -280n,
      },
    ]);
    const [record] = await auditOf();
    expect(JSON.parse(record?.line ?? '{}')).toMatchObject({
      actor: { id: 'root' },
      target: { kind: 'ledger_row', id: requestId(row.id) },
      before: { cost: '0.00625' },
      after: { cost: '0.0027', correction: correction.requestId },
      reason: REASON,
    });
    expect(await totals()).toMatchObject({ requests: 1, cost: '0.0027', tokens: { input: 1_000, output: 20 } });
  });

  it('corrects the last state, and refuses what would change nothing', async () => {
    const row = await booked();
    await correct(row, 10, 1);
    await expect(correct(row, 10, 1)).rejects.toMatchObject({ code: 'correction_empty' });
    const second = await correct(row, 1_000, 100);
    expect(second).toMatchObject({ before: { cost: '0.000035' }, after: { cost: '0.0035' }, difference: '0.003465' });
    expect(await totals()).toMatchObject({ requests: 1, cost: '0.0035' });
    expect((await rowsOf()).map(({ status }) => status)).toEqual(['unconfirmed', 'correction', 'correction']);
  });

  it('takes a stated cost as it is, until counts are stated again', async () => {
    const row = await booked();
    const state = (dto: object) =>
      world.corrections.correct(world.admin, requestId(row.id), { ...dto, reason: REASON });
    expect(await state({ cost: '0.001' })).toMatchObject({
      after: { formula: STATED, cost: '0.001', tokens: { output: 400 } },
    });
    expect(await state({ tokens: { input: 4 } })).toMatchObject({
      after: { formula: 2, cost: '0.00001', tokens: { input: 4, output: 0 } },
    });
    await expect(state({})).rejects.toMatchObject({ code: 'validation_failed' });
  });

  it('wants a cost where no card has a price', async () => {
    const row = await booked({ model: 'unheard-of', status: 'quarantined', reason: 'model_not_priced' });
    await expect(correct(row, 1, 1)).rejects.toThrow(/cost: must be given/);
    const stated = { tokens: { input: 5 }, cost: '0.25', reason: REASON };
    await world.corrections.correct(world.admin, requestId(row.id), stated);
    expect(await totals()).toMatchObject({ cost: '0.25' });
  });

  it('lets two at once follow each other', async () => {
    const row = await booked();
    const all = await Promise.all([1, 2, 3, 4].map((input) => correct(row, input, 0)));
    const last = all.map(({ after }) => after.cost);
    const { cost } = await totals();
    expect(last).toContain(cost);
    // Each begins where another has ended: a chain from the row to what is billed.
    const befores = all.map(({ before }) => before.cost).sort();
    expect(befores).toEqual(['0.00625', ...last.filter((each) => each !== cost)].sort());
  });

  it('answers a repeated key as the first time, and refuses it for another correction', async () => {
    const row = await booked();
    const first = await correct(row, 10, 1, 'correction-key');
    expect(await correct(row, 10, 1, 'correction-key')).toEqual(first);
    await expect(correct(row, 11, 1, 'correction-key')).rejects.toMatchObject({ code: 'idempotency_conflict' });
    expect(await rowsOf()).toHaveLength(2);
    expect(await auditOf()).toHaveLength(1);
  });

  it('refuses what is not there, and corrections of corrections', async () => {
    const row = unsure();
    await expect(correct(row, 1, 1)).rejects.toMatchObject({ code: 'usage_not_found' });
    await expect(correct({ id: 'x' }, 1, 1)).rejects.toMatchObject({ code: 'usage_not_found' });
    await world.book(row);
    const { requestId: id } = await correct(row, 1, 1);
    await expect(correct({ id: ledgerId(id) ?? '' }, 2, 1)).rejects.toMatchObject({ code: 'row_is_correction' });
    expect(await rowsOf()).toHaveLength(2);
  });

  it('leaves nothing behind where the budgets cannot follow', async () => {
    const row = await booked();
    const failing = new CorrectionBooking();
    failing.budgets({ recount: () => Promise.reject(new Error('no')) });
    const broken = new Corrections(world.db.database, new Audit(), world.catalogue, failing);
    const dto = { tokens: { input: 1 }, reason: REASON };
    await expect(broken.correct(world.admin, requestId(row.id), dto)).rejects.toThrow('no');
    expect(await rowsOf()).toHaveLength(1);
    expect(await auditOf()).toEqual([]);
  });

  it('lists what is not sure with its reason, until it is corrected', async () => {
    const rows = [
      await booked({ at: new Date('2026-03-01T10:00:00Z') }),
      await booked({ at: new Date('2026-03-02T10:00:00Z'), status: 'quarantined', reason: 'usage_inconsistent' }),
      await booked({ at: new Date('2026-03-03T10:00:00Z'), status: 'estimated', reason: 'broken_off' }),
      await booked({ status: 'actual', reason: null }),
    ];
    const [unconfirmed, quarantined, estimated] = rows.map(({ id }) => requestId(id));
    const ids = async (query?: object) => (await list(query)).items.map(({ requestId: id }) => id);
    expect(await ids()).toEqual([estimated, quarantined, unconfirmed]);
    expect(await ids({ status: 'quarantined' })).toEqual([quarantined]);
    expect(await ids({ reason: 'broken_off' })).toEqual([estimated]);
    expect(await ids({ period: '2026-02' })).toEqual([]);
    expect(await ids({ model: 'other' })).toEqual([]);
    const page = await list({ limit: 2 });
    expect(page.items.map(({ reason }) => reason)).toEqual(['broken_off', 'usage_inconsistent']);
    expect(await ids({ limit: 2, cursor: page.nextCursor })).toEqual([unconfirmed]);

    await correct(rows[0] as LedgerRow, 1, 1);
    expect(await ids()).toEqual([estimated, quarantined]);
    const [row] = (await list({ corrected: true, status: 'unconfirmed' })).items;
    expect(row).toMatchObject({ cost: '0.00625', corrections: 1, billed: { cost: '0.0000125', tokens: { input: 1 } } });
    expect(await world.uncertain.show(world.admin, unconfirmed as string)).toEqual(row);
    const counts = await world.uncertain.counts(world.admin);
    expect(counts.estimated).toBeGreaterThan(0);
  });

  it('resolves all of a status before a moment, as billed or at nothing', async () => {
    const early = [
      await booked({ at: new Date('2026-03-01T10:00:00Z') }),
      await booked({ at: new Date('2026-03-02T10:00:00Z') }),
    ];
    const late = await booked({ at: new Date('2026-04-01T10:00:00Z') });
    const resolve = (as: 'billed' | 'zero', before: string) =>
      world.corrections.resolve(world.admin, { status: 'unconfirmed', before, tenant, as, reason: REASON });
    expect(await resolve('zero', '2026-03-02T10:00:00Z')).toEqual({
      rows: 1,
      more: false,
      difference: '-0.00625',
      currency: 'USD',
    });
    expect(await resolve('billed', '2026-04-01T00:00:00Z')).toEqual({
      rows: 1,
      more: false,
      difference: '0.00',
      currency: 'USD',
    });
    expect(await resolve('billed', '2026-04-01T00:00:00Z')).toEqual({
      rows: 0,
      more: false,
      difference: '0.00',
      currency: null,
    });
    expect((await list()).items.map(({ requestId: id }) => id)).toEqual([requestId(late.id)]);
    expect((await world.uncertain.show(world.admin, requestId(early[0]?.id ?? ''))).billed.cost).toBe('0.00');
    expect(await auditOf()).toHaveLength(2);
    expect(changes.map(({ costNanos }) => costNanos)).toEqual([-parseNanos('0.00625')]);
  });

  it('shows a tenant the corrections of its own calls, and no others', async () => {
    const row = await booked();
    await correct(row, 10, 1);
    const own = tenantPrincipal(tenant);
    const { items } = await world.usage.requests(own, { limit: 50 });
    expect(items.map(({ status, corrects, reason }) => ({ status, corrects, reason }))).toEqual([
      { status: 'correction', corrects: requestId(row.id), reason: REASON },
      { status: 'unconfirmed', corrects: null, reason: 'no_answer' },
    ]);
    await world.addTenant(`${tenant}-other`);
    expect((await world.usage.requests(tenantPrincipal(`${tenant}-other`), { limit: 50 })).items).toEqual([]);
  });

  const close = (period: string) => world.statements.close(world.admin, { period, tenant });
  const linesOf = async (id: string): Promise<string[][]> => {
    let text = '';
    for await (const chunk of (await world.statements.bill(world.admin, id)).chunks) text += chunk;
    return text
      .trimEnd()
      .split('\r\n')
      .slice(1)
      .map((line) => line.split(',').slice(0, 3));
  };

  it('stands in the bill of its month, or in the next one once that is closed', async () => {
    const row = await booked({ at: new Date('2026-03-10T12:00:00Z') });
    const inTime = await correct(row, 10, 1);
    const march = await close('2026-03');
    const late = await correct(row, 20, 1);
    const april = await close('2026-04');
    const may = await close('2026-05');
    expect(await linesOf(march.id)).toEqual([
      ['usage', '2026-03', requestId(row.id)],
      ['correction', '2026-03', inTime.requestId],
    ]);
    expect(await linesOf(april.id)).toEqual([['correction', '2026-03', late.requestId]]);
    expect(april).toMatchObject({ rows: 1, lateRows: 1, totals: { requests: 0, cost: late.difference } });
    expect(await linesOf(may.id)).toEqual([]);
    expect(march.totals).toMatchObject({ requests: 1, cost: inTime.after.cost });
  });

  it('lands in exactly one statement when it is made while its month is closed', async () => {
    const rows: LedgerRow[] = [];
    for (let n = 0; n < 20; n += 1) rows.push(await booked({ at: new Date(Date.UTC(2026, 2, 1 + n)) }));
    const correcting = (async () => {
      for (const [n, row] of rows.entries()) await correct(row, n + 1, 0);
    })();
    const march = await close('2026-03');
    await correcting;
    const april = await close('2026-04');
    const all = [...(await linesOf(march.id)), ...(await linesOf(april.id))].map(([, , id]) => id);
    expect(all).toHaveLength(40);
    expect(new Set(all).size).toBe(40);
    const [sum] = await world.asSuperuser<{ cost: string }>(
      'SELECT sum(cost_nanos) AS cost FROM ledger WHERE tenant_id = $1',
      [tenant],
    );
    expect(parseNanos(march.totals.cost) + parseNanos(april.totals.cost)).toBe(BigInt(sum?.cost ?? 0));
  });
});

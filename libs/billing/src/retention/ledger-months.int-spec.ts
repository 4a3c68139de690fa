import { uuid7 } from '@app/platform';
import { adminPrincipal, jobPrincipals } from '../../../../test/support/principals';
import { silentLog } from '../../../../test/support/gateway-database';
import { BillingWorld } from '../../test/billing-world';
import { Retention } from './retention.service';

/** Months long over: the gateway's time zone is UTC here, so a statement is a month of the ledger. */
const at = (day: string): Date => new Date(`2025-${day}T12:00:00.000Z`);

describe('months of the ledger', () => {
  let world: BillingWorld;
  beforeEach(async () => {
    world = await BillingWorld.open();
    Object.assign(world.config.current, { timezone: 'UTC', ledger: { retainMonths: 3 } });
    await world.addTenant('alpha');
    await world.addTenant('beta');
    await world.priceAt({ 'gpt-4o': ['2.5', '10'] });
  });
  afterEach(() => world.close());

  const close = (period: string, tenant?: string) =>
    world.statements.close(world.admin, tenant === undefined ? { period } : { period, tenant });
  const exported = async (id: string): Promise<void> => {
    for (const file of ['bill', 'digests'] as const) await world.statementExports.record(world.admin, id, file);
  };
  const month = async (name: string) =>
    (await world.months.list(world.admin)).items.find((item) => item.month === name) as unknown as Record<
      string,
      unknown
    >;
  const text = async ({ chunks }: { chunks: AsyncGenerator<string> }): Promise<string> => {
    let all = '';
    for await (const chunk of chunks) all += chunk;
    return all;
  };
  const actions = () =>
    world.asSuperuser<{ action: string; id: string }>(
      `SELECT action, actor_id AS id FROM audit_records WHERE action LIKE 'ledger.%' OR action = 'statement.exported' ORDER BY seq`,
    );

  /** January's rows are in closed, exported statements. */
  async function finishJanuary(): Promise<void> {
    await world.book(world.row({ at: at('01-10') }), world.row({ at: at('01-20'), tenantId: 'beta' }));
    await close('2025-01');
    await exported('2025-01');
    await world.rollUp.advance();
  }

  it('waits for every statement, then for the export, then for its age', async () => {
    await world.book(world.row({ at: at('01-10') }));
    await world.rollUp.advance();
    expect(await month('2025-01')).toMatchObject({
      state: 'open',
      rows: 1,
      because: 'no statement of the whole gateway is closed',
    });
    await close('2024-12', 'alpha');
    await close('2025-01');
    expect(await month('2025-01')).toMatchObject({
      state: 'open',
      because: 'the statement 2025-01 of tenant alpha is not closed',
    });
    await expect(world.months.detach(world.admin, '2025-01')).rejects.toMatchObject({ code: 'ledger_month_state' });
    await close('2025-01', 'alpha');
    const waiting = { state: 'closed', because: 'statement 2025-01 has not been downloaded whole or delivered' };
    expect(await month('2025-01')).toMatchObject(waiting);
    await world.statementExports.record(world.admin, '2025-01', 'bill');
    expect(await month('2025-01')).toMatchObject(waiting);
    await world.statementExports.record(world.admin, '2025-01', 'digests');
    expect(await month('2025-01')).toMatchObject({ state: 'detachable', because: null });
    Object.assign(world.config.current, { ledger: { retainMonths: null } });
    expect(await month('2025-01')).toMatchObject({
      state: 'exported',
      because: 'ledger.retainMonths keeps all months',
    });
    await expect(world.months.detach(world.admin, '2025-01')).rejects.toMatchObject({ code: 'ledger_month_state' });
    expect(await actions()).toEqual([{ action: 'statement.exported', id: 'root' }]);
  });

  it('waits for the statement that has its late rows', async () => {
    await finishJanuary();
    await world.book(world.row({ at: at('01-11') }));
    await world.rollUp.advance();
    expect(await month('2025-01')).toMatchObject({
      state: 'open',
      because: 'the statement 2025-02 of the whole gateway, which has rows that came late, is not closed',
    });
    await close('2025-02');
    expect(await month('2025-01')).toMatchObject({
      state: 'closed',
      because: expect.stringContaining('2025-02') as string,
    });
    await exported('2025-02');
    expect(await month('2025-01')).toMatchObject({ state: 'detachable' });
    // Not summed up yet, so the list does not know of it.
    await world.book(world.row({ at: at('01-12') }));
    await expect(world.months.detach(world.admin, '2025-01')).rejects.toMatchObject({
      code: 'ledger_month_state',
      message: expect.stringContaining('late') as string,
    });
  });

  it('keeps totals when it is taken out, and refuses what needs its rows', async () => {
    await finishJanuary();
    await world.book(world.row({ at: at('02-10') }));
    const query = { period: '2025-01' };
    const before = await world.usage.rollUp(world.admin, { ...query, by: 'tenant' });
    const daily = await world.csv(world.admin, { ...query, layout: 'daily' });
    const bill = await text(await world.statements.bill(world.admin, '2025-01'));

    const beginning = () => world.inPlatform((tx) => world.ledger.beginning(tx));
    expect(await beginning()).toEqual(new Date('2025-01-01'));
    expect(await world.months.detach(world.admin, '2025-01')).toMatchObject({
      state: 'detached',
      archivedTables: ['ledger_2025_01'],
    });
    expect(await beginning()).toEqual(new Date('2025-02-01'));
    expect(await world.usage.rollUp(world.admin, { ...query, by: 'tenant' })).toEqual(before);
    expect(await world.csv(world.admin, { ...query, layout: 'daily' })).toBe(daily);

    const archived = {
      code: 'ledger_month_archived',
      message: expect.stringContaining('openclawmu ledger attach 2025-01') as string,
    };
    for (const attempt of [
      () => world.csv(world.admin, { ...query, layout: 'detail' }),
      () => world.csv(world.admin, { from: '2024-12-20T00:00:00Z', to: '2025-02-20T00:00:00Z', layout: 'detail' }),
      () => world.csv(world.admin, { ...query, layout: 'daily', asOf: '2026-01-01T00:00:00Z' }),
      () => world.usage.requests(world.admin, { ...query, limit: 5 }),
      () => world.usage.rollUp(world.admin, { ...query, by: 'subject' }),
      () => world.usage.rollUp(world.admin, { by: 'tenant', from: '2025-01-05T10:30:00Z', to: '2025-01-06T00:00:00Z' }),
      () => world.statements.bill(world.admin, '2025-01').then(text),
      () => world.statements.digests(world.admin, '2025-01').then(text),
      () => close('2025-01', 'beta'),
      () => world.months.check(world.admin, '2025-01'),
      () => world.months.rebuild(world.admin, '2025-01'),
    ])
      await expect(attempt()).rejects.toMatchObject(archived);
    expect(await world.csv(world.admin, { period: '2025-02', layout: 'detail' })).toContain('gpt-4o');

    await world.months.attach(world.admin, '2025-01');
    expect(await text(await world.statements.bill(world.admin, '2025-01'))).toBe(bill);
    expect(await world.months.check(world.admin, '2025-01')).toMatchObject({ ok: true });
    expect((await actions()).map(({ action }) => action)).toEqual([
      'statement.exported',
      'ledger.month_detached',
      'ledger.month_attached',
    ]);
  });

  it('takes late rows in when it is detached, and they stand in the next statement', async () => {
    await finishJanuary();
    await world.months.detach(world.admin, '2025-01');
    const late = world.row({ at: at('01-15') });
    await world.book(late);
    await world.rollUp.advance();
    const february = await close('2025-02');
    expect(february.lateRows).toBe(1);
    expect(await text(await world.statements.bill(world.admin, '2025-02'))).toContain(`late,2025-01,req_${late.id}`);
    expect((await world.usage.rollUp(world.admin, { period: '2025-01', by: 'tenant' })).totals.requests).toBe(3);
    await expect(world.csv(world.admin, { period: '2025-01', layout: 'detail' })).rejects.toMatchObject({
      code: 'ledger_month_archived',
    });
    await exported('2025-02');
    expect(await world.months.detach(world.admin, '2025-01')).toMatchObject({
      archivedTables: ['ledger_2025_01', 'ledger_2025_01_part_2'],
    });
    await expect(world.statements.bill(world.admin, '2025-02').then(text)).rejects.toMatchObject({
      code: 'ledger_month_archived',
    });
    await world.book(world.row({ at: at('01-16') }));
    await world.rollUp.advance();
    await world.months.attach(world.admin, '2025-01');
    expect(
      (await world.csv(world.admin, { period: '2025-01', layout: 'detail' })).trimEnd().split('\r\n'),
    ).toHaveLength(1 + 4);
    expect(await world.months.check(world.admin, '2025-01')).toMatchObject({ ok: true });
  });

  it('is corrected by nobody while it is taken out, and wholly when it is back', async () => {
    const job = jobPrincipals.for('rate card corrections');
    const changed: bigint[] = [];
    world.booking.budgets({
      recount: (_, changes) => Promise.resolve(void changed.push(...changes.map(({ costNanos }) => costNanos))),
    });
    const cardFrom = (effectiveAt: string) =>
      world.cards.import(world.admin, {
        currency: 'USD',
        effectiveAt,
        correction: true,
        reason: 'Contract',
        prices: [{ model: 'gpt-4o', input: '3', output: '10' }],
      });
    const archived = { code: 'ledger_month_archived' };
    await finishJanuary();
    const february = world.row({ at: at('02-10') });
    await world.book(february);
    const { version } = await cardFrom('2025-01-15T00:00:00Z');
    await world.months.detach(world.admin, '2025-01');

    await world.cardCorrections.due(job);
    await expect(world.cardCorrections.step(job, version)).rejects.toMatchObject(archived);
    await expect(cardFrom('2025-01-05T00:00:00Z')).rejects.toMatchObject(archived);
    const january = `req_${uuid7(at('01-10').getTime())}`;
    const stated = { cost: '0.5', reason: 'Invoice' };
    await expect(world.corrections.correct(world.admin, january, stated)).rejects.toMatchObject(archived);
    const listed = { corrected: false, limit: 5 };
    await expect(world.uncertain.list(world.admin, { ...listed, period: '2025-01' })).rejects.toMatchObject(archived);
    expect(await world.uncertain.list(world.admin, listed)).toMatchObject({ items: [] });
    expect(changed).toEqual([]);

    await world.months.attach(world.admin, '2025-01');
    await world.reload();
    while (await world.cardCorrections.step(job, version));
    expect(changed).toEqual([500_000n, 500_000n]);
    expect(await world.cardCorrections.show(world.admin, String(version))).toMatchObject({ corrected: 2 });
  });

  it('says which table is missing when it cannot be brought back', async () => {
    await finishJanuary();
    await world.months.detach(world.admin, '2025-01');
    await world.asSuperuser('DROP TABLE openclawmu_archive.ledger_2025_01');
    await expect(world.months.attach(world.admin, '2025-01')).rejects.toMatchObject({
      code: 'ledger_month_state',
      message: expect.stringContaining('ledger_2025_01') as string,
    });
    await expect(world.months.attach(world.admin, '2025-02')).rejects.toMatchObject({ code: 'ledger_month_not_found' });
    await expect(world.months.detach(world.admin, "x' OR 1=1")).rejects.toMatchObject({
      code: 'ledger_month_not_found',
    });
  });

  it('gives up rather than to keep those who book waiting', async () => {
    await finishJanuary();
    await world.inPlatform(async (reader) => {
      await reader.query('SELECT count(*) FROM ledger');
      await expect(world.months.detach(adminPrincipal(), '2025-01')).rejects.toMatchObject({
        code: 'ledger_month_state',
        message: expect.stringContaining('in use') as string,
      });
    });
    expect(await month('2025-01')).toMatchObject({ state: 'detachable' });
  });

  it('leaves by itself when the configuration says so', async () => {
    await finishJanuary();
    await world.book(world.row({ at: at('02-10') }));
    const retention = new Retention(world.months, world.config, jobPrincipals, silentLog);
    expect(await retention.detachAll()).toEqual(['2025-01']);
    expect(await retention.detachAll()).toEqual([]);
    expect((await actions()).at(-1)).toEqual({ action: 'ledger.month_detached', id: 'ledger retention' });
    Object.assign(world.config.current, { ledger: { retainMonths: null } });
    expect(await retention.detachAll()).toEqual([]);
  });

  it('is out of reach for those who read the ledger', async () => {
    await finishJanuary();
    await world.months.detach(world.admin, '2025-01');
    for (const role of ['openclawmu_tenant', 'openclawmu_platform'])
      for (const sql of ['SELECT * FROM openclawmu_archive.ledger_2025_01', 'DELETE FROM ledger_archives'])
        await expect(world.asSuperuser(`SET ROLE ${role}; ${sql}`)).rejects.toMatchObject({ code: '42501' });
    await expect(world.inPlatform((tx) => tx.query('DELETE FROM statement_exports'))).rejects.toThrow(
      'permission denied',
    );
  });
});

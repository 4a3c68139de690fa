import { jobPrincipals } from '../../../../test/support/principals';
import { silentLog } from '../../../../test/support/gateway-database';
import { BillingWorld } from '../../test/billing-world';
import { RollUp } from './roll-up.service';
import { selectRollUp } from './roll-up.queries';

const OCTOBER = new Date('2026-10-05T10:15:00.000Z');

describe('the roll-up', () => {
  let world: BillingWorld;
  beforeEach(async () => {
    world = await BillingWorld.open();
    await world.addTenant('alpha', 'CC-1');
    await world.addTenant('beta');
    await world.priceAt({ 'gpt-4o': ['2.5', '10'] });
  });
  afterEach(() => world.close());

  const hours = () =>
    world.asSuperuser<Record<string, unknown>>('SELECT * FROM ledger_hours ORDER BY hour, tenant_id, service_tier');
  const check = (month: string) => world.months.check(world.admin, month);

  it('adds what is booked to its hour, once, whoever does it and however often', async () => {
    await world.book(world.row({ at: OCTOBER }), world.row({ at: new Date('2026-10-05T10:59:59.999Z') }));
    await world.rollUp.advance();
    await world.book(world.row({ at: OCTOBER }), world.row({ at: new Date('2026-10-05T11:00:00.000Z') }));
    const others = Array.from({ length: 3 }, () => new RollUp(world.db.database, jobPrincipals, silentLog));
    await Promise.all([world.rollUp, ...others].map((each) => each.advance()));
    await world.rollUp.advance();
    expect(await hours()).toMatchObject([
      {
        hour: new Date('2026-10-05T10:00:00.000Z'),
        tenant_id: 'alpha',
        cost_center: 'CC-1',
        requests: '3',
        input_tokens: '3000',
      },
      { hour: new Date('2026-10-05T11:00:00.000Z'), requests: '1' },
    ]);
    expect(await check('2026-10')).toEqual({ month: '2026-10', ok: true, differences: 0, examples: [] });
  });

  it('loses no row that is booked while it advances', async () => {
    const booking = (async () => {
      for (let n = 0; n < 60; n++) await world.book(world.row({ at: OCTOBER }));
    })();
    const advancing = (async () => {
      for (let n = 0; n < 20; n++) await world.rollUp.advance();
    })();
    await Promise.all([booking, advancing]);
    await world.rollUp.advance();
    expect((await hours()).map(({ requests }) => requests)).toEqual(['60']);
    expect((await check('2026-10')).ok).toBe(true);
  });

  it('waits for a booking that is under way, and is not passed by a clock that was set back', async () => {
    let advancing: Promise<void> | undefined;
    await world.inPlatform(async (tx) => {
      await world.ledger.append(tx, [world.row({ at: OCTOBER })]);
      advancing = world.rollUp.advance();
      await new Promise((resolve) => setTimeout(resolve, 200));
    });
    await advancing;
    expect(await hours()).toHaveLength(1);
    await world.asSuperuser("UPDATE ledger_roll_up SET reaching = reaching + interval '1 hour'");
    const late = world.row({ at: OCTOBER });
    await world.book(late);
    const [row] = await world.asSuperuser<{ after: boolean }>(
      'SELECT booked_at > reaching AS after FROM ledger, ledger_roll_up WHERE id = $1',
      [late.id],
    );
    expect(row).toEqual({ after: true });
  });

  it('leaves a step to another that has just made one', async () => {
    await world.rollUp.advance();
    const { bookedUpTo } = await world.inPlatform(selectRollUp);
    await world.rollUp.advance(60_000);
    expect((await world.inPlatform(selectRollUp)).bookedUpTo).toEqual(bookedUpTo);
  });

  it.each([
    [
      'adds too much',
      'UPDATE ledger_hours SET cost_nanos = cost_nanos + 1',
      { cost: '0.003500001', ledgerCost: '0.0035' },
    ],
    ['lacks a line', 'DELETE FROM ledger_hours', { requests: null, ledgerRequests: 1 }],
    ['has a line too many', 'DELETE FROM ledger', { requests: 1, ledgerRequests: null, ledgerCost: null }],
    ['counts other tokens', 'UPDATE ledger_hours SET web_searches = 1', { requests: 1, ledgerRequests: 1 }],
  ])('names the line when it %s, and is right again when it is rebuilt', async (_, damage, example) => {
    await world.book(world.row({ at: OCTOBER }), world.row({ at: new Date('2026-09-05T10:15:00.000Z') }));
    await world.rollUp.advance();
    await world.asSuperuser(`${damage}${damage.includes('WHERE') ? '' : " WHERE hour >= '2026-10-01Z'"}`);
    expect(await check('2026-10')).toMatchObject({
      ok: false,
      differences: 1,
      examples: [
        { hour: '2026-10-05T10:00:00.000Z', tenant: 'alpha', costCenter: 'CC-1', model: 'gpt-4o', ...example },
      ],
    });
    expect((await check('2026-09')).ok).toBe(true);
    await world.months.rebuild(world.admin, '2026-10');
    expect((await check('2026-10')).ok).toBe(true);
    await world.rollUp.advance();
    expect((await check('2026-10')).ok).toBe(true);
  });

  it('is a tenant’s own to read, and nobody’s to change', async () => {
    await world.book(world.row({ at: OCTOBER }), world.row({ at: OCTOBER, tenantId: 'beta' }));
    await world.rollUp.advance();
    const as = "SET ROLE openclawmu_tenant; SET app.tenant = 'beta';";
    for (const sql of [
      'UPDATE ledger_hours SET requests = 7',
      'DELETE FROM ledger_hours',
      'UPDATE ledger_roll_up SET reaching = now()',
    ])
      await expect(world.asSuperuser(`${as} ${sql}`)).rejects.toMatchObject({ code: '42501' });
    const { items } = await world.usage.rollUp(world.admin, { by: 'tenant', period: '2026-10' });
    expect(items.map(({ key }) => key).sort()).toEqual(['alpha', 'beta']);
  });
});

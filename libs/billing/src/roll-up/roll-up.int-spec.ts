import { jobPrincipals } from '../../../../test/support/principals';
import { silentLog } from '../../../../test/support/gateway-database';
import { BillingWorld } from '../../test/billing-world';
import { detachMonth } from '../retention/ledger-months.queries';
import { RollUp } from './roll-up.service';
import { selectRollUp } from './roll-up.queries';

const OCTOBER = new Date('2026-10-05T10:15:00.000Z');
const STEPS = Math.ceil((Date.now() - Date.parse('2026-08-01T00:00:00Z')) / 86_400_000 / 8);
const LINE = { tenant: 'alpha', costCenter: 'CC-1', model: 'gpt-4o' };
const HOUR = { from: '2026-10-05T10:00:00.000Z', lasts: 'hour', ...LINE };
const DAY = { from: '2026-10-05T00:00:00.000Z', lasts: 'day', ...LINE };

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
    const others = Array.from(
      { length: 3 },
      () => new RollUp(world.db.database, jobPrincipals, world.config, world.clock, silentLog),
    );
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
    expect(await world.asSuperuser('SELECT day, requests FROM ledger_days')).toEqual([
      { day: new Date('2026-10-05T00:00:00.000Z'), requests: '4' },
    ]);
    expect(await check('2026-10')).toEqual({ month: '2026-10', ok: true, differences: 0, examples: [] });
  });

  it('is not advanced by who knows of one level only', async () => {
    const step = "UPDATE ledger_roll_up SET booked_up_to = booked_up_to - interval '1 second'";
    await expect(world.asSuperuser(step)).rejects.toMatchObject({ code: '23514' });
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
    for (const [how, hours] of Object.entries({ reaching: 1, counted_to: 2 })) {
      await world.asSuperuser(`UPDATE ledger_roll_up SET ${how} = reaching + interval '${hours} hours'`);
      const late = world.row({ at: OCTOBER });
      await world.book(late);
      const [row] = await world.asSuperuser<{ after: boolean }>(
        `SELECT booked_at > ${how} AS after FROM ledger, ledger_roll_up WHERE id = $1`,
        [late.id],
      );
      expect([how, row]).toEqual([how, { after: true }]);
    }
  });

  it('has nobody book while end users are counted, and who books behind it is later than what is counted', async () => {
    const row = world.row({ at: OCTOBER });
    const [from, until] = [new Date('2026-10-01Z'), new Date('2026-11-01Z')];
    const order: string[] = [];
    let booking: Promise<unknown> | undefined;
    const countedTo = await world.inPlatform(async (tx) => {
      const counted = await world.ledger.usedByUsers(tx, row.tenantId, from, until, null);
      booking = world.book(row).then(() => order.push('booked'));
      await new Promise((resolve) => setTimeout(resolve, 200));
      order.push('counted');
      return counted.countedTo;
    });
    await booking;
    expect(order).toEqual(['counted', 'booked']);
    const [booked] = await world.asSuperuser('SELECT booked_at > $2 AS later FROM ledger WHERE id = $1', [
      row.id,
      countedTo,
    ]);
    expect(booked).toEqual({ later: true });
  });

  it('leaves a step to another that has just made one', async () => {
    await world.rollUp.advance();
    const { bookedUpTo } = await world.inPlatform(selectRollUp);
    await world.rollUp.advance(60_000);
    expect((await world.inPlatform(selectRollUp)).bookedUpTo).toEqual(bookedUpTo);
  });

  it.each([
    [
      'adds too much in an hour',
      "UPDATE ledger_hours SET cost_nanos = cost_nanos + 1 WHERE hour >= '2026-10-01Z'",
      [{ ...HOUR, cost: '0.003500001', ledgerCost: '0.0035' }],
    ],
    [
      'adds too much in a day',
      "UPDATE ledger_days SET cost_nanos = cost_nanos + 1 WHERE day >= '2026-10-01Z'",
      [{ ...DAY, cost: '0.003500001', ledgerCost: '0.0035' }],
    ],
    [
      'lacks an hour',
      "DELETE FROM ledger_hours WHERE hour >= '2026-10-01Z'",
      [{ ...HOUR, requests: null, ledgerRequests: 1 }],
    ],
    [
      'lacks a day',
      "DELETE FROM ledger_days WHERE day >= '2026-10-01Z'",
      [{ ...DAY, requests: null, ledgerRequests: 1 }],
    ],
    [
      'has lines too many',
      "DELETE FROM ledger WHERE hour >= '2026-10-01Z'",
      [DAY, HOUR].map((line) => ({ ...line, requests: 1, ledgerRequests: null, ledgerCost: null })),
    ],
    [
      'counts other tokens',
      "UPDATE ledger_hours SET web_searches = 1 WHERE hour >= '2026-10-01Z'",
      [{ ...HOUR, requests: 1, ledgerRequests: 1 }],
    ],
  ])('names the lines when it %s, and is right again when it is rebuilt', async (_, damage, examples) => {
    await world.book(world.row({ at: OCTOBER }), world.row({ at: new Date('2026-09-05T10:15:00.000Z') }));
    await world.rollUp.advance();
    await world.asSuperuser(damage);
    expect(await check('2026-10')).toMatchObject({ ok: false, differences: examples.length, examples });
    expect((await check('2026-09')).ok).toBe(true);
    await world.months.rebuild(world.admin, '2026-10');
    expect((await check('2026-10')).ok).toBe(true);
    await world.rollUp.advance();
    expect((await check('2026-10')).ok).toBe(true);
  });

  it('keeps quarters of the hours in which days of the time zone begin, old ones by and by, and adds what comes late', async () => {
    world.config.current.timezone = 'Asia/Kathmandu';
    const days = Array.from(
      { length: 12 },
      (_, day) => new Date(Date.parse('2026-09-24T18:14:59.999Z') + day * 86_400_000),
    );
    for (const at of days) await world.book(world.row({ at }), world.row({ at: new Date(at.getTime() + 1) }));
    await world.rollUp.advance();
    const quarters = () =>
      world.asSuperuser<{ quarter: Date; requests: string }>(
        'SELECT quarter, requests FROM ledger_quarters ORDER BY quarter DESC',
      );
    await world.rollUp.keepCutHours();
    expect((await quarters()).length).toBeLessThan(24);
    // At most ten hours at a time, and months of nothing lie between.
    for (let step = 0; step < STEPS; step++) await world.rollUp.keepCutHours();
    expect((await quarters()).slice(0, 2)).toEqual([
      { quarter: new Date('2026-10-05T18:15:00.000Z'), requests: '1' },
      { quarter: new Date('2026-10-05T18:00:00.000Z'), requests: '1' },
    ]);
    expect(await quarters()).toHaveLength(24);

    await world.book(world.row({ at: new Date('2026-10-05T18:59:59.999Z') }), world.row({ at: days[11] as Date }));
    await world.rollUp.advance();
    expect((await quarters()).slice(0, 3).map(({ requests }) => requests)).toEqual(['1', '1', '2']);
    expect((await check('2026-10')).ok).toBe(true);
    await world.asSuperuser("UPDATE ledger_quarters SET requests = 5 WHERE quarter = '2026-10-05T18:15Z'");
    const { items } = await world.usage.rollUp(world.admin, { by: 'day', period: '2026-10' });
    expect(items.find(({ key }) => key === '2026-10-06')).toMatchObject({ requests: 6 });
    expect(await check('2026-10')).toMatchObject({ differences: 1, examples: [{ lasts: 'quarter', requests: 5 }] });
    await world.months.rebuild(world.admin, '2026-10');
    expect((await check('2026-10')).ok).toBe(true);
    expect(await quarters()).toHaveLength(25);
  });

  it('keeps quarters of a month that was out of the ledger as soon as it is back', async () => {
    world.config.current.timezone = 'Asia/Kathmandu';
    const from = new Date('2026-09-01T00:00:00.000Z');
    await world.book(world.row({ at: new Date('2026-09-05T18:14:59.999Z') }));
    await world.rollUp.advance();
    await world.inPlatform((tx) => detachMonth(tx, from, world.clock.now()));
    const quarters = async () => {
      for (let step = 0; step < STEPS; step++) await world.rollUp.keepCutHours();
      return world.asSuperuser('SELECT quarter FROM ledger_quarters');
    };
    expect(await quarters()).toEqual([]);
    await world.months.attach(world.admin, '2026-09');
    expect(await quarters()).toEqual([{ quarter: new Date('2026-09-05T18:00:00.000Z') }]);
  });

  it('is a tenant’s own to read, and nobody’s to change', async () => {
    await world.book(world.row({ at: OCTOBER }), world.row({ at: OCTOBER, tenantId: 'beta' }));
    await world.rollUp.advance();
    const as = "SET ROLE openclawmu_tenant; SET app.tenant = 'beta';";
    for (const sql of [
      'UPDATE ledger_hours SET requests = 7',
      'DELETE FROM ledger_hours',
      'UPDATE ledger_days SET requests = 7',
      'DELETE FROM ledger_days',
      'UPDATE ledger_quarters SET requests = 7',
      'DELETE FROM ledger_quarters',
      'DELETE FROM ledger_cut_hours',
      'UPDATE ledger_roll_up SET reaching = now()',
    ])
      await expect(world.asSuperuser(`${as} ${sql}`)).rejects.toMatchObject({ code: '42501' });
    const { items } = await world.usage.rollUp(world.admin, { by: 'tenant', period: '2026-10' });
    expect(items.map(({ key }) => key).sort()).toEqual(['alpha', 'beta']);
  });
});

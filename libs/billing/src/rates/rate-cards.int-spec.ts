import { BillingWorld } from '../../test/billing-world';
import { RateCardAltered } from './rate-card';
import type { ImportRateCardDto } from './rate-card.dto';

const DAY_MS = 86_400_000;

const BUDGET = `INSERT INTO budgets (id, tenant_id, metric, period, scope, target, limit_amount, created_at, updated_at)
  VALUES ('b', 'alpha', 'cost', 'month', 'tenant', '', 1, now(), now())`;
const WINDOW = `INSERT INTO budget_windows (tenant_id, metric, period, scope, target, starts_at, ends_at)
  VALUES ('alpha', 'cost', 'month', 'tenant', '', now(), now() + interval '1 day')`;

describe('rate cards', () => {
  let world: BillingWorld;
  beforeEach(async () => (world = await BillingWorld.open()));
  afterEach(() => world.close());

  const dto = (fields: Partial<ImportRateCardDto> = {}): ImportRateCardDto => ({
    currency: 'USD',
    prices: [{ model: 'gpt-4o', input: '2.5', output: '10' }],
    ...fields,
  });
  const refusedIn = (currency: string, fields: Partial<ImportRateCardDto>) =>
    expect(world.cards.import(world.admin, dto({ currency, ...fields }))).rejects.toMatchObject({
      code: 'validation_failed',
      details: { fields: [{ field: 'currency', problem: expect.stringContaining('USD as on the cards') as string }] },
    });
  const later = (days: number) => new Date(world.clock.now().getTime() + days * DAY_MS).toISOString();

  it('are versions with the moment they take effect', async () => {
    const first = await world.cards.import(world.admin, dto({ note: 'list prices' }));
    const second = await world.cards.import(world.admin, dto({ effectiveAt: later(30) }));
    expect(first).toMatchObject({ version: 1, state: 'in_force', models: 1, createdBy: 'root', note: 'list prices' });
    expect(first.prices).toEqual([{ model: 'gpt-4o', input: '2.50', output: '10.00' }]);
    expect(second).toMatchObject({ version: 2, state: 'scheduled' });

    world.clock.advance(31 * DAY_MS);
    expect((await world.cards.list(world.admin, { limit: 50 })).items.map((c) => [c.version, c.state])).toEqual([
      [2, 'in_force'],
      [1, 'past'],
    ]);
    expect((await world.cards.inForce(world.admin)).version).toBe(2);
    expect((await world.cards.inForce(world.admin, new Date(first.effectiveAt))).version).toBe(1);
    await expect(world.cards.inForce(world.admin, new Date(0))).rejects.toMatchObject({ code: 'rate_card_not_found' });
  });

  it('are refused where they would change the past or clash', async () => {
    const effectiveAt = later(1);
    await world.cards.import(world.admin, dto({ effectiveAt }));
    await expect(world.cards.import(world.admin, dto({ effectiveAt }))).rejects.toMatchObject({
      code: 'rate_card_conflict',
    });
    await expect(world.cards.import(world.admin, dto({ effectiveAt: later(-0.001) }))).rejects.toMatchObject({
      code: 'rate_card_in_past',
    });
    await refusedIn('EUR', {});
    const twice = dto().prices;
    await expect(world.cards.import(world.admin, dto({ prices: [...twice, ...twice] }))).rejects.toMatchObject({
      code: 'validation_failed',
    });
    expect((await world.cards.list(world.admin, { limit: 50 })).items).toHaveLength(1);
  });

  it('may bill in another currency than the shipped one as long as no amount has any', async () => {
    await world.cards.import(world.admin, dto());
    world.clock.advance(1_000);
    await refusedIn('EUR', { effectiveAt: later(1) });
    const chosen = await world.cards.import(world.admin, dto({ currency: 'EUR' }));
    expect(chosen).toMatchObject({ version: 2, state: 'in_force', currency: 'EUR' });
    await world.reload();
    const { currency } = await world.reports.open(world.admin, { layout: 'detail' });
    expect(currency).toBe('EUR');
    world.clock.advance(1_000);
    await world.cards.import(world.admin, dto({ currency: 'USD' }));
  });

  it.each([
    ['something was billed', () => world.book(world.row())],
    ['a budget is set', () => world.asSuperuser(BUDGET)],
    ['a call holds something', () => world.asSuperuser(WINDOW)],
    ['a card is to come', () => world.cards.import(world.admin, dto({ effectiveAt: later(1) }))],
  ])('keep their currency once %s', async (_, happen) => {
    await world.addTenant('alpha');
    await world.cards.import(world.admin, dto());
    await world.reload();
    await happen();
    world.clock.advance(1_000);
    await refusedIn('EUR', {});
    await world.cards.import(world.admin, dto());
  });

  it('are imported once for one idempotency key, and audited once', async () => {
    const [one, two] = await Promise.all([1, 2].map(() => world.cards.import(world.admin, dto(), 'import-november')));
    expect(two).toEqual(one);
    const records = await world.asSuperuser<{ line: string }>(
      "SELECT line FROM audit_records WHERE action = 'rate_card.imported'",
    );
    expect(records).toHaveLength(1);
    expect(JSON.parse(records[0]?.line ?? '')).toMatchObject({
      target: { kind: 'rate_card', id: '1' },
      after: { version: 1, sha256: one?.hash },
    });
  });

  it('get consecutive versions when imported at the same time', async () => {
    const cards = await Promise.all(
      [1, 2, 3, 4].map((day) => world.cards.import(world.admin, dto({ effectiveAt: later(day) }))),
    );
    expect(cards.map(({ version }) => version).sort()).toEqual([1, 2, 3, 4]);
  });

  it('page by version and refuse a cursor of somebody else', async () => {
    for (const day of [1, 2, 3]) await world.cards.import(world.admin, dto({ effectiveAt: later(day) }));
    const page = await world.cards.list(world.admin, { limit: 2 });
    expect(page.items.map(({ version }) => version)).toEqual([3, 2]);
    const next = await world.cards.list(world.admin, { limit: 2, cursor: page.nextCursor as string });
    expect(next).toMatchObject({ items: [{ version: 1 }], nextCursor: null });
    const forged = Buffer.from('["99999999999999"]').toString('base64url');
    await expect(world.cards.list(world.admin, { limit: 2, cursor: forged })).rejects.toMatchObject({
      code: 'cursor_invalid',
    });
  });

  it.each(['0', '7', 'x', '1e0', '99999999999', "1' OR 1=1"])('show none for version %s', async (version) => {
    await world.cards.import(world.admin, dto());
    await expect(world.cards.show(world.admin, version)).rejects.toMatchObject({ code: 'rate_card_not_found' });
  });

  it.each(['openclawmu_platform', 'openclawmu_tenant'])('cannot be changed or removed by %s', async (role) => {
    await world.cards.import(world.admin, dto());
    for (const sql of ["UPDATE rate_cards SET document = ''", 'DELETE FROM rate_cards', 'TRUNCATE rate_cards'])
      await expect(world.asSuperuser(`SET ROLE ${role}; ${sql}`)).rejects.toMatchObject({ code: '42501' });
  });

  it('are not used once their stored text was changed', async () => {
    await world.cards.import(world.admin, dto());
    await world.asSuperuser(`UPDATE rate_cards SET document = replace(document, '10.00', '1.00')`);
    await expect(world.reload()).rejects.toBeInstanceOf(RateCardAltered);
    await expect(world.cards.show(world.admin, '1')).rejects.toBeInstanceOf(RateCardAltered);
  });
});

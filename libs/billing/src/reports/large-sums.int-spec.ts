import { BillingWorld } from '../../test/billing-world';
import { LAYOUTS } from './layouts';

/** More than a `bigint` of nano-units holds, as a year's bill in rupiah or dong may be. */
const SUM = '12000000000.00';

describe('sums of a currency with large numbers', () => {
  let world: BillingWorld;
  beforeAll(async () => {
    world = await BillingWorld.open();
    await world.addTenant('alpha', 'CC-1');
    await world.cards.import(world.admin, {
      currency: 'IDR',
      exchange: { from: 'USD', rate: '1000000' },
      prices: [{ model: 'gpt-4o', input: '1000000', output: '0' }],
    });
    await world.reload();
    const days = Array.from({ length: 12 }, (_, day) => new Date(Date.UTC(2026, 3, 10 + day, 12)));
    await world.book(...days.map((at) => world.row({ at, counts: { input: 1_000, output: 0 } })));
  });
  afterAll(() => world.close());

  const query = { from: '2026-04-01T00:00:00Z', to: '2026-05-01T00:00:00Z' };

  it.each(['before', 'after'])('are exact %s they are summed up', async (when) => {
    if (when === 'after') await world.rollUp.advance();
    for (const by of ['tenant', 'subject'] as const) {
      const { items, totals } = await world.usage.rollUp(world.admin, { ...query, by });
      expect([by, totals.cost, items[0]?.cost]).toEqual([by, SUM, SUM]);
    }
    for (const layout of Object.keys(LAYOUTS) as (keyof typeof LAYOUTS)[]) {
      const { totals, currency } = await world.reports.manifest(world.admin, { ...query, layout });
      expect([layout, totals.cost, totals.listCost, currency]).toEqual([layout, SUM, SUM, 'IDR']);
    }
    expect(await world.csv(world.admin, { ...query, layout: 'chargeback' })).toContain(`,${SUM},${SUM},IDR,0,0.00\r\n`);
  });
});

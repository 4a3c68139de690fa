import type { Database, Principal, Tx } from '@app/platform';
import { BillingWorld } from '../../test/billing-world';
import type { Read } from './reading';
import type { Report } from './report';
import { Reports } from './reports.service';
import { settledAt } from './settled-at.queries';

const QUERY = { period: '2026-04', layout: 'daily' } as const;

describe('the moment that a report stands for', () => {
  let world: BillingWorld;
  beforeAll(async () => {
    world = await BillingWorld.open();
    await world.addTenant('alpha');
    await world.priceAt({ 'gpt-4o': ['2.5', '10'] });
  });
  afterAll(() => world.close());

  const read: Read = (work) => world.db.database.platform(world.admin, work);
  const text = async (report: Report<unknown>): Promise<string> => {
    let all = '';
    for await (const chunk of report.csv()) all += chunk;
    return all;
  };
  /** Books a row in a transaction that stays open until it is told to end. */
  async function booking(): Promise<{ readonly end: () => void; readonly ended: Promise<void> }> {
    let [begun, end] = [(): void => undefined, (): void => undefined];
    const told = new Promise<void>((resolve) => (end = resolve));
    const isUnderWay = new Promise<void>((resolve) => (begun = resolve));
    const ended = world.inPlatform(async (tx: Tx) => {
      await world.ledger.append(tx, [world.row({ at: new Date('2026-04-10T12:00:00Z') })]);
      begun();
      await told;
    });
    await isUnderWay;
    return { end, ended };
  }

  it('is one at which nobody is booking any more, so that its bytes stay the same', async () => {
    const { end, ended } = await booking();
    let reads = 0;
    const database = {
      platform: <T>(principal: Principal, work: (tx: Tx) => Promise<T>): Promise<T> => {
        // More than a report that does not wait needs.
        if (++reads === 6) end();
        return world.db.database.platform(principal, work);
      },
    } as Database;
    const report = await new Reports(database, world.config, world.clock).open(world.admin, QUERY);
    const csv = await text(report);
    end();
    await ended;
    const { asOf } = report.selection;
    expect(await world.csv(world.admin, { ...QUERY, asOf: asOf.toISOString() })).toBe(csv);
    expect(csv).toContain(',gpt-4o,1,');
  });

  it('is the last that the roll-up has fixed where somebody books for ever', async () => {
    await world.rollUp.advance();
    const { end, ended } = await booking();
    const [fixed] = await world.asSuperuser<{ reaching: Date }>('SELECT reaching FROM ledger_roll_up');
    expect(await settledAt(read, new Date(), 0)).toEqual(fixed?.reaching);
    end();
    await ended;
    const now = new Date();
    expect(await settledAt(read, now, 0)).toBe(now);
  });
});

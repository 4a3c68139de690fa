import { Gateways } from '../test/gateways';
import { TimezonesDiffer } from './gateway-process.service';

describe('gateway processes on one database', () => {
  let gateways: Gateways;

  beforeEach(async () => {
    gateways = await Gateways.open();
  });

  afterEach(() => gateways.close());

  test('follow the same days: one with another time zone does not start, and leaves nothing of itself', async () => {
    await gateways.start({ timezone: 'UTC' });
    const refused = gateways.start({ timezone: 'Pacific/Auckland' });
    await expect(refused).rejects.toThrow(TimezonesDiffer);
    await expect(refused).rejects.toThrow(/timezone is Pacific\/Auckland here, and UTC in a gateway process/);
    const { rows } = await gateways.sql.query('SELECT timezone FROM gateway_processes');
    expect(rows).toEqual([{ timezone: 'UTC' }]);
    await expect(gateways.start({ timezone: 'UTC' })).resolves.toBeDefined();
  });

  test('of which two start at once with different time zones: one does', async () => {
    const starts = ['UTC', 'Asia/Kolkata'].map((timezone) => gateways.start({ timezone }));
    const ends = await Promise.allSettled(starts);
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test.each(['ended', 'died'])('do not mind the time zone of one that has %s', async (how) => {
    const before = await gateways.start({ timezone: 'Pacific/Auckland' });
    if (how === 'ended') await before.quota.drain();
    else await before.quota.close();
    await expect(gateways.start({ timezone: 'UTC' })).resolves.toBeDefined();
  });
});

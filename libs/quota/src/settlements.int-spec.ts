import { tenantPrincipal } from '../../../test/support/principals';
import { Gateways, nanos, until } from '../test/gateways';
import { ACTUAL, draftOf } from '../test/test-ledger';

describe('settlements', () => {
  let gateways: Gateways;

  beforeAll(async () => {
    gateways = await Gateways.open();
  });
  afterAll(() => gateways.close());

  test('a row that the database refuses keeps no others waiting, and is booked once the cause is mended', async () => {
    await gateways.tenant('a', { month: '100' });
    const gateway = await gateways.start();
    const settle = async (units: string) => {
      const hold = await gateway.holds.reserve(
        tenantPrincipal('a'),
        { costNanos: nanos(units), tokens: 0 },
        draftOf('a'),
      );
      await hold.settle({ costNanos: nanos(units), tokens: 0, row: ACTUAL });
    };
    await gateways.sql.query(
      `ALTER TABLE ledger ADD CONSTRAINT no_sevens CHECK (cost_nanos <> ${nanos('7')}) NOT VALID`,
    );
    await Promise.all(['1', '7', '2', '3'].map(settle));
    await until(() => gateway.quota.facts(new Date()).unflushedRows === 0);
    expect(gateway.quota.facts(new Date())).toMatchObject({ refusedRows: 1, uncoveredNanos: 0n });
    expect(await gateways.ledger()).toEqual({ rows: 3, sum: nanos('6'), unconfirmed: 0 });
    await settle('4');
    await until(async () => (await gateways.ledger()).rows === 4);
    expect(gateway.quota.facts(new Date()).refusedRows).toBe(1);

    await gateways.sql.query('ALTER TABLE ledger DROP CONSTRAINT no_sevens');
    await gateway.quota.drain();
    expect(await gateways.ledger()).toEqual({ rows: 5, sum: nanos('17'), unconfirmed: 0 });
    expect(await gateways.month('a')).toMatchObject({ spent: nanos('17'), leased: 0n });
  });
});

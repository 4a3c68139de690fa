import { readdirSync } from 'node:fs';
import { createLog } from '@app/platform';
import { tenantPrincipal } from '../../../test/support/principals';
import { Gateways, nanos, TestClock, until } from '../test/gateways';
import { ACTUAL, draftOf, testLedger } from '../test/test-ledger';

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
    await until(() => gateway.quota.facts().unflushedRows === 0);
    expect(gateway.quota.facts()).toMatchObject({ refusedRows: 1, uncoveredNanos: 0n });
    expect(await gateways.ledger()).toEqual({ rows: 3, sum: nanos('6'), unconfirmed: 0 });
    await settle('4');
    await until(async () => (await gateways.ledger()).rows === 4);
    expect(gateway.quota.facts().refusedRows).toBe(1);

    await gateways.sql.query('ALTER TABLE ledger DROP CONSTRAINT no_sevens');
    await gateway.quota.drain();
    expect(await gateways.ledger()).toEqual({ rows: 5, sum: nanos('17'), unconfirmed: 0 });
    expect(await gateways.month('a')).toMatchObject({ spent: nanos('17'), leased: 0n });
  });

  test('what the database refuses of all of them is told once, and not for each', async () => {
    await gateways.tenant('refused', { month: '100' });
    const said: { msg: string; rows?: number }[] = [];
    const log = createLog('error', { write: (line) => said.push(JSON.parse(line) as { msg: string }) });
    const gateway = await gateways.start({ log });
    await gateways.sql.query('REVOKE INSERT ON ledger FROM openclawmu_platform');
    try {
      const holds = await Promise.all(
        Array.from({ length: 20 }, () =>
          gateway.holds.reserve(tenantPrincipal('refused'), { costNanos: 5n, tokens: 0 }, draftOf('refused')),
        ),
      );
      await Promise.all(holds.map((hold) => hold.settle({ costNanos: 5n, tokens: 0, row: ACTUAL })));
      await gateway.settlements.flush();
      expect(gateway.quota.facts()).toMatchObject({ unflushedRows: 0, refusedRows: 20 });
      expect(said.map(({ msg, rows }) => ({ msg, rows }))).toEqual([
        { msg: 'a settled row cannot be booked; it stays in the journal and is tried again', rows: 20 },
      ]);
    } finally {
      await gateways.sql.query('GRANT INSERT ON ledger TO openclawmu_platform');
    }
    await gateway.quota.drain();
    expect(await gateways.month('refused')).toMatchObject({ spent: 100n, leased: 0n });
  });

  test('segments of the journal go when all rows are booked whose holds stand in them', async () => {
    await gateways.tenant('noted', { month: '100' });
    const gateway = await gateways.start({ segmentBytes: 1 });
    for (let call = 0; call < 3; call++) {
      const hold = await gateway.holds.reserve(
        tenantPrincipal('noted'),
        { costNanos: 5n, tokens: 0 },
        draftOf('noted'),
      );
      await hold.settle({ costNanos: 5n, tokens: 0, row: ACTUAL });
    }
    await gateway.settlements.flush();
    expect(readdirSync(gateway.journal.folder)).toHaveLength(1);
    await gateway.quota.drain();
  });

  test('who asks for the arrival of a row that is booked already does not wait', async () => {
    await gateways.tenant('there', { month: '100' });
    const gateway = await gateways.start();
    const hold = await gateway.holds.reserve(tenantPrincipal('there'), { costNanos: 5n, tokens: 0 }, draftOf('there'));
    await hold.settle({ costNanos: 5n, tokens: 0, row: ACTUAL });
    const order: string[] = [];
    const before = gateway.settlements.arrival(hold.id).then(() => order.push('arrived'));
    await new Promise((later) => setImmediate(later));
    order.push('flushing');
    await gateway.settlements.flush();
    await before;
    await gateway.settlements.arrival(hold.id);
    expect(order).toEqual(['flushing', 'arrived']);
    await gateway.quota.drain();
  });

  test('rows are gathered for longer behind a batch that took the database long', async () => {
    await gateways.tenant('busy', { month: '100' });
    const gateway = await gateways.start();
    const settle = async () => {
      const hold = await gateway.holds.reserve(tenantPrincipal('busy'), { costNanos: 5n, tokens: 0 }, draftOf('busy'));
      await hold.settle({ costNanos: 5n, tokens: 0, row: ACTUAL });
    };
    const timers = jest.spyOn(globalThis, 'setTimeout');
    try {
      await gateways.sql.query('BEGIN; LOCK TABLE ledger IN EXCLUSIVE MODE');
      await settle();
      expect(timers.mock.calls.map(([, ms]) => ms)).toContain(100);
      await new Promise((later) => setTimeout(later, 700));
      await gateways.sql.query('COMMIT');
      await until(() => gateway.quota.facts().unflushedRows === 0);
      timers.mockClear();
      await settle();
      expect(timers.mock.calls.map(([, ms]) => ms)).toContain(500);
    } finally {
      timers.mockRestore();
    }
    await gateway.quota.drain();
  });

  test('how long rows wait is counted from the end of their calls, and until all that waited before are booked', async () => {
    await gateways.tenant('slow', { month: '100' });
    const clock = new TestClock();
    const gateway = await gateways.start({ clock });
    const reserve = () => gateway.holds.reserve(tenantPrincipal('slow'), { costNanos: 5n, tokens: 0 }, draftOf('slow'));
    const [first, second] = [await reserve(), await reserve()];
    clock.time = new Date(clock.time.getTime() + 600_000);
    const now = jest.spyOn(performance, 'now');
    const book = testLedger.book.bind(testLedger);
    const append = jest.spyOn(testLedger, 'book');
    try {
      now.mockReturnValue(1_000);
      const settled = { costNanos: 5n, tokens: 0, row: ACTUAL };
      await first.settle(settled);
      now.mockReturnValue(1_070);
      expect(gateway.quota.facts()).toMatchObject({ unflushedRows: 1, lagMs: 70 });
      let between: unknown;
      append.mockImplementationOnce(async (tx, rows) => {
        now.mockReturnValue(1_200);
        await second.settle(settled);
        append.mockImplementationOnce((...again) => {
          now.mockReturnValue(1_300);
          between = gateway.quota.facts();
          append.mockRestore();
          return testLedger.book(...again);
        });
        return book(tx, rows);
      });
      await gateway.settlements.flush();
      expect(between).toMatchObject({ unflushedRows: 1, lagMs: 100 });
      expect(gateway.quota.facts()).toMatchObject({ unflushedRows: 0, lagMs: 0 });
    } finally {
      now.mockRestore();
      append.mockRestore();
    }
  });
});

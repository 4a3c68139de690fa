import { Books, sum } from './books';
import type { TestDatabase } from './database';
import { costNanosOf, eventually, type Department } from './department';
import type { FakeProvider } from './fake-provider';

const AGREES_MS = 30_000;

/** Waits until every call that the provider tells of is booked at what it used, and nothing is held; by then all books agree. */
export async function expectAllBooked(
  database: Pick<TestDatabase, 'superuserUrl'>,
  departments: readonly Pick<Department, 'id'>[],
  provider: FakeProvider,
): Promise<void> {
  const books = await Books.open(database);
  try {
    const { calls, tokens } = provider.tally();
    const rows = await eventually(
      async () => (await Promise.all(departments.map(({ id }) => books.calls(id)))).flat(),
      ({ length }) => length >= calls,
      AGREES_MS,
    );
    expect(rows.map(({ status }) => status)).toEqual(Array<string>(calls).fill('actual'));
    expect(sum(rows.map(({ costNanos }) => costNanos))).toBe(costNanosOf(tokens));
    const balances = await eventually(
      () => books.balances(),
      (all) => all.every(({ leased }) => leased === 0n),
      AGREES_MS,
    );
    for (const { spent, ledger, leases } of balances) expect([spent, leases]).toEqual([ledger, 0n]);
  } finally {
    await books.close();
  }
}

import type { Books } from '../support/books';
import { createDepartment, eventually, fakeProviders } from '../support/department';
import type { FakeProvider } from '../support/fake-provider';
import { Gateway } from '../support/gateway';
import { GatewayWorld } from '../support/gateway-world';

/** `kill -9` of a gateway while it books what follows from a rate card for a time in the past. */

const CALLS = 6_000;
/** A million tokens each: at 1 a million by the former card, at 3 by the corrected one. */
const DIFFERENCE = 2_000_000_000n;

let world: GatewayWorld;
let fake: FakeProvider;
let gateway: Gateway;
let books: Books;

beforeAll(async () => {
  world = await GatewayWorld.open();
  ({ books, fake, gateway } = world);
});
afterAll(() => world.close(gateway));

interface Progress {
  readonly state: string;
  readonly corrected: number;
  readonly tenants: readonly unknown[];
}

test('the next start goes on where it was, and corrects each call once', async () => {
  const { id: tenant } = await createDepartment(gateway);
  await books.query("SELECT ensure_ledger_partition(now() - interval '2 hours')");
  await books.query(
    `INSERT INTO ledger (id, at, tenant_id, token_id, model, provider, rate_card, formula, status, outcome, input_tokens,
       output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, reasoning_tokens, cost_nanos)
     SELECT gen_random_uuid(), date_trunc('milliseconds', now() - interval '1 hour') + n * interval '1 millisecond', $1, 'tok_1',
       'fake', 'fake-openai', 1, 1, 'actual', 'completed', 1000000, 0, 0, 0, 0, 0, 1000000000 FROM generate_series(1, ${CALLS}) n`,
    [tenant],
  );
  const card = await gateway.must<{ version: number }>('POST', '/api/v1/admin/rate-cards', {
    currency: 'USD',
    effectiveAt: new Date(Date.now() - 2 * 3_600_000).toISOString(),
    correction: true,
    reason: 'The contract says so',
    prices: [{ model: 'fake*', input: '3', output: '15' }],
  });
  const corrected = async (): Promise<number> => {
    const [row] = await books.query("SELECT count(*) AS n FROM ledger WHERE status = 'correction'");
    return Number(row?.['n']);
  };
  expect(await eventually(corrected, (rows) => rows > 0)).toBeLessThan(CALLS);
  await gateway.kill();
  expect(await corrected()).toBeLessThan(CALLS);

  gateway = await Gateway.start({ providers: fakeProviders(fake), place: gateway.place });
  const progress = (): Promise<Progress> =>
    gateway.must<Progress>('GET', `/api/v1/admin/rate-cards/${card.version}/corrections`);
  expect(await eventually(progress, ({ state }) => state === 'done', 60_000)).toMatchObject({
    corrected: CALLS,
    tenants: [{ tenant, rows: CALLS }],
  });
  const [sum] = await books.query(
    "SELECT count(*) AS rows, count(DISTINCT corrects) AS calls, sum(cost_nanos) AS cost FROM ledger WHERE status = 'correction'",
  );
  expect(sum).toEqual({ rows: String(CALLS), calls: String(CALLS), cost: String(BigInt(CALLS) * DIFFERENCE) });
}, 120_000);

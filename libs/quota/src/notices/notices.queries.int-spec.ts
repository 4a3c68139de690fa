import fc from 'fast-check';
import { Gateways } from '../../test/gateways';
import { bigints } from '../bigints';
import { crossesPercent } from './notices.queries';

interface Increase {
  readonly limit: bigint | null;
  readonly before: bigint;
  readonly after: bigint;
}

let gateways: Gateways;

beforeAll(async () => {
  gateways = await Gateways.open();
});
afterAll(() => gateways.close());

/** Of each, whether a threshold may have been crossed. */
async function crossed(increases: readonly Increase[]): Promise<boolean[]> {
  const { rows } = await gateways.sql.query<{ crosses: boolean }>(
    `SELECT ${crossesPercent('nullif(limit_amount, -1)', 'before', 'after')} AS crosses
     FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS i(limit_amount, before, after, place) ORDER BY place`,
    [
      bigints(increases.map(({ limit }) => limit ?? -1n)),
      bigints(increases.map(({ before }) => before)),
      bigints(increases.map(({ after }) => after)),
    ],
  );
  return rows.map(({ crosses }) => crosses);
}

test.each([
  [null, 0n, 5n, false],
  [100n, 0n, 1n, true],
  [100n, 1n, 1n, false],
  [1000n, 1n, 9n, false],
  [1000n, 9n, 10n, true],
  [1000n, 990n, 1000n, true],
  [1000n, 1000n, 2000n, false],
  [0n, 0n, 0n, false],
  [0n, 0n, 1n, true],
])('of a limit of %s, from %s to %s: %s', async (limit, before, after, expected) =>
  expect(await crossed([{ limit, before, after }])).toEqual([expected]),
);

test('no threshold is crossed unseen', async () => {
  const amount = (min: bigint, max = 2n ** 61n) => fc.bigInt({ min, max });
  const increase = fc.record({ limit: amount(1n), before: amount(0n), used: amount(0n), percent: amount(1n, 100n) });
  const samples = fc
    .sample(increase, 20_000)
    .map(({ used, ...rest }) => ({ ...rest, after: rest.before + used }))
    .filter(({ limit, before, after, percent }) => before * 100n < limit * percent && after * 100n >= limit * percent);
  expect(samples.length).toBeGreaterThan(1_000);
  expect(new Set(await crossed(samples))).toEqual(new Set([true]));
});

import { ORGANISATION } from '../scopes/scope';
import { differenceOf } from './checked-window';

test.each<[what: string, spent: bigint, writtenOff: bigint, cost: bigint, due: bigint | null]>([
  ['what the ledger has', 7n, 0n, 7n, null],
  ['nothing', 0n, 0n, 0n, null],
  ['too little', 6n, 0n, 7n, 7n],
  ['too much', 8n, 0n, 7n, 7n],
  ['what the ledger has, and what was written off', 10n, 3n, 7n, null],
  ['only what was written off', 3n, 3n, 7n, 10n],
  ['nothing, where corrections have given back more than was used', 0n, 0n, -2n, null],
  ['no less than was written off then', 3n, 3n, -2n, null],
  ['that as if it could be less than nothing', 1n, 3n, -2n, 3n],
])('a window that counts %s', (_, spent, writtenOff, cost, due) => {
  const window = { id: 1n, owner: ORGANISATION, metric: 'cost', spent, writtenOff } as const;
  const difference = differenceOf(window, { cost, tokens: 99n });
  expect(difference).toEqual(due === null ? null : { ...window, ledger: cost, due });
  expect(differenceOf({ ...window, metric: 'tokens' }, { cost: 99n, tokens: cost })?.due ?? null).toBe(due);
});

import { uuid7 } from '@app/platform';
import type { ModelPrice } from '../pricing/model-price';
import { NO_TOKENS } from '../pricing/token-counts';
import { NO_USAGE } from '../pricing/usage';
import { checkRow, unconfirmedEntry, type LedgerRow } from './ledger-row';

const price: ModelPrice = {
  input: 1_000_000n,
  audioInput: 1_000_000n,
  audioOutput: 2_000_000n,
  output: 2_000_000n,
  cacheRead: 0n,
  cacheWrite5m: 0n,
  cacheWrite1h: 0n,
  reasoning: 2_000_000n,
};
const row: LedgerRow = {
  id: uuid7(),
  at: new Date('2026-11-22T10:00:00.123Z'),
  tenantId: 'finance',
  tokenId: 'tok_1',
  subject: null,
  endUser: null,
  api: 'chat',
  model: 'gpt-4o',
  provider: 'openai',
  providerRequestId: 'req-up',
  rateCard: 1,
  formula: 2,
  status: 'actual',
  outcome: 'completed',
  counts: { ...NO_TOKENS, input: 10, output: 5 },
  webSearches: 0,
  serviceTier: null,
  costNanos: 20n,
  reason: null,
};

describe('checkRow', () => {
  it('passes a row whose cost follows from its counts', () => {
    expect(checkRow(row, price)).toBeUndefined();
  });

  it.each([
    ['a nano too much', { costNanos: 21n }],
    ['a nano too little', { costNanos: 19n }],
    ['a token more', { counts: { ...row.counts, input: 11 } }],
    ['an unknown formula', { formula: 3 as 2 }],
    ['a negative count', { counts: { ...row.counts, cacheRead: -1 } }],
  ])('names what is wrong with %s', (_, change) => {
    expect(checkRow({ ...row, ...change }, price)).toMatchObject({ message: expect.any(String) as string });
  });

  it('does not pass what no card prices', () => {
    expect(checkRow(row, undefined)).toEqual({
      reason: 'model_not_priced',
      message: 'rate card 1 does not price gpt-4o',
    });
  });
});

it('bills an unconfirmed call at its worst, so that it recomputes', () => {
  const entry = unconfirmedEntry({ ...NO_USAGE, counts: { ...NO_TOKENS, output: 100 } });
  expect(entry).toMatchObject({ status: 'unconfirmed', outcome: 'unknown', reason: 'process_died' });
  expect(checkRow({ ...row, ...entry, costNanos: 200n }, price)).toBeUndefined();
});

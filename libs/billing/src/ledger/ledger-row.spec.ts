import { uuid7 } from '@app/platform';
import type { ModelPrice } from '../pricing/model-price';
import { NO_TOKENS } from '../pricing/token-counts';
import { NO_USAGE } from '../pricing/usage';
import {
  checkRow,
  rowFromJson,
  rowToJson,
  unconfirmedRow,
  type LedgerDraft,
  type LedgerRow,
  type LedgerRowJson,
} from './ledger-row';

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

describe('a row in a journal', () => {
  it('comes back as it was', () => {
    expect(rowFromJson(JSON.parse(JSON.stringify(rowToJson(row))))).toEqual(row);
  });

  it.each([
    ['id', 'req_1'],
    ['at', 'yesterday'],
    ['costNanos', '-1'],
    ['costNanos', '9223372036854775808'],
    ['costNanos', '1e3'],
    ['status', 'paid'],
    ['outcome', 'lost'],
    ['tenantId', null],
    ['counts', { ...NO_TOKENS, input: -1 }],
    ['counts', { ...NO_TOKENS, output: 1.5 }],
    ['counts', { ...NO_TOKENS, reasoning: 2 ** 41 }],
    ['counts', { input: 1 }],
    ['webSearches', -1],
    ['webSearches', 0.5],
    ['serviceTier', 'Priority tier'],
    ['endUser', 7],
    ['counts', null],
    ['reason', 'It broke.'],
  ])('is refused when its %s is %j', (field, value) => {
    expect(() => rowFromJson({ ...rowToJson(row), [field]: value })).toThrow(TypeError);
  });
});

describe('what a journal of formula 1 has', () => {
  const { audioInput: _, audioOutput: __, ...oldCounts } = row.counts;
  const { endUser: ___, webSearches: ____, serviceTier: _____, ...oldRow } = row;

  it('is a row all the same', () => {
    const json = { ...rowToJson(row), formula: 1, counts: oldCounts };
    for (const later of ['endUser', 'webSearches', 'serviceTier'] as const)
      delete (json as Partial<LedgerRowJson>)[later];
    expect(rowFromJson(json)).toEqual({ ...row, formula: 1 });
  });

  it('is a draft all the same', () => {
    const { counts: _______, costNanos: ________, ...known } = oldRow;
    const draft = { ...known, formula: 1, worst: { ...oldCounts, input: 7 } } as unknown as LedgerDraft;
    const unconfirmed = unconfirmedRow(draft, { id: row.id, at: row.at, costNanos: 17n });
    expect(unconfirmed).toMatchObject({ endUser: null, webSearches: 0, counts: { input: 7, audioInput: 0 } });
    expect(checkRow(unconfirmed, price)).toBeUndefined();
  });
});

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
  const { tenantId, tokenId, subject, endUser, model, provider, rateCard, formula } = row;
  const draft = {
    tenantId,
    tokenId,
    subject,
    endUser,
    model,
    provider,
    rateCard,
    formula,
    worst: { ...NO_USAGE, counts: { ...NO_TOKENS, output: 100 } },
  };
  const unconfirmed = unconfirmedRow(JSON.parse(JSON.stringify(draft)) as typeof draft, {
    id: row.id,
    at: row.at,
    costNanos: 200n,
  });
  expect(unconfirmed).toMatchObject({
    status: 'unconfirmed',
    outcome: 'unknown',
    ...draft.worst,
    reason: 'process_died',
  });
  expect(checkRow(unconfirmed, price)).toBeUndefined();
  expect(unconfirmed).not.toHaveProperty('worst');
});

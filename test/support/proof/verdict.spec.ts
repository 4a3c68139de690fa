import type { BookedCall, BookedCorrection } from '../books';
import { faultsOf, gapsOf, type Evidence, type MadeCall } from './verdict';

/** The judge of `npm run prove:budget`: it must find every way in which the promise can be broken. */

const made = (number: number, change: Partial<MadeCall['plan']> = {}): MadeCall => ({
  tenant: 'a',
  plan: {
    number,
    dialect: 'openai',
    stream: true,
    model: `fake/c${number}/fake-n3`,
    honest: true,
    maxTokens: 100,
    user: null,
    leavesAfterMs: null,
    ...change,
  },
  received: { status: 200, complete: true, requestId: `id${number}` },
});

const row = (number: number, change: Partial<BookedCall> = {}): BookedCall => ({
  id: `id${number}`,
  at: new Date(number * 1_000),
  tenant: 'a',
  model: `fake/c${number}/fake-n3`,
  status: 'actual',
  outcome: 'completed',
  rateCard: 1,
  providerRequestId: `req${number}`,
  costNanos: 40n,
  ...change,
});

const correction = (number: number, change: Partial<BookedCorrection> = {}): BookedCorrection => ({
  id: `correction${number}`,
  tenant: 'a',
  corrects: `id${number}`,
  costNanos: -10n,
  ...change,
});

const NO_TOKENS = { input: 0, output: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, reasoning: 0 };

const KEPT: Evidence = {
  calls: [
    made(1),
    made(2, { honest: false }),
    { ...made(3), received: { status: 429, complete: false, requestId: 'id3', refusal: 'budget_exceeded' } },
    { ...made(4), received: { status: 429, complete: false, requestId: 'id4', refusal: 'rate_limited' } },
  ],
  provider: [
    { number: 1, outcome: 'completed', charged: NO_TOKENS, chargedNanos: 40n, requestId: 'req1' },
    { number: 2, outcome: 'completed', charged: NO_TOKENS, chargedNanos: 30n, requestId: 'req2' },
  ],
  ledger: [row(1), row(2, { status: 'quarantined', costNanos: 100n })],
  corrections: [],
  altered: [],
  cards: [{ version: 1, effectiveAt: new Date(0), percent: 100n }],
  repaired: new Set(),
  windows: [
    {
      name: 'a cost month',
      window: 1n,
      metric: 'cost',
      limit: 140n,
      spent: 140n,
      ledger: 140n,
      leased: 0n,
      leases: 0n,
      uncovered: 0n,
    },
  ],
  watched: { samples: 9, busySamples: 5, overdrawn: [], unbalanced: [] },
  differing: [],
  rates: { tenant: 'a', perMinute: 2, minutes: [{ key: 'tenant a', minute: '10:00', most: 2, taken: 2 }] },
  quotes: { 100: 100n, 400: 400n, 1_000: 1_000n },
  processEnds: ['drained', 'recovered'],
  journalsLeft: [],
};
const DEEDS = { 'kill -9 of gateways': 1, 'kill -9 of PostgreSQL': 1 };
const [window] = KEPT.windows;

test('a run that kept the promise has no fault and no gap', () => {
  expect(faultsOf(KEPT)).toEqual([]);
  expect(gapsOf(KEPT, DEEDS)).toEqual([]);
});

test('a row that was corrected is billed at what the provider charges', () => {
  const corrections = [correction(2), correction(2, { costNanos: -60n })];
  const windows = [{ ...window!, spent: 70n, ledger: 70n }];
  const corrected = { ...KEPT, corrections, repaired: new Set(['id2']), windows };
  expect(faultsOf(corrected)).toEqual([]);
  expect(gapsOf(corrected, DEEDS)).toEqual([]);
});

/** Half the price for the first call, and for the second from its moment on; the last one was billed so at once. */
const CARDS = [
  ...KEPT.cards,
  { version: 2, effectiveAt: new Date(1_000), percent: 50n },
  { version: 3, effectiveAt: new Date(2_000), percent: 90n },
  { version: 4, effectiveAt: new Date(2_000), percent: 50n },
];

test('by prices that are corrected for the past the bill recomputes', () => {
  const ledger = [row(1), row(2, { costNanos: 15n, rateCard: 4 })];
  const windows = [{ ...window!, spent: 35n, ledger: 35n }];
  const kept = { ...KEPT, cards: CARDS, ledger, corrections: [correction(1, { costNanos: -20n })], windows };
  expect(faultsOf(kept)).toEqual([]);
  expect(faultsOf({ ...kept, corrections: [] })).toEqual([
    'the bill does not recompute: 55, by the cards that hold 35',
    'fake/c1/fake-n3 is billed at 40 in the end, by the card that holds it costs 20',
  ]);
  expect(faultsOf({ ...kept, ledger: [row(1), row(2, { costNanos: 15n })] })).toEqual([
    'fake/c2/fake-n3 is billed at 15, the provider charges 30',
  ]);
});

test.each<[string, Partial<Evidence>, RegExp]>([
  ['a correction of nothing', { corrections: [correction(9)] }, /correction9 stands for no row/],
  ['a correction on another bill', { corrections: [correction(1, { tenant: 'b' })] }, /corrected on the bill of b/],
  [
    'a correction to other than the provider charges',
    { corrections: [correction(2, { costNanos: -69n })], repaired: new Set(['id2']) },
    /does not recompute: 71.*70[\s\S]*billed at 31 in the end/,
  ],
  [
    'doubt that is corrected away',
    { corrections: [correction(2, { costNanos: -71n })] },
    /quarantined at 29 in the end/,
  ],
  ['a row that was changed', { altered: ['id1'] }, /row id1 was changed/],
  ['a bill below nothing', { corrections: [correction(1), correction(1, { costNanos: -31n })] }, /corrected to -1/],
  ['a correction that no budget has', { windows: [{ ...window!, ledger: 130n }] }, /ledger rows say 130/],
  ['an instant over the limit', { watched: { ...KEPT.watched, overdrawn: ['a'] } }, /over the limit/],
  ['leases that do not add up', { watched: { ...KEPT.watched, unbalanced: ['a'] } }, /do not add up/],
  ['one nano over the limit', { windows: [{ ...window!, limit: 139n }] }, /over the limit/],
  ['a window that disagrees with the ledger', { windows: [{ ...window!, ledger: 139n }] }, /ledger rows say 139/],
  ['a budget that differed meanwhile', { differing: ['a'] }, /differs from the ledger: a/],
  ['a leaked hold', { windows: [{ ...window!, leased: 1n }] }, /still has 1 leased/],
  ['a leaked lease', { windows: [{ ...window!, leases: 1n }] }, /still has/],
  ['usage that no lease covered', { windows: [{ ...window!, uncovered: 1n }] }, /enforcement error/],
  [
    'a call too many in a minute',
    { rates: { ...KEPT.rates, minutes: [{ key: 'tenant a', minute: '10:00', most: 3, taken: 3 }] } },
    /over the rate.*limit 2/,
  ],
  ['a call that was let through uncounted', { rates: { ...KEPT.rates, minutes: [] } }, /let through 2 times/],
  ['a duplicate', { ledger: [...KEPT.ledger, row(1)] }, /duplicate/],
  ['a row that stands for no call', { ledger: [...KEPT.ledger, row(9)] }, /stands for no call/],
  ['a row of a call that reached nobody', { provider: KEPT.provider.slice(1) }, /never reached the provider/],
  ['a call that is not billed', { ledger: KEPT.ledger.slice(1) }, /unbilled.*answered in full/],
  ['a charge that is not billed', { ledger: KEPT.ledger.slice(0, 1) }, /unbilled: the provider charges 30/],
  ['a nano too little', { ledger: [row(1, { costNanos: 39n }), row(2)] }, /billed at 39/],
  ['more than the worst case', { ledger: [row(1, { costNanos: 101n }), row(2)] }, /its worst case is 100/],
  [
    'doubt below what is charged',
    { ledger: [row(1), row(2, { status: 'unconfirmed', costNanos: 29n })] },
    /unconfirmed at 29, the provider charges 30/,
  ],
  ['an honest answer that was not believed', { ledger: [row(1, { status: 'estimated' }), row(2)] }, /honest provider/],
  ['the bill of another tenant', { ledger: [row(1, { tenant: 'b' }), row(2)] }, /billed to b/],
  ['the id of another row', { ledger: [row(1, { id: 'x' }), row(2)] }, /is row x/],
  ["another request of the provider's", { ledger: [row(1, { providerRequestId: 'x' }), row(2)] }, /request x/],
  ['a process nobody has accounted for', { processEnds: [null] }, /nobody has accounted/],
  ['a journal nobody has settled', { journalsLeft: ['j'] }, /nobody has settled: j/],
])('finds %s', (_, change, told) => {
  expect(faultsOf({ ...KEPT, ...change }).join('\n')).toMatch(told);
});

test.each<[string, Partial<Evidence>, Partial<typeof DEEDS>]>([
  ['in which nobody was killed', {}, { 'kill -9 of gateways': 0 }],
  ['in which no budget was used up', { calls: KEPT.calls.toSpliced(2, 1) }, {}],
  ['in which nobody was too fast', { calls: KEPT.calls.slice(0, 3) }, {}],
  ['in which nobody lied', { ledger: KEPT.ledger.slice(0, 1) }, {}],
  ['that nobody watched', { watched: { ...KEPT.watched, busySamples: 0 } }, {}],
])('a run %s proves nothing', (_, change, deeds) => {
  expect(gapsOf({ ...KEPT, ...change }, { ...DEEDS, ...deeds })).toHaveLength(1);
});

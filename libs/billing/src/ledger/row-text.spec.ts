import { uuid7 } from '@app/platform';
import fc from 'fast-check';
import { FORMULAS } from '../pricing/pricing';
import { NO_TOKENS, TOKEN_CLASSES, type TokenCounts } from '../pricing/token-counts';
import { LEDGER_OUTCOMES, LEDGER_STATUSES, type LedgerRow } from './ledger-row';
import { entryText, headText, rowFromJson, usageFromJson, usageText } from './row-text';

const count = fc.oneof(fc.constant(0), fc.nat());
const counts = fc.record(
  Object.fromEntries(TOKEN_CLASSES.map((tokenClass) => [tokenClass, count])),
) as fc.Arbitrary<unknown> as fc.Arbitrary<TokenCounts>;
const text = fc.string({ unit: 'binary', maxLength: 20 }).map((any) => Buffer.from(any).toString());
const code = fc.stringMatching(/^[a-z_]{1,40}$/);
const usage = fc.record({
  counts,
  webSearches: count.map((n) => n % 1_000),
  serviceTier: fc.option(fc.constantFrom('priority', 'flex')),
});
const row: fc.Arbitrary<LedgerRow> = fc
  .record({
    id: fc
      .date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
      .map((at) => uuid7(at.getTime())),
    at: fc.date({ noInvalidDate: true }),
    tenantId: text,
    tokenId: text,
    subject: fc.option(text),
    endUser: fc.option(text),
    api: fc.option(fc.constantFrom('chat', 'messages')),
    model: text,
    provider: text,
    providerRequestId: fc.option(text),
    rateCard: fc.nat(),
    formula: fc.constantFrom(...FORMULAS),
    status: fc.constantFrom(...LEDGER_STATUSES),
    outcome: fc.constantFrom(...LEDGER_OUTCOMES),
    reason: fc.option(code),
    costNanos: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
  })
  .chain((known) => usage.map((used) => ({ ...known, ...used })))
  .chain((known) =>
    fc.option(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), { freq: 2 }).map((savedNanos) => ({
      ...known,
      ...(savedNanos !== null && { savedNanos }),
    })),
  );

describe('the text of a row', () => {
  it('reads as the row', () => {
    fc.assert(
      fc.property(row, (written) => {
        const facts = JSON.parse(headText(written)) as LedgerRow;
        expect(rowFromJson(facts, JSON.parse(entryText(written)), written)).toEqual(written);
      }),
    );
  });

  it('reads as one of an unknown API where a former version wrote it', () => {
    const written = fc.sample(row, 1)[0] as LedgerRow;
    const facts = JSON.parse(headText(written), (name, value: unknown) =>
      name === 'api' ? undefined : value,
    ) as LedgerRow;
    expect(rowFromJson(facts, JSON.parse(entryText(written)), written)).toEqual({ ...written, api: null });
  });

  it('says of a usage only what there is', () => {
    fc.assert(fc.property(usage, (used) => expect(usageFromJson(JSON.parse(usageText(used)))).toEqual(used)));
    expect(usageText({ counts: { ...NO_TOKENS, input: 3 }, webSearches: 0, serviceTier: null })).toBe(
      '{"counts":{"input":3}}',
    );
  });

  const [one] = fc.sample(row, 1) as [LedgerRow];
  const entry = JSON.parse(entryText(one)) as object;

  it.each([
    ['id', { id: 'req_1' }],
    ['time', { at: new Date(NaN) }],
    ['cost', { costNanos: -1n }],
    ['cost', { costNanos: 2n ** 63n }],
    ['tenant', { tenantId: null as never }],
  ])('is no row when its %s is not one: %j', (_, wrong) => {
    expect(() => rowFromJson({ ...one, ...wrong }, entry, { ...one, ...wrong })).toThrow(TypeError);
  });

  it.each([
    ['status', 'paid'],
    ['outcome', 'lost'],
    ['counts', { input: -1 }],
    ['counts', { output: 1.5 }],
    ['counts', { reasoning: 2 ** 41 }],
    ['webSearches', -1],
    ['webSearches', 0.5],
    ['serviceTier', 'Priority tier'],
    ['reason', 'It broke.'],
  ])('is no row when its %s is %j', (field, value) => {
    expect(() => rowFromJson(one, { ...entry, [field]: value }, one)).toThrow(TypeError);
  });
});

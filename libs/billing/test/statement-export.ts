import { createHash } from 'node:crypto';
import { uuid7 } from '@app/platform';
import { cost, listCost, priceOf } from '../src/pricing/pricing';
import { NO_TOKENS, TOKEN_CLASSES } from '../src/pricing/token-counts';
import type { Usage } from '../src/pricing/usage';
import { canonicalText, hashOf, rateCard, readContent, type RateCard } from '../src/rates/rate-card';
import { NOTHING, SUMMED } from '../src/reports/report';
import { requestsOf, sumsView } from '../src/reports/usage-record';
import { DIGEST_HEADER, formOf, STATEMENT_SCHEMA, type StatementLine } from '../src/statements/statement-line';
import type { StatementView } from '../src/statements/statement.dto';
import type { StatementVerdict } from '../src/statements/verify-statement';
import { verifyStatements } from '../src/statements/verify-statements';

export const document = canonicalText({
  effectiveAt: new Date('2026-01-01T00:00:00Z'),
  currency: 'USD',
  note: '',
  prices: [
    { model: 'gpt-4o', input: '2.5', output: '10', longContext: { aboveTokens: 5_000, input: '5', output: '20' } },
    { model: "'=cmd*", input: '1', output: '1' },
  ],
});
/** States all that a card can. */
const fullDocument = canonicalText({
  effectiveAt: new Date('2026-02-01T00:00:00Z'),
  currency: 'USD',
  note: '',
  exchange: { from: 'EUR', rate: '1.0841' },
  markups: [
    { tenant: '*', percent: '3' },
    { tenant: 'finance', percent: '12.5' },
  ],
  prices: [
    {
      model: 'gpt-4o',
      input: '2.5',
      output: '10',
      audioInput: '40',
      audioOutput: '80',
      fees: { request: '0.001', webSearch: '0.01' },
      tiers: { priority: { input: '4.25', output: '17', audioInput: '68' } },
    },
  ],
});
export const cards = new Map(
  [document, fullDocument].map((text, index) => {
    const hash = hashOf(text);
    return [index + 1, rateCard(index + 1, hash, readContent(index + 1, text, hash))];
  }),
);

/** A line as the ledger has it, correct in all. */
export function line(index: number, fields: Partial<StatementLine> = {}): StatementLine {
  const at = new Date(Date.parse('2026-03-01T00:00:00Z') + index * 60_000);
  const model = fields.model ?? 'gpt-4o';
  const counts = { ...NO_TOKENS, input: 1_000 * (index + 1), output: 7, cacheRead: index };
  if (fields.rateCard === 2) Object.assign(counts, { audioInput: 21, audioOutput: 34 });
  const usage: Usage = {
    counts,
    webSearches: Number(fields.webSearches ?? 0),
    serviceTier: fields.serviceTier ?? null,
  };
  const price = priceOf(cards.get(fields.rateCard ?? 1) as RateCard, model, 'finance');
  const bigCounts = Object.fromEntries(TOKEN_CLASSES.map((name) => [name, BigInt(counts[name])])) as typeof fields;
  return {
    entry: 'usage',
    month: '2026-03',
    id: uuid7(at.getTime()),
    at,
    tenant: 'finance',
    costCenter: 'CC-1',
    tokenId: 'tok_1',
    tokenLabel: 'Laptop, "old"\nline two',
    subject: null,
    endUser: null,
    webSearches: 0n,
    serviceTier: null,
    model,
    provider: 'openai',
    providerRequestId: `up-${index}`,
    rateCard: 1,
    formula: 2,
    listCostNanos: price ? listCost(price, usage) : 12_345n,
    costNanos: price ? cost(price, usage) : 12_345n,
    currency: 'USD',
    status: 'actual',
    outcome: 'completed',
    corrects: null,
    reason: null,
    ...bigCounts,
    ...fields,
  } as StatementLine;
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export interface Files {
  readonly bill: string;
  readonly digests: string;
  readonly manifest: StatementView;
  readonly rateCards: { version: number; sha256: string; document: string }[];
  readonly fileName?: string;
  readonly folderName?: string;
}

export const FORM = formOf(STATEMENT_SCHEMA);

/** What a gateway exports for these lines. */
export function exported(lines: readonly StatementLine[], manifestOf: Partial<StatementView> = {}): Files {
  const written = lines.map((each) => FORM.write(each));
  const bill = FORM.header + written.map((each) => each.bill).join('');
  const digests = DIGEST_HEADER + written.map((each) => each.digest).join('');
  const sums = { ...NOTHING };
  for (const each of lines)
    for (const name of SUMMED) sums[name] += name === 'requests' ? requestsOf(each) : each[name];
  const rateCards = [...cards.values()].map(({ version, hash }) => ({ version, sha256: hash }));
  const manifest = {
    schema: STATEMENT_SCHEMA,
    id: '2026-03-finance',
    period: '2026-03',
    tenant: 'finance',
    timeZone: 'Europe/Berlin',
    currency: 'USD',
    lateAfter: null,
    from: '2026-02-28T23:00:00.000Z',
    to: '2026-03-31T22:00:00.000Z',
    rows: lines.length,
    lateRows: lines.filter(({ at }) => at < new Date(manifestOf.from ?? '2026-02-28T23:00:00Z')).length,
    sha256: sha256(bill),
    digestsSha256: sha256(digests),
    bytes: Buffer.byteLength(bill),
    rateCards,
    totals: sumsView(sums),
    ...manifestOf,
  } as StatementView;
  return { bill, digests, manifest, rateCards: withTexts(rateCards) };
}

const withTexts = (named: readonly { version: number; sha256: string }[]) =>
  named.map((each) => ({ ...each, document: each.version === 1 ? document : fullDocument }));

/** Chunks that end anywhere, in the middle of lines too. */
export async function* chunks(text: string, size = 37): AsyncGenerator<string> {
  for (let start = 0; start < text.length; start += size) yield await Promise.resolve(text.slice(start, start + size));
}

/** Verifies statements together, from their files alone. */
export const verifyAll = (...all: readonly Files[]): Promise<StatementVerdict[]> =>
  verifyStatements(
    all.map(({ bill, digests, ...rest }) => ({ ...rest, bill: () => chunks(bill), digests: () => chunks(digests) })),
  );

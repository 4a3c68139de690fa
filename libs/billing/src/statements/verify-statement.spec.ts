import { createHash } from 'node:crypto';
import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import { formatNanos, uuid7 } from '@app/platform';
import { cost, priceOf } from '../pricing/pricing';
import { NO_TOKENS, TOKEN_CLASSES } from '../pricing/token-counts';
import { NO_USAGE } from '../pricing/usage';
import { canonicalText, hashOf, rateCard, readContent } from '../rates/rate-card';
import { cellsOf, csvRecords } from './csv-records';
import { DIGEST_HEADER, STATEMENT_COLUMNS, STATEMENT_HEADER, writeLine, type StatementLine } from './statement-line';
import type { StatementView } from './statement.dto';
import { verifyStatement, type StatementVerdict } from './verify-statement';

const document = canonicalText({
  effectiveAt: new Date('2026-01-01T00:00:00Z'),
  currency: 'USD',
  note: '',
  prices: [
    { model: 'gpt-4o', input: '2.5', output: '10', longContext: { aboveTokens: 5_000, input: '5', output: '20' } },
    { model: "'=cmd*", input: '1', output: '1' },
  ],
});
const card = rateCard(1, hashOf(document), readContent(1, document, hashOf(document)));

/** A line as the ledger has it, correct in all. */
function line(index: number, fields: Partial<StatementLine> = {}): StatementLine {
  const at = new Date(Date.parse('2026-03-01T00:00:00Z') + index * 60_000);
  const model = fields.model ?? 'gpt-4o';
  const counts = { ...NO_TOKENS, input: 1_000 * (index + 1), output: 7, cacheRead: index };
  const price = priceOf(card, model, 'finance');
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
    listCostNanos: 0n,
    model,
    provider: 'openai',
    providerRequestId: `up-${index}`,
    rateCard: 1,
    formula: 1,
    costNanos: price ? cost(price, { ...NO_USAGE, counts }) : 0n,
    currency: 'USD',
    status: 'actual',
    outcome: 'completed',
    corrects: null,
    ...bigCounts,
    ...fields,
  } as StatementLine;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

interface Files {
  readonly bill: string;
  readonly digests: string;
  readonly manifest: StatementView;
  readonly rateCards: { version: number; sha256: string; document: string }[];
}

/** What a gateway exports for these lines. */
function exported(lines: readonly StatementLine[]): Files {
  const written = lines.map(writeLine);
  const bill = STATEMENT_HEADER + written.map((each) => each.bill).join('');
  const digests = DIGEST_HEADER + written.map((each) => each.digest).join('');
  const costNanos = lines.reduce((sum, each) => sum + each.costNanos, 0n);
  const manifest = {
    schema: 'statement/1',
    id: '2026-03-finance',
    tenant: 'finance',
    from: '2026-02-28T23:00:00.000Z',
    to: '2026-03-31T22:00:00.000Z',
    rows: lines.length,
    lateRows: lines.filter(({ at }) => at < new Date('2026-02-28T23:00:00Z')).length,
    sha256: sha256(bill),
    digestsSha256: sha256(digests),
    rateCards: [{ version: 1, sha256: hashOf(document) }],
    totals: { cost: formatNanos(costNanos) },
  } as StatementView;
  return { bill, digests, manifest, rateCards: [{ version: 1, sha256: hashOf(document), document }] };
}

/** Chunks that end anywhere, in the middle of lines too. */
async function* chunks(text: string, size = 37): AsyncGenerator<string> {
  for (let start = 0; start < text.length; start += size) yield await Promise.resolve(text.slice(start, start + size));
}

const verify = ({ bill, digests, ...rest }: Files): Promise<StatementVerdict> =>
  verifyStatement({ ...rest, bill: chunks(bill), digests: chunks(digests) });

async function recordsOf(bill: string): Promise<string[]> {
  const records: string[] = [];
  for await (const { text } of csvRecords(chunks(bill))) records.push(text);
  return records;
}

const LINES = [
  line(0),
  line(1, { subject: '+49 30', status: 'estimated', outcome: 'aborted' }),
  line(2, { model: "'=cmd1" }),
  line(3, { status: 'quarantined', model: 'nobody-knows', costNanos: 12_345n }),
  line(9),
  line(-5_000, { input: 4n, cacheRead: 0n, costNanos: 80_000n, entry: 'late', month: '2026-02' }),
];
const files = exported(LINES);
const named = ({ faults }: StatementVerdict) => faults.map(({ kind, line: at }) => `${kind} ${at ?? '-'}`);

/** The bill with its lines arranged anew, nothing else adapted. */
async function rearranged(change: (lines: string[]) => string[]): Promise<StatementVerdict> {
  const [header = '', ...lines] = await recordsOf(files.bill);
  return verify({ ...files, bill: [header, ...change(lines)].map((each) => `${each}\r\n`).join('') });
}

it('passes a statement as it was exported, and recomputes every line that can be', async () => {
  expect(await verify(files)).toEqual({
    ok: true,
    id: '2026-03-finance',
    rows: 6,
    recomputed: 5,
    cost: files.manifest.totals.cost,
    sha256: files.manifest.sha256,
    faults: [],
    moreFaults: 0,
  });
  expect(await verify(exported([]))).toMatchObject({ ok: true, rows: 0 });
});

it('finds any alteration of any single field, and names the line', async () => {
  const records = await recordsOf(files.bill);
  const anywhere = fc.record({
    row: fc.integer({ min: 1, max: LINES.length }),
    column: fc.integer({ min: 0, max: STATEMENT_COLUMNS.length - 1 }),
    value: fc.oneof(
      fc.string(),
      fc.constantFrom('', '0', '1', '-1', '0.00', 'actual', 'late', 'quarantined', "'=1", 'NaN', '"'),
      fc.integer().map(String),
    ),
  });
  await fc.assert(
    fc.asyncProperty(anywhere, async ({ row, column, value }) => {
      const cells = cellsOf(records[row] ?? '');
      fc.pre(cells[column] !== value);
      const before = cells[2];
      cells[column] = value;
      const altered = records.with(
        row,
        stringify([cells], { quote_record_delimiter: true, record_delimiter: '\r\n' }).slice(0, -2),
      );
      const verdict = await verify({ ...files, bill: altered.map((each) => `${each}\r\n`).join('') });
      expect(verdict.ok).toBe(false);
      // Under another request id it is another line: the one is missing, the other was never in the statement.
      if (STATEMENT_COLUMNS[column]?.name === 'request_id') {
        expect(named(verdict)).toContain(`added ${row + 1}`);
        expect(verdict.faults).toContainEqual(expect.objectContaining({ kind: 'missing', requestId: before }));
      } else expect(named(verdict)).toContain(`altered ${row + 1}`);
      const others = verdict.faults.filter(({ line: at }) => at !== null && at !== row + 1);
      expect(others).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

it('names lines that are missing, added or doubled, and no others', async () => {
  const missing = await rearranged((lines) => lines.toSpliced(1, 1));
  expect(missing.faults).toContainEqual(
    expect.objectContaining({ kind: 'missing', requestId: `req_${LINES[1]?.id ?? ''}` }),
  );
  expect(named(missing).filter((fault) => !/^(missing|totals|file) -$/.test(fault))).toEqual([]);
  const added = await rearranged((lines) => lines.toSpliced(3, 0, writeLine(line(4)).bill.trimEnd()));
  expect(named(added).filter((fault) => !/^(totals|file) -$/.test(fault))).toEqual(['added 5']);
  const doubled = await rearranged((lines) => [...lines, lines[0] ?? '']);
  expect(named(doubled).filter((fault) => !/^(totals|file) -$/.test(fault))).toEqual(['added 8']);
});

it('sees another order, other line ends and other columns', async () => {
  expect(named(await rearranged((lines) => lines.toReversed()))).toEqual(['file -']);
  expect(named(await verify({ ...files, bill: files.bill.replaceAll('\r\n', '\n') }))).toEqual(['file -']);
  expect((await verify({ ...files, bill: files.bill.replace('entry,month', 'month,entry') })).ok).toBe(false);
});

it.each<[string, Partial<StatementLine>, RegExp]>([
  ['a nano more', { costNanos: (LINES[4]?.costNanos ?? 0n) + 1n }, /should cost/],
  ['a token less', { output: 6n }, /should cost/],
  ['another rate card', { rateCard: 2 }, /not priced/],
  ['another model', { model: 'gpt-5' }, /not priced/],
  ['an unknown formula', { formula: 3 }, /not known/],
  ['another tenant', { tenant: 'legal' }, /tenant "legal"/],
  ['a time after the end', { at: new Date('2026-04-02T00:00:00Z') }, /after the statement's end/],
  ['another entry', { entry: 'late' }, /is "usage"/],
])('finds %s though all hashes were forged to fit', async (_, change, message) => {
  const forged = exported(LINES.with(4, { ...(LINES[4] as StatementLine), ...change }));
  expect((await verify(forged)).faults).toEqual([
    expect.objectContaining({ line: 6, message: expect.stringMatching(message) as string }),
  ]);
});

it('does not price by a card that is not the one of the closing', async () => {
  const cheaper = document.replace('"2.50"', '"0.50"');
  const verdict = await verify({ ...files, rateCards: [{ version: 1, sha256: hashOf(cheaper), document: cheaper }] });
  expect(named(verdict)[0]).toMatch(/miscalculated 2/);
  expect(named(verdict)).toContain('rate_card -');
  expect(named(await verify({ ...files, rateCards: [] }))).toContain('rate_card -');
});

it('finds digests and totals that are not those of the manifest', async () => {
  const digests = files.digests.replace(/[0-9a-f]{64}/, '0'.repeat(64));
  expect(named(await verify({ ...files, digests }))).toEqual(['altered 2', 'file -']);
  const manifest = { ...files.manifest, rows: 5, lateRows: 0, totals: { ...files.manifest.totals, cost: '1.00' } };
  expect(named(await verify({ ...files, manifest }))).toEqual(['totals -', 'totals -', 'totals -']);
});

it('tells a thousand faults and counts the rest', async () => {
  const many = Array.from({ length: 1_200 }, (_, index) => line(index % 4));
  const whole = exported(many);
  const verdict = await verify({ ...whole, bill: STATEMENT_HEADER });
  expect(verdict.faults).toHaveLength(1_000);
  expect(verdict.faults.length + verdict.moreFaults).toBeGreaterThan(1_200);
});

import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import { chunks, document, exported, FORM as form, line, sha256, verifyAll, type Files } from './statement-export';
import { hashOf } from '../src/rates/rate-card';
import { cellsOf, csvRecords } from '../src/statements/csv-records';
import { DIGEST_HEADER, formOf, type StatementLine } from '../src/statements/statement-line';
import type { StatementView } from '../src/statements/statement.dto';
import type { StatementVerdict } from '../src/statements/verify-statement';

const verify = async (files: Files): Promise<StatementVerdict> => (await verifyAll(files))[0] as StatementVerdict;

async function recordsOf(bill: string): Promise<string[]> {
  const records: string[] = [];
  for await (const { text } of csvRecords(chunks(bill))) records.push(text);
  return records;
}

const LINES = [
  line(0),
  line(1, { subject: '+49 30', status: 'estimated', outcome: 'aborted' }),
  line(2, { model: "'=cmd1" }),
  line(3, { status: 'quarantined', model: 'nobody-knows' }),
  line(9),
  line(10, { rateCard: 2, webSearches: 3n, serviceTier: 'priority', endUser: '@ann' }),
  line(11, { rateCard: 2, serviceTier: 'flex', status: 'unconfirmed', outcome: 'unknown' }),
  line(12, { formula: 1 }),
  line(-5_000, {
    ...{ input: 4n, cacheRead: 0n, costNanos: 80_000n, listCostNanos: 80_000n },
    ...{ entry: 'late', month: '2026-02' },
  }),
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
    rows: 9,
    recomputed: 8,
    cost: files.manifest.totals.cost,
    currency: 'USD',
    sha256: files.manifest.sha256,
    faults: [],
    moreFaults: 0,
    absent: [],
    unfounded: 0,
  });
  expect(await verify(exported([]))).toMatchObject({ ok: true, rows: 0 });
});

it('finds any alteration of any single field, and names the line', async () => {
  const records = await recordsOf(files.bill);
  const anywhere = fc.record({
    row: fc.integer({ min: 1, max: LINES.length }),
    column: fc.integer({ min: 0, max: form.names.length - 1 }),
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
      if (form.names[column] === 'request_id') {
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
  const added = await rearranged((lines) => lines.toSpliced(3, 0, form.write(line(4)).bill.trimEnd()));
  expect(named(added).filter((fault) => !/^(totals|file) -$/.test(fault))).toEqual(['added 5']);
  const doubled = await rearranged((lines) => [...lines, lines[0] ?? '']);
  expect(named(doubled).filter((fault) => !/^(totals|file) -$/.test(fault))).toEqual(['added 11']);
});

it('sees another order, other line ends and other columns', async () => {
  expect(named(await rearranged((lines) => lines.toReversed()))).toEqual(['file -']);
  expect(named(await verify({ ...files, bill: files.bill.replaceAll('\r\n', '\n') }))).toEqual(['totals -', 'file -']);
  expect((await verify({ ...files, bill: files.bill.replace('entry,month', 'month,entry') })).ok).toBe(false);
});

it.each<[string, Partial<StatementLine>, RegExp]>([
  ['a nano more', { costNanos: (LINES[5]?.costNanos ?? 0n) + 1n }, /should cost/],
  ['a token less', { output: 6n }, /should cost/],
  ['another rate card', { rateCard: 1 }, /should cost/],
  ['a rate card that is not there', { rateCard: 3 }, /not priced/],
  ['another model', { model: 'gpt-5' }, /not priced/],
  ['an unknown formula', { formula: 3 }, /not known/],
  ['another tenant', { tenant: 'legal' }, /tenant "legal"/],
  ['a time after the end', { at: new Date('2026-04-02T00:00:00Z') }, /after the statement's end/],
  ['another entry', { entry: 'late' }, /is "usage"/],
  ['no markup', { costNanos: LINES[5]?.listCostNanos ?? 0n }, /should cost/],
  ['another markup', { listCostNanos: LINES[5]?.costNanos ?? 0n }, /before the markup and should cost/],
  ['a search less', { webSearches: 2n }, /should cost/],
  ['another tier', { serviceTier: 'flex' }, /should cost/],
  ['the formula of before', { formula: 1 }, /should cost/],
  ['spoken words taken for written ones', { audioInput: 0n, input: 11_021n }, /should cost/],
])('finds %s though all hashes were forged to fit', async (_, change, message) => {
  const forged = exported(LINES.with(5, { ...(LINES[5] as StatementLine), ...change }));
  const { faults } = await verify(forged);
  expect(faults.map(({ line: at }) => at).filter((at) => at !== 7)).toEqual([]);
  expect(faults.map(({ message: told }) => told)).toContainEqual(expect.stringMatching(message));
});

it('does not price by a card that is not the one of the closing', async () => {
  const cheaper = document.replace('"2.50"', '"0.50"');
  const [, full] = files.rateCards;
  const forged = { version: 1, sha256: hashOf(cheaper), document: cheaper };
  const verdict = await verify({ ...files, rateCards: [forged, ...(full ? [full] : [])] });
  expect(named(verdict)[0]).toMatch(/miscalculated 2/);
  expect(named(verdict)).toContain('rate_card -');
  expect(named(await verify({ ...files, rateCards: [] }))).toContain('rate_card -');
});

it('finds digests and totals that are not those of the manifest', async () => {
  const digests = files.digests.replace(/[0-9a-f]{64}/, '0'.repeat(64));
  expect(named(await verify({ ...files, digests }))).toEqual(['altered 2', 'file -']);
});

it('finds any single altered number of the manifest', async () => {
  const { rows, lateRows, bytes, totals } = files.manifest;
  const numbers: [string, Partial<StatementView>][] = [
    ['rows', { rows: rows + 1 }],
    ['late rows', { lateRows: lateRows + 1 }],
    ['bytes', { bytes: bytes - 1 }],
    ...Object.entries(totals).flatMap(([name, value]): [string, Partial<StatementView>][] =>
      typeof value === 'object'
        ? Object.keys(value).map((tokenClass) => [
            tokenClass,
            { totals: { ...totals, tokens: { ...totals.tokens, [tokenClass]: 1 } } },
          ])
        : [[name, { totals: { ...totals, [name]: '7' } }]],
    ),
  ];
  expect(numbers).toHaveLength(3 + 4 + 8);
  for (const [name, altered] of numbers) {
    const verdict = await verify({ ...files, manifest: { ...files.manifest, ...altered } });
    expect([name, named(verdict)]).toEqual([name, ['totals -']]);
  }
});

it.each<[string, Partial<StatementView>, RegExp]>([
  ['its currency', { currency: 'EUR' }, /costs in: USD, and was closed with EUR/],
  ['its name', { id: '2026-04-finance' }, /called 2026-04-finance, and is of the tenant finance in 2026-03/],
  ['its tenant and name', { id: '2026-03', tenant: 'finance' }, /called 2026-03, and is of the tenant finance/],
  ['its month', { id: '2026-04-finance', period: '2026-04' }, /is of 2026-04, and reaches from 2026-02-28T23/],
  ['its end', { to: '2026-04-30T22:00:00.000Z' }, /is of 2026-03, and reaches from .* to 2026-04-30T22/],
])('finds a manifest of which %s was altered', async (_, altered, message) => {
  const { ok, faults } = await verify({ ...files, manifest: { ...files.manifest, ...altered } });
  expect([ok, faults.map((fault) => fault.message)]).toEqual([false, [expect.stringMatching(message)]]);
});

it.each([
  ['statement-2026-03-finance', true],
  ['statement-2026-03-finance (1)', true],
  ['_statement-2026-03', true],
  ['march', true],
  ['statement-2026-04-finance', false],
  ['statement-2026-03', false],
  ['_statement-2026-04', false],
])('a good statement in files called %s: %j', async (fileName, ok) => {
  const [verdict] = await verifyAll({ ...files, fileName });
  const message = `The file is called ${fileName}, and has the manifest of 2026-03-finance`;
  expect(verdict).toMatchObject({ ok, faults: ok ? [] : [{ kind: 'file', message }] });
});

it.each([
  ['tenant_id=finance', true],
  ['bills', true],
  ['tenant_id=legal', false],
  ['tenant_id=finance2', false],
  ['period=2026-03', false],
])('a good statement of a tenant in the folder %s: %j', async (folderName, ok) => {
  const [verdict] = await verifyAll({ ...files, folderName });
  const message = `The folder is called ${folderName}, and has the manifest of 2026-03-finance`;
  expect(verdict).toMatchObject({ ok, faults: ok ? [] : [{ kind: 'file', message }] });
});

it.each([
  ['period=2026-03', true],
  ['period=2026-04', false],
  ['tenant_id=finance', false],
])('a good statement of the whole gateway in the folder %s: %j', async (folderName, ok) => {
  const [verdict] = await verifyAll({ ...exported(LINES, { id: '2026-03', tenant: null }), folderName });
  expect(verdict).toMatchObject({ ok, faults: ok ? [] : [{ kind: 'file' }] });
});

it('finds a manifest that does not go on where the one before has ended', async () => {
  const asOf = '2026-04-01T08:00:00.000Z';
  const april = { id: '2026-04-finance', period: '2026-04', to: '2026-04-30T22:00:00.000Z' };
  const next = { ...april, from: files.manifest.to, lateAfter: asOf };
  const march = { ...files, manifest: { ...files.manifest, asOf } };
  const verdicts = async (manifest: Partial<StatementView>) => {
    const both = await verifyAll(march, exported([], manifest));
    return both.map(({ faults }) => faults.map(({ message }) => message));
  };
  expect(await verdicts(next)).toEqual([[], []]);
  for (const altered of [{ lateAfter: null }, { from: '2026-03-31T23:00:00.000Z' }])
    expect(await verdicts({ ...next, ...altered })).toEqual([
      [],
      [expect.stringMatching(/goes on from .* and that of 2026-03-finance ends at 2026-03-31T22/)],
    ]);
});

describe('a statement that was closed in the form before', () => {
  // As version 0.1.0 wrote it: these bytes must come out of today's ledger, too.
  const header =
    'entry,month,request_id,time,tenant,cost_center,token_id,token_label,subject,model,provider,provider_request_id,' +
    'input_tokens,cache_read_tokens,cache_write_5m_tokens,cache_write_1h_tokens,output_tokens,reasoning_tokens,' +
    'rate_card,formula,cost,currency,status,outcome,corrects_request_id\r\n';
  const text =
    'usage,2026-03,req_019ca6f1ba007fffaaaaaaaaaaaaaaaa,2026-03-01T00:00:00.000Z,finance,CC-1,tok_1,Laptop,,gpt-4o,' +
    'openai,up-0,1000,0,0,0,7,0,1,1,0.00257,USD,actual,completed,\r\n';
  const before = formOf('statement/1');
  const old: StatementLine = {
    ...line(0, { formula: 1, tokenLabel: 'Laptop' }),
    id: '019ca6f1ba007fffaaaaaaaaaaaaaaaa',
  };

  it('has the same bytes', () => {
    expect(before.header).toBe(header);
    expect(before.write(old).bill).toBe(text);
  });

  it('is verified as it was closed', async () => {
    const digests = DIGEST_HEADER + before.write(old).digest;
    const bill = header + text;
    const tokens = { input: 1_000, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 7, reasoning: 0 };
    const manifest = {
      ...files.manifest,
      ...{ schema: 'statement/1', rows: 1, lateRows: 0, bytes: bill.length },
      ...{ sha256: sha256(bill), digestsSha256: sha256(digests) },
      totals: { requests: 1, tokens, cost: '0.00257' },
    } as StatementView;
    expect(await verify({ ...files, bill, digests, manifest })).toMatchObject({ ok: true, recomputed: 1 });
    const dearer = bill.replace('0.00257', '0.00258');
    expect(named(await verify({ ...files, bill: dearer, digests, manifest }))).toContain('miscalculated 2');
  });
});

it('does not take a form of a later version for one it knows', async () => {
  await expect(verify({ ...files, manifest: { ...files.manifest, schema: 'statement/3' } })).rejects.toThrow(
    `${files.manifest.id}: This version knows statements of statement/1 and statement/2, not of statement/3`,
  );
});

it('tells a thousand faults and counts the rest', async () => {
  const many = Array.from({ length: 1_200 }, (_, index) => line(index % 4));
  const whole = exported(many);
  const verdict = await verify({ ...whole, bill: form.header });
  expect(verdict.faults).toHaveLength(1_000);
  expect(verdict.faults.length + verdict.moreFaults).toBeGreaterThan(1_200);
});

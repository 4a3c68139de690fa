import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifyStatementFiles } from './verify-statement-files';

const folder = mkdtempSync(join(tmpdir(), 'verify-statement-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

const sha256 = (data: string): string => createHash('sha256').update(data).digest('hex');
const name = join(folder, 'statement-2026-03-finance');
const manifest = `${name}.manifest.json`;

const COLUMNS =
  'entry,month,request_id,time,tenant,cost_center,token_id,token_label,subject,end_user,model,provider,provider_request_id,' +
  'input_tokens,audio_input_tokens,cache_read_tokens,cache_write_5m_tokens,cache_write_1h_tokens,output_tokens,' +
  'audio_output_tokens,reasoning_tokens,web_searches,service_tier,rate_card,formula,list_cost,cost,currency,status,outcome,' +
  'corrects_request_id,reason';
/** Some bytes of what people write are no ASCII, and one label has the character that stands for bytes nobody could read. */
const LABELS = ['Büro', 'caf\ufffd', '"two\r\nlines: ü"'];
const lines = LABELS.map(
  (label, index) =>
    `usage,2026-03,req_${index},2026-03-0${index + 1}T00:00:00.000Z,finance,,tok_1,${label},,,m,p,,` +
    '10,0,0,0,0,0,0,0,0,,1,2,0.00001,0.00001,USD,actual,completed,,',
);
const bill = [COLUMNS, ...lines].map((line) => `${line}\r\n`).join('');
const digests = ['request_id,sha256', ...lines.map((line, index) => `req_${index},${sha256(line)}`)]
  .map((line) => `${line}\r\n`)
  .join('');
const document = JSON.stringify({
  ...{ effectiveAt: '2026-01-01T00:00:00.000Z', currency: 'USD', note: '' },
  prices: [{ model: 'm', input: '1.00', output: '1.00' }],
});
const card = { version: 1, sha256: sha256(document) };
const NONE = { audioInput: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, output: 0, audioOutput: 0, reasoning: 0 };

beforeEach(() => {
  writeFileSync(`${name}.csv`, bill);
  writeFileSync(`${name}.digests.csv`, digests);
  writeFileSync(`${name}.rate-cards.json`, JSON.stringify([{ ...card, document }]));
  writeFileSync(
    manifest,
    JSON.stringify({
      ...{ schema: 'statement/2', id: '2026-03-finance', period: '2026-03', tenant: 'finance', timeZone: 'UTC' },
      ...{
        from: '2026-03-01T00:00:00.000Z',
        to: '2026-04-01T00:00:00.000Z',
        asOf: '2026-04-01T00:10:00.000Z',
        closedAt: '2026-04-01T00:10:02.000Z',
      },
      ...{ lateAfter: null, currency: 'USD', rows: 3, lateRows: 0, bytes: Buffer.byteLength(bill), rateCards: [card] },
      ...{ sha256: sha256(bill), digestsSha256: sha256(digests) },
      totals: { requests: 3, tokens: { input: 30, ...NONE }, webSearches: 0, listCost: '0.00003', cost: '0.00003' },
    }),
  );
});

const faults = async (): Promise<string[]> =>
  (await verifyStatementFiles([manifest])).flatMap((verdict) =>
    verdict.faults.map(({ kind, requestId }) => (requestId === null ? kind : `${kind} ${requestId}`)),
  );

/** Puts bytes that are no UTF-8 in the place of a text. */
function spoil(file: string, text: string, bytes: readonly number[] = [0xff]): void {
  const before = readFileSync(file);
  const at = before.indexOf(text);
  const after = before.subarray(at + Buffer.byteLength(text));
  writeFileSync(file, Buffer.concat([before.subarray(0, at), Buffer.from(bytes), after]));
}

it('passes the files as they were exported', async () => {
  expect(await faults()).toEqual([]);
});

it.each([
  ['in the place of a letter', 'Büro', 'altered req_0'],
  ['in the place of the character for such bytes', '\ufffd', 'altered req_1'],
  ['in a line of a cell', 'lines: ü', 'altered req_2'],
])('names the line that has bytes which are no UTF-8, %s', async (_, text, fault) => {
  spoil(`${name}.csv`, text);
  expect((await faults())[0]).toBe(fault);
  expect((await faults()).filter((each) => each.includes('req_'))).toEqual([fault]);
});

it('names the line where half a character ends the file', async () => {
  writeFileSync(`${name}.csv`, Buffer.concat([Buffer.from(bill), Buffer.from([0xc3])]));
  expect(await faults()).toEqual(expect.arrayContaining(['added ', 'file']));
});

it('names the file of digests that has such bytes', async () => {
  spoil(`${name}.digests.csv`, 'req_1');
  expect(await faults()).toEqual(expect.arrayContaining(['added req_1', 'file']));
});

it('tells a compressed bill from a good one', async () => {
  writeFileSync(`${name}.csv`, Buffer.from([0x1f, 0x8b, 0x08, 0x00, 0x0a, 0xff, 0x0a, 0xfe, 0x0a]));
  expect(await faults()).toEqual(expect.arrayContaining(['missing req_0', 'missing req_1', 'missing req_2', 'file']));
});

it('finds a rate card whose file says another hash than its text has', async () => {
  writeFileSync(`${name}.rate-cards.json`, JSON.stringify([{ ...card, sha256: sha256('another'), document }]));
  expect(await faults()).toContain('rate_card');
});

it('finds a statement in the folder of another tenant', async () => {
  for (const [tenant, kinds] of [
    ['finance', []],
    ['legal', ['file']],
  ] as const) {
    const delivered = join(folder, `tenant_id=${tenant}`);
    for (const end of ['digests.csv', 'manifest.json', 'rate-cards.json'])
      cpSync(`${name}.${end}`, join(delivered, `_statement-2026-03.${end}`));
    cpSync(`${name}.csv`, join(delivered, 'statement-2026-03.csv'));
    const [verdict] = await verifyStatementFiles([join(delivered, '_statement-2026-03.manifest.json')]);
    expect(verdict?.faults.map(({ kind }) => kind)).toEqual(kinds);
  }
});

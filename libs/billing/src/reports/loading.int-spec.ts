import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BillingWorld } from '../../test/billing-world';
import { duck } from '../../test/duck';
import { documentedColumns } from '../../test/schema-page';
import { cellsOf, csvRecords } from '../statements/csv-records';
import { original } from './csv';
import { LAYOUTS } from './layouts';

/** What people and providers write, and what spreadsheets and loaders have choked on. */
const HOSTILE = [
  '=HYPERLINK("http://evil.example","click")',
  '+49 30 1234',
  '-2+3',
  '@SUM(A1:A9)',
  '\t=1',
  "'=already disarmed",
  '00123',
  '12345678901234567890123',
  '1e5',
  'comma, "quote"; semicolon',
  'first line\r\nsecond line',
  'Zürich 部門 🏦',
  ' spaces ',
  'NULL',
  '\\N',
];

/** Beyond what a double holds, down to the last nano. */
const COSTS = [9_007_199_254_740_993n, 1n, 999_999_999_999_999_999n, 0n];

const NUMBER = /^-?(0|[1-9]\d*)(\.\d{2,9})?$/;
/** A spreadsheet would compute it. */
const FORMULA = /^[=+\-@\t\r]/;

describe('a report as CSV, unedited', () => {
  let world: BillingWorld;
  let folder: string;
  const files = new Map<string, string>();
  const texts = new Map<string, string>();
  let rows = 0;

  beforeAll(async () => {
    world = await BillingWorld.open();
    folder = await mkdtemp(join(tmpdir(), 'loading-'));
    await chmod(folder, 0o755);
    await world.priceAt({ 'gpt-4o': ['2.5', '10'] });
    for (const [index, text] of HOSTILE.entries()) {
      const tenantId = `dept-${index}`;
      await world.addTenant(tenantId, text);
      await world.addToken(`tok_${index}`, tenantId, text);
      const at = new Date(Date.UTC(2026, 9, 1 + index, 12));
      await world.book(
        ...COSTS.map((_, each) =>
          world.row({ at: new Date(at.getTime() + each), tenantId, tokenId: `tok_${index}`, subject: text }),
        ),
      );
      for (const [each, cost] of COSTS.entries())
        await world.asSuperuser('UPDATE ledger SET cost_nanos = $1 WHERE tenant_id = $2 AND at = $3', [
          String(cost),
          tenantId,
          new Date(at.getTime() + each).toISOString(),
        ]);
      rows += COSTS.length;
    }
    for (const layout of layouts) {
      const text = await world.csv(world.admin, { layout, period: '2026-10' });
      const file = join(folder, `${layout}.csv`);
      await writeFile(file, text, { mode: 0o644 });
      files.set(layout, file);
      texts.set(layout, text);
    }
  });
  afterAll(async () => {
    await world.close();
    await rm(folder, { recursive: true, force: true });
  });

  const layouts = Object.keys(LAYOUTS) as (keyof typeof LAYOUTS)[];
  const costOf = (layout: string): string => (layout === 'focus' ? '"BilledCost"' : 'cost');
  const requestsOf = (layout: string): string =>
    layout === 'focus' ? 'sum("x_Requests")' : layout === 'detail' ? 'count(*)' : 'sum(requests)';
  /** In the order of the file, with their documented types. */
  const typesOf = async (layout: string): Promise<[name: string, type: string][]> => {
    const documented = documentedColumns(layout);
    const [header = []] = await recordsOf(texts.get(layout) ?? '');
    return header.map((name) => [name, documented.get(name) ?? 'undocumented']);
  };
  const total = (): bigint => COSTS.reduce((sum, cost) => sum + cost, 0n) * BigInt(HOSTILE.length);

  it.each(layouts)('%s goes into PostgreSQL by COPY, exact to the nano', async (layout) => {
    const table = (await typesOf(layout)).map(([name, type]) => `"${name}" ${type}`).join(', ');
    await world.asSuperuser(`CREATE TABLE loaded_${layout} (${table})`);
    await world.asSuperuser(`COPY loaded_${layout} FROM '${files.get(layout) ?? ''}' (FORMAT csv, HEADER match)`);
    const [found] = await world.asSuperuser<{ nanos: string; requests: string }>(
      `SELECT (sum(${costOf(layout)}) * 1000000000)::numeric(40)::text AS nanos, (${requestsOf(layout)})::text AS requests FROM loaded_${layout}`,
    );
    expect(found).toEqual({ nanos: String(total()), requests: String(rows) });
  });

  it('detail keeps every text in PostgreSQL, apart from the apostrophe that disarms it', async () => {
    const found = await world.asSuperuser<{ subject: string; label: string; center: string }>(
      'SELECT subject, token_label AS label, cost_center AS center FROM loaded_detail ORDER BY time',
    );
    const expected = HOSTILE.flatMap((text) => COSTS.map(() => [text, text, text]));
    expect(found.map(({ subject, label, center }) => [subject, label, center].map(original))).toEqual(expected);
  });

  it.each(layouts)('%s goes into DuckDB, exact to the nano', async (layout) => {
    const types = (await typesOf(layout)).map(([name, type]) => `'${name}': '${DUCK_TYPES[type] ?? type}'`).join(', ');
    const [found] = await duck(
      `SELECT CAST(sum(${costOf(layout)}) * 1000000000 AS DECIMAL(38,0))::VARCHAR AS nanos, (${requestsOf(layout)})::VARCHAR AS requests
       FROM read_csv('${files.get(layout) ?? ''}', header = true, columns = {${types}})`,
    );
    expect(found).toEqual({ nanos: String(total()), requests: String(rows) });
  });

  it.each(layouts)('%s is read by DuckDB without being told anything', async (layout) => {
    const [found] = await duck(
      `SELECT (${requestsOf(layout)})::BIGINT::VARCHAR AS requests FROM read_csv('${files.get(layout) ?? ''}')`,
    );
    expect(found).toEqual({ requests: String(rows) });
  });

  it.each(layouts)('%s holds nothing that a spreadsheet would compute, cut or round', async (layout) => {
    const types = await typesOf(layout);
    const [, ...lines] = await recordsOf(texts.get(layout) ?? '');
    expect(lines.length).toBeGreaterThanOrEqual(HOSTILE.length);
    const faults = lines.flatMap((cells) =>
      cells.filter((cell, index) => {
        const [name, type] = types[index] ?? [];
        if (type === 'text') return FORMULA.test(cell);
        if (type === 'date') return !/^\d{4}-\d\d-\d\d$/.test(cell);
        if (type === 'timestamptz') return !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/.test(cell);
        // The one number that a row can do without.
        return !NUMBER.test(cell) && !(name === 'saved' && cell === '');
      }),
    );
    expect(faults).toEqual([]);
    expect(lines.every((cells) => cells.length === types.length)).toBe(true);
  });
});

/** Where DuckDB calls a type otherwise. */
const DUCK_TYPES: Readonly<Record<string, string>> = {
  text: 'VARCHAR',
  numeric: 'DECIMAL(38, 9)',
  timestamptz: 'TIMESTAMP',
};

async function recordsOf(csv: string): Promise<string[][]> {
  const records: string[][] = [];
  const once = async function* (): AsyncGenerator<string> {
    yield await Promise.resolve(csv);
  };
  for await (const { text } of csvRecords(once())) records.push(cellsOf(text));
  return records;
}

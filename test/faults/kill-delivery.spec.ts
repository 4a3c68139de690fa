import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { Books } from '../support/books';
import { createDepartment, eventually } from '../support/department';
import { Gateway } from '../support/gateway';
import { expectNothingLeft } from '../support/processes';

/** `kill -9` of a gateway that has claimed a delivery and is writing its file, which is not in its place yet. */

const ROWS = 60_000;

let gateway: Gateway;
let books: Books;
let folder: string;

beforeAll(async () => {
  gateway = await Gateway.start();
  books = await Books.open(gateway.place.database);
  folder = join(gateway.place.folder, 'bills');
  await mkdir(folder);
});
afterAll(async () => {
  await books.close();
  await gateway.remove();
  await expectNothingLeft(gateway.place.folder);
});

const filesThere = async (): Promise<string[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)));
};
const runs = () => books.query('SELECT state, attempts, files, rows::int AS rows FROM report_deliveries');

test('the next process delivers it once, and nothing is left of the first attempt', async () => {
  const { id: tenant } = await createDepartment(gateway);
  await books.query("SELECT ensure_ledger_partition(date_trunc('day', now(), 'UTC') - interval '1 day')");
  await books.query(
    `INSERT INTO ledger (id, at, tenant_id, token_id, model, provider, rate_card, formula, status, outcome, input_tokens,
       output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, reasoning_tokens, cost_nanos)
     SELECT gen_random_uuid(), date_trunc('day', now(), 'UTC') - interval '12 hours' + n * interval '1 millisecond', $1, 'tok_1',
       'fake', 'fake-openai', 1, 1, 'actual', 'completed', 1, 0, 0, 0, 0, 0, 1 FROM generate_series(1, ${ROWS}) n`,
    [tenant],
  );
  const deliveries = [{ name: 'warehouse', report: 'detail', schedule: '0 0 * * *', to: { folder } }];
  await gateway.configure({ deliveries, timezone: 'UTC' });
  gateway.process.kill('SIGHUP');
  await eventually(filesThere, (files) => files.length > 0);
  await gateway.kill();
  // What a loader of such folders takes for data has no dot in front.
  expect((await filesThere()).map((file) => basename(file)[0])).toEqual(['.']);
  expect(await runs()).toEqual([{ state: 'running', attempts: 1, files: 0, rows: 0 }]);

  gateway = await Gateway.start({ config: { deliveries, timezone: 'UTC' }, place: gateway.place });
  expect((await filesThere()).map((file) => basename(file)[0])).toEqual(['.']);
  await books.query("UPDATE report_deliveries SET claimed_until = claimed_until - interval '60 seconds'");
  await eventually(runs, ([run]) => run?.['state'] === 'done', 60_000);
  expect(await runs()).toEqual([{ state: 'done', attempts: 2, files: 1, rows: ROWS }]);
  const [manifestFile = '', file = '', ...more] = (await filesThere()).sort();
  expect([basename(manifestFile), basename(file), ...more]).toEqual([
    expect.stringMatching(/^_usage-detail-[\d-]{10}\.manifest\.json$/),
    expect.stringMatching(/^usage-detail-[\d-]{10}\.csv$/),
  ]);
  const csv = await readFile(join(folder, file), 'utf8');
  expect(csv.trimEnd().split('\r\n')).toHaveLength(1 + ROWS);
  expect(JSON.parse(await readFile(join(folder, manifestFile), 'utf8'))).toMatchObject({
    rows: ROWS,
    revision: 1,
    sha256: createHash('sha256').update(csv).digest('hex'),
  });
  expect(await books.query('SELECT revision, rows::int AS rows FROM delivered_reports')).toEqual([
    { revision: 1, rows: ROWS },
  ]);
}, 180_000);

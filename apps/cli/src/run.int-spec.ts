import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { Books } from '../../../test/support/books';
import { eventually } from '../../../test/support/department';
import { Gateway } from '../../../test/support/gateway';
import { loseProcess } from '../../../test/support/lost-process';
import { miscount } from '../../../test/support/miscount';
import { run } from './run';

let gateway: Gateway;
let books: Books;
let folder: string;

beforeAll(async () => {
  gateway = await Gateway.start({ config: { audit: { checkpointMs: 100 } } });
  books = await Books.open(gateway.place.database);
  folder = await mkdtemp(join(tmpdir(), 'openclawmu-cli-'));
});
afterAll(async () => {
  await books.close();
  await gateway.remove();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a command line against the gateway and collects what it prints. */
async function cli(line: string, env: Record<string, string> = {}) {
  const printed = { stdout: '', stderr: '' };
  const sink = (name: 'stdout' | 'stderr') =>
    new Writable({
      write(chunk: Buffer, _, done) {
        printed[name] += chunk.toString();
        done();
      },
    });
  const code = await run(line.split(' '), {
    env: { OPENCLAWMU_URL: gateway.url, OPENCLAWMU_ADMIN_KEY: gateway.place.keys.admin, ...env },
    stdout: sink('stdout'),
    stderr: sink('stderr'),
  });
  return { code, ...printed };
}

/** The same for a command that must work: its standard output. */
async function must(line: string): Promise<string> {
  const { code, stdout, stderr } = await cli(line);
  if (code !== 0) throw new Error(`openclawmu ${line} ended with ${code}: ${stderr}`);
  return stdout;
}

/** Writes an empty statement's files anew, as if it had a correction of a call of 2025-12. */
async function addCorrection(name: string, header: string): Promise<void> {
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  const at = new Date('2025-12-09T00:00:00Z');
  const id = `req_${(at.getTime() + 1).toString(16).padStart(12, '0')}${'7'.repeat(20)}`;
  const cells: Record<string, string> = {
    ...{ entry: 'correction', month: '2025-12', status: 'correction', tenant: 'finance', formula: '0' },
    ...{ request_id: id, time: at.toISOString(), cost: '0.00', corrects_request_id: `req_${'0'.repeat(32)}` },
  };
  const line = header
    .trimEnd()
    .split(',')
    .map((column) => cells[column] ?? (column === 'list_cost' ? '0.00' : ''))
    .join(',');
  const bill = `${header}${line}\r\n`;
  const digests = `request_id,sha256\r\n${id},${sha256(line)}\r\n`;
  const manifest = JSON.parse(await readFile(`${name}.manifest.json`, 'utf8')) as object;
  const closed = { rows: 1, lateRows: 1, bytes: bill.length, sha256: sha256(bill), digestsSha256: sha256(digests) };
  await writeFile(`${name}.csv`, bill);
  await writeFile(`${name}.digests.csv`, digests);
  await writeFile(
    `${name}.manifest.json`,
    JSON.stringify({ ...manifest, ...closed, lateAfter: '2026-01-01T00:00:00Z' }),
  );
}

const json = async <T>(line: string): Promise<T> => JSON.parse(await must(`${line} --json`)) as T;

describe('openclawmu against a gateway', () => {
  it('sets a policy, shows it as a file that can be set again, tries it and removes it', async () => {
    await must('tenants create obedient');
    const [file, text] = [join(folder, 'policy.yaml'), join(folder, 'text.txt')];
    const rule = { name: 'keys', action: 'mask', on: 'both', detect: ['email'] };
    await writeFile(file, JSON.stringify({ maxOutputTokens: 400, rules: [rule] }));
    await writeFile(text, 'ann@example.com');
    const set = await cli(`policy set obedient --file ${file}`);
    expect(set).toMatchObject({ code: 0, stderr: 'The policy of obedient has 1 rule, at most 400 output tokens.\n' });
    const shown = await must('policy show obedient');
    await writeFile(file, shown);
    await must(`policy set --organisation --file ${file}`);
    expect(await must('policy show --organisation')).toBe(shown);
    expect(await json('policy show obedient')).toMatchObject({ maxOutputTokens: 400, rules: [rule] });
    expect(await must(`policy test obedient --file ${text}`)).toContain('[email removed]\n');
    expect((await cli(`policy test obedient --text nothing --answer`)).stderr).toContain('No rule finds anything.');
    await writeFile(file, JSON.stringify({ rules: [{ ...rule, action: 'refuse' }] }));
    const refused = await cli(`policy test --policy ${file} --file ${text}`);
    expect(refused).toMatchObject({ code: 0, stderr: 'The call would be refused.\n' });
    await must('policy remove obedient');
    await must('policy remove --organisation');
    expect((await cli('policy show obedient')).code).toBe(5);
    for (const wrong of [
      'policy show',
      'policy show obedient --organisation',
      'policy test obedient',
      `policy set --file ${file}`,
    ])
      expect(await cli(wrong)).toMatchObject({ code: 2 });
    await writeFile(file, 'a: [');
    expect((await cli(`policy set obedient --file ${file}`)).stderr).toContain('is not YAML');
  });

  it('takes a tenant through its life', async () => {
    const created = await cli('tenants create life --name Life --cost-center CC-1 --models claude-*,gpt-5');
    expect(created).toMatchObject({ code: 0, stdout: '' });
    expect(created.stderr).toContain('openclawmu tokens create life');
    expect(await must('tenants list')).toMatch(/^TENANT .*\n(.*\n)*life +Life +active +CC-1 +claude-\*, gpt-5 /m);
    expect(await json('tenants change life --name Living --models all --budget-contact me@example.com')).toMatchObject({
      name: 'Living',
      costCenter: 'CC-1',
      allowedModels: null,
      settings: { budgetContact: 'me@example.com' },
    });
    await must('tenants suspend life');
    expect(await must('tenants show life')).toMatch(/^status +suspended$/m);
    await must('tenants resume life');
    await must('tenants delete life --confirm life');
    expect((await json<{ id: string }[]>('tenants list')).map(({ id }) => id)).not.toContain('life');
  });

  it('prints a token once, alone on standard output, and revokes it by itself', async () => {
    await must('tenants create finance');
    const { stdout, stderr } = await cli('tokens create finance --label nightly --expires 90d');
    expect(stdout).toMatch(/^tk_finance_[0-9a-f]{32}\n$/);
    const token = stdout.trim();
    expect(stderr).not.toContain(token);
    expect(stderr).toMatch(/ It expires at 20\S+Z, and is shown this once/);
    const models = () => gateway.call('GET', '/v1/models', undefined, token);
    expect((await models()).status).toBe(200);

    expect(await must('tokens list finance')).toMatch(/nightly .* active /);
    expect(await must('tokens list finance')).not.toContain(token);
    expect((await cli(`tokens revoke ${token}`)).stderr).toContain('(nightly) of finance is revoked');
    while ((await models()).status !== 401) await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await cli(`tokens revoke ${token}`)).stderr).toContain('had been revoked before');
  });

  it('is quiet when asked to be', async () => {
    expect(await cli('tokens create finance -q')).toMatchObject({ code: 0, stderr: '' });
  });

  it('rotates a token, with the old one working on for a while, and its budgets', async () => {
    const old = await json<{ id: string; token: string }>('tokens create finance');
    const { stdout, stderr } = await cli(`tokens rotate finance ${old.id} --grace 1h`);
    expect(stderr).toContain('It never expires');
    for (const token of [old.token, stdout.trim()])
      expect((await gateway.call('GET', '/v1/models', undefined, token)).status).toBe(200);
    const next = /^Token (\S+)/.exec(stderr)?.[1];
    const set = await cli(`budgets set finance --daily 1 --token ${next}`);
    expect(set.stderr).toContain(`The token ${next} of finance may spend 1.00 USD a day`);
    expect(set.stderr).toContain(`counted from ${old.id} on`);
    expect((await cli(`budgets remove finance --daily --token ${old.id}`)).code).toBe(0);
  });

  it('sets, shows and removes a budget', async () => {
    expect((await cli('budgets set finance --monthly 250.5 --daily 20')).stderr).toContain(
      'may spend 250.50 USD a month',
    );
    expect(await must('budgets show finance')).toMatch(/^tenant +cost USD +month +250\.50 +0\.00 +0\.00 /m);
    expect(await must('budgets show finance')).toMatch(/^tenant +cost USD +day +20\.00 +0\.00 /m);
    await must('budgets set finance --daily-tokens 5000');
    expect(await must('budgets show finance')).toMatch(/^tenant +tokens +day +5000 +0 +0 +0 /m);
    expect((await cli('budgets top-up finance --daily-tokens 70 --reason Fair')).stderr).toContain(
      'has 70 tokens beyond its limit of 5000 tokens a day',
    );
    const takenBack = await cli('budgets top-up finance --daily-tokens -30 --reason Mistyped');
    expect(takenBack.stderr).toContain('has 40 tokens beyond its limit of 5000 tokens a day');
    expect((await cli('budgets top-up finance --daily-tokens -41 --reason Mistyped')).stderr).toContain(
      'takes back more than was added, which is 40',
    );
    expect((await cli('budgets top-up finance --monthly --daily --reason None')).stderr).toContain('Give an amount');
    expect((await cli('budgets remove finance --daily-tokens')).stderr).toContain('any number of tokens in a day');
    await must('budgets remove finance --monthly');
    expect(await must('budgets show finance')).toMatch(/^tenant +cost USD +month +none /m);
    expect((await cli('budgets remove finance --monthly')).code).toBe(5);
  });

  it('tells what of several budgets was changed where one of them cannot be', async () => {
    await must('tenants create halfway');
    await must('budgets set halfway --monthly 5');
    const topped = await cli('budgets top-up halfway --monthly 1 --daily 1 --reason Twice');
    expect(topped.code).toBe(5);
    expect(topped.stderr).toMatch(
      /^Until \S+ halfway has 1\.00 USD beyond .* a month\.\nopenclawmu: There is no limit /,
    );
    const removed = await cli('budgets remove halfway --monthly --daily');
    expect(removed.code).toBe(5);
    expect(removed.stderr).toMatch(
      /^halfway may spend without limit in a month\.\nopenclawmu: There is no such budget/,
    );
    const none = await cli('budgets remove halfway --monthly --daily --json');
    expect(none).toMatchObject({ code: 5, stdout: '' });
  });

  it('says of a budget that each has for itself how many have used it, not what all of them have', async () => {
    const set = await cli('budgets set finance --daily 0.5 --user *');
    expect(set.stderr).toBe('Each user of finance may spend 0.50 USD a day.\n');
    expect(await must('budgets show finance --user *')).toMatch(
      /^each user \(0 so far, 0 used up\) +cost USD +day +0\.50 /m,
    );
    await must('budgets remove finance --daily --user *');
  });

  it('says of no rows that all are sure only where all were asked for', async () => {
    expect(await cli('ledger list')).toMatchObject({
      stderr: 'Every call is billed as its provider reported, or was corrected.\n',
    });
    expect(await cli('ledger list --status unconfirmed')).toMatchObject({ stderr: 'There are no such calls.\n' });
    expect(await cli('ledger list --corrected')).toMatchObject({ stderr: 'There are no such calls.\n' });
  });

  it('compares budgets with the ledger, and puts right what differs', async () => {
    const agree = /^\d+ windows agree with the ledger\.\n$/;
    await must('tenants create miscounted');
    await must('budgets set miscounted --daily 5 --model gpt-5');
    await must('budgets set miscounted --daily-tokens 500 --user alice');
    expect(await cli('budgets check')).toMatchObject({ code: 0, stdout: '', stderr: expect.stringMatching(agree) });
    expect(await json('budgets check')).toMatchObject({ ok: true, differences: 0, items: [] });

    await miscount(gateway.place, 'miscounted', 7);
    const found = await cli('budgets check');
    expect(found.code).toBe(7);
    const table =
      /^TENANT .*DIFFERENCE\nmiscounted +model gpt-5 +cost( USD)? +day +20\S+Z +0\.000000007 +0\.00 +0\.00 +0\.000000007\nmiscounted +user alice +tokens +day +20\S+Z +7 +0 +0 +7\n$/;
    expect(found.stdout).toMatch(table);
    expect(found.stderr).toMatch(
      /2 of \d+ windows differ from the ledger\. Next: openclawmu budgets repair --reason TEXT/,
    );
    expect(JSON.parse((await cli('budgets check --json')).stdout)).toMatchObject([
      { scope: 'model', difference: '0.000000007' },
      { scope: 'user', difference: '7' },
    ]);

    expect((await cli('budgets repair')).code).toBe(2);
    const repaired = await cli('budgets repair --reason Miscounted');
    expect(repaired).toMatchObject({ code: 0, stderr: expect.stringMatching(/^2 of \d+ windows are put right\.\n$/) });
    expect(repaired.stdout).toMatch(table);
    expect(await json('budgets repair --reason Again')).toMatchObject({ repaired: 0, items: [] });
    expect((await cli('budgets repair --reason Again')).stderr).toMatch(agree);
    expect((await cli('budgets check')).code).toBe(0);
  });

  it('names lost gateway processes and resolves them, once and with a reason', async () => {
    expect((await cli('gateway lost')).stderr).toContain('No gateway process is lost.');
    await must('tenants create stranded');
    const id = await loseProcess(gateway.place, 'stranded');
    // What counts for the organisation as well is nobody's beside the tenant's.
    await books.query(
      `WITH w AS (INSERT INTO budget_windows (metric, period, scope, starts_at, ends_at, leased)
         VALUES ('cost', 'month', 'organisation', '2020-02-01Z', '2020-03-01Z', 7) RETURNING id)
       INSERT INTO leases (window_id, process_id, amount) SELECT w.id, $1, 7 FROM w`,
      [id],
    );
    expect(await must('gateway lost')).toMatch(
      new RegExp(`^${id} +elsewhere +.* missing +stranded +cost day +2020-02-01T.* 0\\.000000007$`, 'm'),
    );
    expect((await cli(`doctor --config ${join(gateway.place.folder, 'openclawmu.yaml')}`)).stdout).toContain(
      `${id} on elsewhere`,
    );
    expect((await cli(`gateway resolve ${id} --as spent`)).code).toBe(2);
    expect((await cli(`gateway resolve ${id} --as lost --reason fire`)).code).toBe(2);
    expect((await cli(`gateway resolve ${id} --as released --reason fire`)).stderr).toContain(
      `What ${id} had leased of 1 tenant can be used again.`,
    );
    expect((await cli(`gateway resolve ${id} --as spent --reason fire`)).code).toBe(5);
    expect(await json('gateway lost')).toEqual([]);

    const idle = await loseProcess(gateway.place, 'stranded', '2020-02-02');
    await books.query('DELETE FROM leases WHERE process_id = $1', [idle]);
    expect(await must('gateway lost')).toMatch(new RegExp(`^${idle} +elsewhere +.* missing +- +- +- +nothing$`, 'm'));
    expect((await cli(`gateway resolve ${idle} --as spent --reason fire`)).stderr).toContain(
      `${idle} had leased nothing`,
    );
    expect(await json('gateway lost')).toEqual([]);

    expect(await must('budgets show stranded')).not.toContain('WRITTEN OFF');
    const today = await loseProcess(gateway.place, 'stranded', new Date().toISOString().slice(0, 10));
    await must(`gateway resolve ${today} --as spent --reason fire`);
    expect(await must('budgets show stranded')).toMatch(
      /SPENT +WRITTEN OFF +HELD[^]*^tenant +cost USD +day +none +0\.00 +0\.000000007 +0\.000000007 +0\.00 /m,
    );
  });

  it('offers a model and prices it without touching a digit', async () => {
    expect((await cli('models set demo/one --provider local --context 1000 --max-output 100')).stderr).toContain(
      'not_priced',
    );
    const card = join(folder, 'card.yaml');
    await writeFile(
      card,
      'currency: USD\nnote: first\nprices:\n  - model: demo/*\n    input: 0.10\n    output: 1.000000001\n    longContext: { aboveTokens: 200000, input: 3, output: 4 }\n',
    );
    expect((await cli(`rates import ${card}`)).stderr).toContain('in USD');
    expect(await must('rates list')).toMatch(/in force .* USD .* first$/m);
    expect(await must('rates show')).toMatch(/^demo\/\* +- +0\.10? .*1\.000000001/m);
    expect(await must('models list')).toMatch(/^demo\/one +local +demo\/one +1000 +100 +-$/m);
    expect((await cli('models set demo/vectors --provider local --context 8192 --max-output 0')).code).toBe(0);
    expect(await must('models list')).toMatch(/^demo\/vectors +local +demo\/vectors +8192 +0 +-$/m);
    await must('models remove demo/one');
    expect((await cli('models remove demo/one')).code).toBe(5);
    expect((await cli(`rates import ${join(folder, 'none.yaml')}`)).code).toBe(2);
  });

  it('shows what a price list would change, imports it and compares it with the card before', async () => {
    const sheet = join(folder, 'prices.csv');
    await writeFile(sheet, 'model,input,output\ndemo/*,0.15,1.000000001\nnew,1,2\n');
    const before = await json<{ version: number }[]>('rates list');
    const dry = await cli(`rates import ${sheet} --dry-run --merge`);
    expect(dry.stdout).toMatch(/^demo\/\* +input +0\.10 +0\.15 +\+50\.00$/m);
    expect(dry.stdout).toMatch(/^new +new: output +- +2\.00 +-$/m);
    expect(dry.stderr).toMatch(/Nothing was imported[^]*: 1 added, 0 removed, 1 changed\./);
    expect(await json('rates list')).toEqual(before);

    const done = await cli(`rates import ${sheet} --merge --note sheet`);
    expect(done.stderr).toContain('in USD');
    const [from, to] = [before.length, before.length + 1];
    expect(await must(`rates diff ${from} ${to}`)).toBe(dry.stdout);
    expect(await must(`rates diff in-force ${to}`)).toBe('');
    expect((await cli(`rates diff ${from} 999`)).code).toBe(5);
  });

  it('imports prices in another currency, marked up for tenants, and warns of tenants that nobody has', async () => {
    const sheet = join(folder, 'euros.csv');
    await writeFile(sheet, 'model,input,output\ndemo/*,0.15,1\n');
    const options = '--merge --effective-at 2036-01-01';
    const stated = '--exchange EUR:1.0841 --markup *:3 --markup finance:-12.5 --markup financ:1';
    const fresh = `rates import ${sheet} ${options.replace('--merge ', '')} ${stated}`;
    const dry = await cli(`${fresh} --dry-run`);
    expect(dry.stdout).toMatch(/^\(all\) +exchange rate +- +EUR 1\.0841 +-$/m);
    expect(dry.stdout).toMatch(/^\(all\) +markup %, finance +- +-12\.50 +-$/m);
    expect(dry.stderr).toContain('no tenants yet: financ. Are they mistyped?');
    const { version } = await json<{ version: number }>(fresh);
    expect(await json(`rates show ${version}`)).toMatchObject({
      currency: 'USD',
      exchange: { from: 'EUR', rate: '1.0841' },
      markups: [
        { tenant: '*', percent: '3.00' },
        { tenant: 'financ', percent: '1.00' },
        { tenant: 'finance', percent: '-12.50' },
      ],
    });
    expect(await must(`rates show ${version}`)).toMatch(/^exchange +1 EUR is 1\.0841 USD\nmarkup +3\.00 % for \*$/m);
    const gone = (await cli(`rates import ${sheet} --effective-at 2036-01-02`)).stderr;
    expect(gone).toContain(
      `Against card ${version}: 0 added, 0 removed, 0 changed.\nExchange rate: none, and was EUR 1.0841.\n`,
    );
    expect(gone).toContain('\nMarkup of finance in percent: none, and was -12.50.\n');
    for (const wrong of ['--exchange EUR', '--exchange euro:1', '--markup finance'])
      expect((await cli(`rates import ${sheet} ${options} ${wrong}`)).code).toBe(2);
    expect((await cli(`rates import ${sheet} --exchange USD:2`)).stderr).toContain('exchange.from');
  });

  it('tells tokens that were read from a cache from those that were written to one, which cost more', async () => {
    await must('tenants create caching');
    await books.query(
      `INSERT INTO ledger (id, at, tenant_id, token_id, model, provider, rate_card, formula, status, outcome, input_tokens,
         output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, reasoning_tokens, cost_nanos)
       VALUES (gen_random_uuid(), now(), 'caching', 'tok_1', 'm', 'p', 1, 2, 'actual', 'completed', 1, 2, 30, 4, 5, 6, 7)`,
    );
    expect(await must('usage --tenant caching')).toMatch(
      /INPUT  CACHE READ  CACHE WRITE  OUTPUT[^]*^caching +caching +1 +1 +30 +9 +8 /m,
    );
  });

  it('delivers on demand, says why it cannot, and has the doctor tell of it', async () => {
    const share = join(folder, 'share');
    const deliveries = [{ name: 'share', report: 'period', schedule: '0 6 1 * *', to: { folder: share } }];
    await gateway.configure({ deliveries });
    gateway.process.kill('SIGHUP');
    await eventually(
      () => must('deliveries list'),
      (list) => /^share .* 1$/m.test(list),
    );
    const why = await cli('deliveries run share');
    expect(why).toMatchObject({ code: 1, stderr: expect.stringContaining(`${share} does not exist`) as string });
    const config = join(gateway.place.folder, 'openclawmu.yaml');
    expect((await cli(`doctor --config ${config}`)).stdout).toContain(`delivery      share to ${share} failed`);
    await mkdir(share);
    expect((await cli('deliveries run share')).stderr).toMatch(
      /^share has delivered \d{4}-\d\d \(files: 1, lines: \d+\)\.\n$/,
    );
    expect((await cli(`doctor --config ${config}`)).stdout).not.toContain(share);
  });

  it('has the doctor name the models whose calls are refused for want of a price', async () => {
    await must('models set unpriced/one --provider local --context 1000 --max-output 100');
    const prices = async () => {
      const { stdout } = await cli(`doctor --json --config ${join(gateway.place.folder, 'openclawmu.yaml')}`);
      return (JSON.parse(stdout) as { about: string; state: string; what: string }[]).filter(
        ({ about }) => about === 'prices',
      );
    };
    const unpriced = expect.stringMatching(/has no price for .*unpriced\/one/) as string;
    expect(await prices()).toEqual([expect.objectContaining({ state: 'note', what: unpriced })]);
    const sheet = join(folder, 'all.csv');
    await writeFile(sheet, 'model,input,output\n*,1,2\n');
    await must(`rates import ${sheet} --merge`);
    expect(await prices()).toEqual([]);
  });

  it('names line and column of a price list that it cannot read, and takes the entries of a map that it can', async () => {
    const sheet = join(folder, 'wrong.csv');
    await writeFile(sheet, 'model,input,output\nm,"2,50",1\n');
    expect((await cli(`rates import ${sheet} --dry-run`)).stderr).toContain(`${sheet}: line 2, column 3: `);
    await writeFile(sheet, `model,input,output\nm,"2,50",1\nn,1,\n${'=o,1,2\n'.repeat(60)}`);
    const lines = (await cli(`rates import ${sheet}`)).stderr.split('\n');
    expect(lines.slice(0, 3)).toEqual([
      'openclawmu: Some values are not valid.',
      expect.stringContaining(`${sheet}: line 2, column 3: "2,50" is not an exact decimal`),
      `${sheet}: line 3, column 1: the field output is empty`,
    ]);
    // The model's name, and from the second line on that it was named before.
    expect(lines[51]).toBe(`and ${2 + 60 + 59 - 50} more`);
    const map = join(folder, 'model_prices.json');
    const entry = {
      litellm_provider: 'openai',
      mode: 'chat',
      input_cost_per_token: 1.5e-7,
      output_cost_per_token: 6e-7,
    };
    await writeFile(
      map,
      JSON.stringify({ m: entry, n: { ...entry, input_cost_per_query: 1 }, o: { ...entry, mode: 'ocr' } }),
    );
    const { stdout, stderr } = await cli(`rates import ${map} --provider openai --dry-run`);
    expect(stdout).toMatch(/^m +new: input +- +0\.15 +-$/m);
    expect(stderr).toContain('Not on the card: n (input_cost_per_query: a card has no such price).');
    expect(stderr).toContain('1 entries of the file were not asked for.');
  });

  it('takes a map larger than other bodies may be, and none beyond that', async () => {
    const map = join(folder, 'large.json');
    const entry = { litellm_provider: 'openai', mode: 'chat', input_cost_per_token: 1e-7, output_cost_per_token: 6e-7 };
    const large = (bytes: number) => JSON.stringify({ m: { ...entry, source: 'x'.repeat(bytes) } });
    await writeFile(map, large(2_000_000));
    expect(await must(`rates import ${map} --dry-run`)).toMatch(/^m +new: input /m);
    await writeFile(map, large(9_000_000));
    expect((await cli(`rates import ${map} --dry-run`)).stderr).toContain('body_too_large');
    const body = { currency: 'USD', prices: [], note: 'x'.repeat(2_000_000) };
    const refused = await gateway.call<{ code: string }>('POST', '/api/v1/admin/rate-cards', body);
    expect(refused.body.code).toBe('body_too_large');
  });

  it('reports usage and writes the bill as CSV, whole or not at all', async () => {
    expect((await cli('usage')).code).toBe(0);
    expect(await must('billing report')).toMatch(/^sha-256 +[0-9a-f]{64}$/m);
    const csv = await must('billing report --csv --layout period');
    expect(csv).toMatch(/^\S*tenant/);
    const file = join(folder, 'bill.csv');
    await must(`billing report --layout period -o ${file}`);
    expect(await readFile(file, 'utf8')).toBe(csv);
    expect(await readdir(folder)).not.toContain('bill.csv.part');
    const nowhere = join(folder, 'nowhere/bill.csv');
    expect(await cli(`billing report -o ${nowhere}`)).toMatchObject({
      code: 1,
      stderr: `openclawmu: ${nowhere} cannot be written: there is no such file or folder.\n`,
    });
  });

  it('closes a month and downloads the same statement every time', async () => {
    const closing = await cli('billing close --period 2026-01 --tenant finance');
    expect(closing).toMatchObject({ code: 0, stdout: '' });
    expect(closing.stderr).toContain('openclawmu billing statement download 2026-01-finance');
    // Nor does it read, done again, as if it were closed only now.
    expect((await cli('billing close --period 2026-01 --tenant finance')).stderr).toBe(closing.stderr);
    expect(await must('billing statements')).toMatch(/^2026-01-finance +finance +0 +0 +0\.00/m);
    expect(await must('billing statement show 2026-01-finance')).toMatch(/^sha-256 +[0-9a-f]{64}$/m);
    const download = async (into: string) => {
      await must(`billing statement download 2026-01-finance --into ${into}`);
      return Promise.all((await readdir(into)).sort().map((name) => readFile(join(into, name), 'utf8')));
    };
    const files = await download(join(folder, 'one'));
    expect(files).toHaveLength(4);
    expect(await download(join(folder, 'two'))).toEqual(files);
    expect((await cli('billing close --period 2026-03 --tenant finance')).code).toBe(6);
    expect((await cli('billing statement show 2026-02-finance')).code).toBe(5);
  });

  it('verifies a downloaded statement without a gateway or a key', async () => {
    const into = join(folder, 'verified');
    await must(`billing statement download 2026-01-finance --into ${into}`);
    const name = join(into, 'statement-2026-01-finance');
    const offline = { OPENCLAWMU_URL: 'http://127.0.0.1:1', OPENCLAWMU_ADMIN_KEY: '' };
    const verify = () => cli(`billing verify ${name}.manifest.json`, offline);
    expect(await verify()).toMatchObject({ code: 0, stdout: expect.stringMatching(/^verdict +unaltered$/m) as string });
    const both = await cli(`--json billing verify ${name}.manifest.json ${name}.manifest.json`, offline);
    expect(JSON.parse(both.stdout)).toMatchObject([{ ok: true }, { ok: true }]);
    const bill = await readFile(`${name}.csv`, 'utf8');
    await writeFile(`${name}.csv`, `${bill}usage,2026-01,req_1${',x'.repeat(22)}\r\n`);
    const forged = await verify();
    expect(forged).toMatchObject({ code: 7, stdout: expect.stringMatching(/^added +line 2 req_1 /m) as string });
    expect(forged.stderr).toContain('Statement 2026-01-finance is not as it was closed.');
    await addCorrection(name, bill);
    const lacking = await verify();
    expect(lacking).toMatchObject({
      code: 7,
      stdout: expect.stringMatching(
        /^verdict +INCOMPLETE\nnot given +2025-12-finance, the statement of 2025-12 \(.*: 1\)$/m,
      ) as string,
    });
    expect(lacking.stderr).toContain('Give the manifest of 2025-12-finance too.');
    await writeFile(`${name}.csv`, Buffer.from([0xff]));
    expect(await verify()).toMatchObject({ code: 7, stdout: expect.stringMatching(/^verdict +ALTERED$/m) as string });
    await rm(`${name}.csv`);
    expect((await verify()).code).toBe(2);
    expect((await cli(`billing verify ${name}.csv`, offline)).code).toBe(2);
    const manifest = await readFile(`${name}.manifest.json`, 'utf8');
    for (const member of ['period', 'timeZone', 'asOf', 'closedAt', 'rateCards', 'totals']) {
      const { [member]: _, ...rest } = JSON.parse(manifest) as Record<string, unknown>;
      await writeFile(`${name}.manifest.json`, JSON.stringify(rest));
      const stderr = expect.stringContaining(`${name}.manifest.json is not as it was exported: its member "${member}"`);
      expect(await verify()).toMatchObject({ code: 2, stderr: stderr as string });
    }
    await writeFile(`${name}.manifest.json`, manifest);
    await writeFile(`${name}.rate-cards.json`, '{}');
    expect(await verify()).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no list of rate cards') as string,
    });
    await writeFile(`${name}.rate-cards.json`, '<html>');
    const unreadable = await verify();
    expect(unreadable).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`${name}.rate-cards.json is no JSON`) as string,
    });
  });

  it("compares a provider's export with a bill", async () => {
    const [theirs, ours] = [join(folder, 'theirs.csv'), join(folder, 'ours.csv')];
    await must(`billing report --output ${ours}`);
    await writeFile(theirs, 'start_time,model,num_model_requests,input_tokens,input_cached_tokens,output_tokens\n');
    expect((await cli(`billing reconcile ${theirs} ${ours}`)).code).toBe(2);
    await writeFile(theirs, `${await readFile(theirs, 'utf8')}1793664000,gpt-5.1,2,30,10,5\n`);
    const drift = await cli(`billing reconcile ${theirs} ${ours} --provider local --model gpt-5.1=gpt-5`);
    expect(drift).toMatchObject({
      code: 7,
      stdout: expect.stringMatching(/^2026-11-03 +gpt-5 +0 +2 +0 +-20 +-10 +0 +-5$/m) as string,
    });
    expect((await cli(`billing reconcile ${theirs} ${ours} --model gpt-5.1`)).code).toBe(2);
  });

  it('shows the audit log and follows filters', async () => {
    const lines = (await must('audit tail -n 3 --outcome done')).trim().split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[2]).toMatch(/^\S+Z {2}#\d+ {2}admin root {2}statement\.exported {2}statement 2026-01-finance/);
    const records = (await must('audit tail --action tenant.created --json')).trim().split('\n');
    expect(records.map((line) => (JSON.parse(line) as { action: string }).action)).toEqual(
      records.map(() => 'tenant.created'),
    );
  });

  it('says in the audit log why something was refused, and by which rules', async () => {
    await must('tenants create watched');
    const file = join(folder, 'secrets.yaml');
    await writeFile(
      file,
      JSON.stringify({ rules: [{ name: 'mails', action: 'refuse', on: 'request', detect: ['email'] }] }),
    );
    await must(`policy set watched --file ${file}`);
    const token = (await must('tokens create watched')).trim();
    const body = { model: 'local/demo', messages: [{ role: 'user', content: 'ann@example.com' }] };
    // A policy is obeyed within a second.
    await eventually(() =>
      gateway.call('POST', '/v1/chat/completions', body, token).then(({ status }) => status === 400),
    );
    expect((await cli('tenants show nobody-knows')).code).toBe(5);
    const told = await eventually(
      () => must('audit tail -n 20 --action access.refused'),
      (lines) => lines.includes('nobody-knows') && lines.includes('watched'),
    );
    expect(told).toMatch(/route POST \/v1\/chat\/completions {2}of watched {2}refused prompt_refused by mails$/m);
    expect(told).toMatch(/route GET \/api\/v1\/admin\/tenants\/nobody-knows {2}refused tenant_not_found$/m);
  });

  it.each([
    ['another key', 4, 'tenants list', { OPENCLAWMU_ADMIN_KEY: 'ak_root_00000000000000000000000000000000' }],
    ['a tenant nobody has', 5, 'tenants show nobody', {}],
    ['a tenant that exists', 6, 'tenants create finance', {}],
    ['a value the gateway refuses', 1, 'tenants create UPPER', {}],
  ])('tells a script of %s', async (_, code, line, env) => {
    const human = await cli(line, env);
    expect(human).toMatchObject({ code, stdout: '' });
    expect(human.stderr).toMatch(/^openclawmu: .+\n\([a-z_]+, request req_/);
    expect(JSON.parse((await cli(`${line} --json`, env)).stderr)).toMatchObject({
      code: expect.any(String) as unknown,
    });
  });

  it('ends with 3 without a gateway', async () => {
    const { code, stdout, stderr } = await cli('tenants list', { OPENCLAWMU_URL: 'http://127.0.0.1:1' });
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toContain('http://127.0.0.1:1 cannot be reached');
  });

  it('warns before a key crosses a network unencrypted', async () => {
    const far = await cli('tenants list', { OPENCLAWMU_URL: 'http://gateway.invalid:18789' });
    expect(far.stderr).toContain('unencrypted');
    expect((await cli('tenants list')).stderr).not.toContain('unencrypted');
  });

  it('lets a role do what it may and no more', async () => {
    const env = { OPENCLAWMU_ADMIN_KEY: gateway.place.keys.finance };
    expect((await cli('budgets set finance --monthly 10', env)).code).toBe(0);
    expect((await cli('tenants suspend finance', env)).code).toBe(4);
  });

  it('verifies the table, and the exported files without a gateway', async () => {
    expect(await must('audit verify')).toMatch(/^verdict +unaltered$/m);
    const dataDir = join(gateway.place.folder, 'data');
    await gateway.stop();
    const audit = join(dataDir, 'audit');
    const names = (await readdir(audit)).filter((name) => name.endsWith('.jsonl'));
    const files = names.map((name) => join(audit, name)).join(' ');
    const key = join(dataDir, 'keys/audit-ed25519.pub.pem');
    expect(await json(`audit verify --key ${key} --file ${files}`)).toMatchObject({ ok: true, signatures: 'verified' });

    const day = join(audit, names.find((name) => name.startsWith('audit-')) as string);
    const text = await readFile(day, 'utf8');
    await writeFile(day, text.replace('"finance"', '"legal"'));
    const { code, stdout } = await cli(`audit verify --key ${key} --file ${files}`);
    expect({ code, edited: /was edited/.test(stdout) }).toEqual({ code: 7, edited: true });
    await writeFile(day, text.split('\n').slice(0, -2).join('\n') + '\n');
    expect((await cli(`audit verify --file ${files}`)).stdout).toContain('The end is cut off');
  });
});

describe('doctor', () => {
  const doctor = async (config: string, env: Record<string, string> = {}) => {
    const file = join(folder, 'openclawmu.yaml');
    await writeFile(file, config, { mode: 0o600 });
    const { code, stdout } = await cli(`doctor --json --config ${file}`, {
      OPENCLAWMU_URL: 'http://127.0.0.1:1',
      ...env,
    });
    return { code, findings: JSON.parse(stdout) as { about: string; state: string; what: string }[] };
  };
  const HASH = 'sha256:5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8';

  it('reports all that is wrong at once, and never a secret', async () => {
    const { code, findings } = await doctor(
      `adminKeys:\n  - { name: root, hash: "${HASH}" }\nproviders:\n  inside: { dialect: openai, baseUrl: "http://127.0.0.1:9", apiKey: swordfish, internal: true }\n`,
      { DATABASE_URL: 'postgresql://gateway:swordfish@127.0.0.1:9/nowhere' },
    );
    expect(code).toBe(7);
    expect(findings.filter(({ state }) => state === 'wrong').map(({ about }) => about)).toEqual([
      'database',
      'providers',
      'admin keys',
    ]);
    expect(JSON.stringify(findings)).not.toContain('swordfish');
  });

  it('notes a configuration that others may read', async () => {
    await doctor('# nothing set yet\n');
    const file = join(folder, 'openclawmu.yaml');
    const notes = async () => (await cli(`doctor --config ${file}`)).stdout;
    expect(await notes()).not.toContain('can be read by every user');
    await chmod(file, 0o644);
    expect(await notes()).toContain(`chmod 600 ${file}`);
    await rm(file);
  });

  it('finds a good installation good', async () => {
    const { code, findings } = await doctor(`adminKeys:\n  - { name: root, hash: "${HASH}" }\n`, {
      DATABASE_URL: gateway.place.database.gatewayUrl,
      OPENCLAWMU_ADMIN_KEY: 'password',
    });
    expect(findings).toContainEqual({
      about: 'database',
      state: 'ok',
      what: expect.stringContaining('the schema is there') as unknown,
    });
    expect(findings).toContainEqual({
      about: 'admin keys',
      state: 'ok',
      what: 'OPENCLAWMU_ADMIN_KEY is "root" (admin)',
    });
    expect(code).toBe(0);
  });

  it('names every fault of a configuration', async () => {
    const { code, findings } = await doctor('server: { port: 99999 }\naudit: { enabled: false }\n');
    expect(code).toBe(7);
    expect(findings.find(({ about }) => about === 'configuration')?.what).toMatch(/server\.port.*audit/);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CodedError } from '@app/platform';
import { BillingWorld } from '../../test/billing-world';
import type { MarkupDto } from '../rates/rate-card.dto';
import type { RateFiles } from './rate-files.service';

const IN_A_YEAR = new Date(Date.now() + 365 * 86_400_000).toISOString();
const DAY_MS = 86_400_000;
const golden = (name: string): string => readFileSync(join(__dirname, 'golden', name), 'utf8');

describe('rate files', () => {
  let world: BillingWorld;
  let files: RateFiles;
  beforeEach(async () => {
    world = await BillingWorld.open();
    files = world.files;
  });
  afterEach(() => world.close());

  const later = (days: number) => new Date(world.clock.now().getTime() + days * DAY_MS).toISOString();
  const csv = (...lines: string[]): { format: 'csv'; text: string } => ({
    format: 'csv',
    text: ['model,input,output', ...lines].join('\n'),
  });
  const versions = async () => (await world.cards.list(world.admin, { limit: 50 })).items.map(({ version }) => version);

  it('make the same card from each format', async () => {
    const effectiveAt = (n: number) => `2036-12-0${n}T00:00:00.000Z`;
    const yaml = await files.import(world.admin, { format: 'yaml', text: golden('prices.yaml') });
    const sheet = await files.import(world.admin, {
      format: 'csv',
      text: golden('prices.csv'),
      currency: 'USD',
      exchange: { from: 'EUR', rate: '1.0841' },
      markups: [
        { tenant: 'finance', percent: '-10' },
        { tenant: '*', percent: '12.50' },
      ],
      effectiveAt: effectiveAt(2),
    });
    expect(yaml).toMatchObject({ version: 1, effectiveAt: effectiveAt(1), models: 3, diff: { from: null } });
    expect(sheet).toMatchObject({ version: 2, diff: { from: 1, added: [], removed: [], changed: [], markups: [] } });
    expect(sheet.diff).not.toHaveProperty('exchange');
    expect((await world.cards.show(world.admin, '2')).prices).toEqual(
      (await world.cards.show(world.admin, '1')).prices,
    );
    expect((await world.cards.show(world.admin, '1')).note).toBe('Contract 2026-17');
    await world.reload();
    expect(world.catalogue.cardAt(new Date(effectiveAt(2)))?.prices.get('local/demo')?.output).toBe(1n);
  });

  it('replace the whole list, or keep the prices they do not name', async () => {
    await world.priceAt({ kept: ['1', '2'], changed: ['1', '2'] });
    const file = { ...csv('changed,1,3', 'new,5,6'), dryRun: true };
    const replaced = await files.import(world.admin, file);
    expect(replaced.diff.removed).toEqual([{ model: 'kept', input: '1.00', output: '2.00' }]);
    const merged = await files.import(world.admin, { ...file, merge: true, dryRun: false });
    expect(merged).toMatchObject({ version: 2, models: 3, currency: 'USD', diff: { from: 1, removed: [] } });
    expect(merged.diff.added).toEqual([{ model: 'new', input: '5.00', output: '6.00' }]);
    expect(merged.diff.changed).toMatchObject([
      { model: 'changed', prices: [{ tokenClass: 'output', from: '2.00', to: '3.00', changePercent: '+50.00' }, {}] },
    ]);
    expect((await world.cards.show(world.admin, '2')).prices.map(({ model }) => model)).toEqual([
      'changed',
      'kept',
      'new',
    ]);
  });

  it('are compared and merged with the card that is in force when they take effect', async () => {
    await world.priceAt({ m: ['1', '2'] });
    await files.import(world.admin, { ...csv('m,1,2', 'soon,1,2'), effectiveAt: later(10) });
    const { diff } = await files.import(world.admin, { ...csv('m,9,9'), merge: true, effectiveAt: later(20) });
    expect(diff).toMatchObject({ from: 2, removed: [], changed: [{ model: 'm' }] });
    expect((await files.import(world.admin, { ...csv('m,1,2'), effectiveAt: later(5) })).diff).toMatchObject({
      from: 1,
    });
  });

  it('change nothing in a dry run, which refuses what the import would refuse', async () => {
    await world.priceAt({ m: ['1', '2'] });
    const before = await world.asSuperuser(
      'SELECT (SELECT count(*) FROM audit_records), (SELECT count(*) FROM idempotency_keys)',
    );
    const dry = { ...csv('m,2,2'), dryRun: true };
    expect(await files.import(world.admin, dry, 'november-prices')).toMatchObject({ version: null, models: 1 });
    for (const [wrong, code] of [
      [{ effectiveAt: later(-1) }, 'rate_card_in_past'],
      [{ currency: 'EUR', effectiveAt: later(1) }, 'validation_failed'],
      [{ effectiveAt: (await world.cards.show(world.admin, '1')).effectiveAt }, 'rate_card_in_past'],
    ] as const)
      await expect(files.import(world.admin, { ...dry, ...wrong })).rejects.toMatchObject({ code });
    expect(await versions()).toEqual([1]);
    const after = await world.asSuperuser(
      'SELECT (SELECT count(*) FROM audit_records), (SELECT count(*) FROM idempotency_keys)',
    );
    expect(after).toEqual(before);
  });

  it('lose no price when several are merged at once, and count at once', async () => {
    await world.priceAt({ m: ['1', '2'] });
    const names = ['a', 'b', 'c', 'd'];
    // Two in the same millisecond are refused, as cards are, and then tried again.
    const merge = async (name: string): Promise<unknown> => {
      try {
        return await files.import(world.admin, { ...csv(`${name},1,2`), merge: true });
      } catch (error) {
        if ((error as { code?: string }).code === 'rate_card_conflict') return merge(name);
        throw error;
      }
    };
    await Promise.all(names.map(merge));
    expect((await world.cards.inForce(world.admin)).prices.map(({ model }) => model)).toEqual([...names, 'm']);
    expect([...(world.catalogue.cardAt(world.clock.now())?.prices.keys() ?? [])]).toEqual([...names, 'm']);
  });

  it('are imported once for one idempotency key, and audited as a card', async () => {
    const dto = { ...csv('m,1,2'), currency: 'USD' };
    const [one, two] = await Promise.all([1, 2].map(() => files.import(world.admin, dto, 'november-prices')));
    expect(two).toEqual(one);
    expect(await versions()).toEqual([1]);
    const records = await world.asSuperuser("SELECT 1 FROM audit_records WHERE action = 'rate_card.imported'");
    expect(records).toHaveLength(1);
  });

  it("take LiteLLM's map, tell what they left out and which models of the catalogue have no price", async () => {
    for (const id of ['gpt-4o-mini', 'cached-audio', 'gpt-5*'])
      await world.models.put(world.admin, id, {
        provider: 'openai',
        upstreamModel: 'x',
        displayName: id,
        contextTokens: 10,
        maxOutputTokens: 5,
      });
    const report = await files.import(world.admin, { format: 'litellm', text: golden('litellm.json') });
    expect(report).toMatchObject({ version: 1, currency: 'USD', models: 8, filtered: 1 });
    expect(report.skipped.map(({ model }) => model)).toContain('cached-audio');
    expect(report.unpriced).toEqual(['cached-audio']);
    await expect(
      files.import(world.admin, { format: 'litellm', text: golden('litellm.json'), currency: 'EUR' }),
    ).rejects.toMatchObject({ code: 'validation_failed', message: expect.stringContaining('must be USD') as string });
  });

  it('warn of models in use that lose their price', async () => {
    await world.addTenant('alpha');
    await world.priceAt({ used: ['1', '2'], old: ['1', '2'], kept: ['1', '2'] });
    const daysAgo = (days: number) => new Date(Date.now() - days * DAY_MS);
    await world.book(
      world.row({ model: 'used', at: daysAgo(29) }),
      world.row({ model: 'kept', at: daysAgo(1) }),
      world.row({ model: 'old', at: daysAgo(31) }),
    );
    const sheet = csv('kept*,1,2');
    expect(await files.import(world.admin, { ...sheet, dryRun: true })).toMatchObject({ unpricedInUse: ['used'] });
    expect(await files.import(world.admin, sheet)).toMatchObject({ version: 2, unpricedInUse: ['used'] });
  });

  it('say how long a card holds, and warn of nothing where its time is over', async () => {
    await world.addTenant('alpha');
    await world.models.put(world.admin, 'other', {
      provider: 'openai',
      upstreamModel: 'x',
      displayName: 'other',
      contextTokens: 10,
      maxOutputTokens: 5,
    });
    const [first, second, coming] = [new Date(Date.now() - 9 * DAY_MS), new Date(Date.now() - 3 * DAY_MS), IN_A_YEAR];
    const correction = { correction: true, reason: 'a contract' };
    await files.import(world.admin, {
      ...csv('kept,1,2'),
      currency: 'USD',
      effectiveAt: second.toISOString(),
      ...correction,
    });
    await world.book(world.row({ model: 'other', at: new Date(Date.now() - DAY_MS) }));

    const past = { ...csv('kept,1,3'), currency: 'USD', effectiveAt: first.toISOString(), ...correction };
    const isOver = { endsAt: second.toISOString(), unpriced: [], unpricedInUse: [] };
    expect(await files.import(world.admin, { ...past, dryRun: true })).toMatchObject(isOver);
    expect(await files.import(world.admin, past)).toMatchObject({ version: 2, ...isOver });
    const holds = { unpriced: ['other'], unpricedInUse: ['other'] };
    expect(await files.import(world.admin, { ...csv('kept,1,4'), effectiveAt: coming })).toMatchObject({
      endsAt: null,
      ...holds,
    });
    expect(await files.import(world.admin, { ...csv('kept,1,5'), dryRun: true })).toMatchObject({
      endsAt: new Date(coming).toISOString(),
      ...holds,
    });
  });

  it('name tenants of the markups that nobody has, and import them all the same', async () => {
    await world.addTenant('finance');
    const markups = ['*', 'finance', 'financ', 'later'].map((tenant) => ({ tenant, percent: '5' }));
    const sheet = { ...csv('m,1,2'), currency: 'USD', markups };
    const unknownTenants = ['financ', 'later'];
    expect(await files.import(world.admin, { ...sheet, dryRun: true })).toMatchObject({ unknownTenants });
    expect(await files.import(world.admin, sheet)).toMatchObject({ version: 1, unknownTenants });
    // What a merge keeps is warned of as well.
    expect(await files.import(world.admin, { ...csv('n,1,2'), merge: true, dryRun: true })).toMatchObject({
      unknownTenants,
    });
    const effectiveAt = '2036-01-01T00:00:00Z';
    const card = { currency: 'USD', effectiveAt, markups, prices: [{ model: 'm', input: '1', output: '2' }] };
    expect(await world.cards.import(world.admin, card)).toMatchObject({ version: 2, unknownTenants });
    expect(await world.cards.show(world.admin, '2')).not.toHaveProperty('unknownTenants');
  });

  it('keep the exchange and the markups when they are merged, and drop them when they are the whole list', async () => {
    const text = golden('prices.yaml').replace('effectiveAt: 2036-12-01T00:00:00Z', '');
    await files.import(world.admin, { format: 'yaml', text });
    const sheet = { ...csv('m,1,2'), dryRun: true };
    expect((await files.import(world.admin, { ...sheet, merge: true })).diff).toMatchObject({ markups: [] });
    const { diff } = await files.import(world.admin, sheet);
    expect(diff).toMatchObject({
      exchange: { from: { from: 'EUR', rate: '1.0841' }, to: null },
      markups: [
        { tenant: '*', from: '12.50', to: null },
        { tenant: 'finance', from: '-10.00', to: null },
      ],
    });
    const dollars = { ...sheet, merge: true, exchange: { from: 'GBP', rate: '1.3' } };
    await expect(files.import(world.admin, dollars)).rejects.toMatchObject({
      message: expect.stringContaining('keeps prices that are stated in EUR') as string,
    });
    // LiteLLM's prices are in dollars, and so is the card.
    const map = { format: 'litellm' as const, text: golden('litellm.json'), dryRun: true };
    await expect(files.import(world.admin, { ...map, exchange: { from: 'EUR', rate: '2' } })).rejects.toMatchObject({
      message: expect.stringContaining('exchange.from: must be USD') as string,
    });
    expect(await files.import(world.admin, map)).toMatchObject({ currency: 'USD', models: 8 });
  });

  it("state LiteLLM's dollars in the currency that is billed", async () => {
    const map = { format: 'litellm' as const, text: golden('litellm.json'), exchange: { from: 'USD', rate: '0.9213' } };
    await expect(files.import(world.admin, map)).rejects.toMatchObject({
      message: expect.stringContaining('currency: must be stated where no card was in force before') as string,
    });
    expect(await files.import(world.admin, { ...map, currency: 'EUR' })).toMatchObject({ version: 1, currency: 'EUR' });
    expect(await world.cards.show(world.admin, '1')).toMatchObject({ exchange: { from: 'USD', rate: '0.9213' } });
  });

  it.each([
    [
      { ...csv('m,1,2'), currency: 'USD', exchange: { from: 'USD', rate: '1' } },
      'exchange.from',
      'must not be USD, which is what the card bills in; leave exchange out',
    ],
    [
      { ...csv('m,1,2'), currency: 'USD', markups: Array(2).fill({ tenant: 'finance', percent: '1' }) as MarkupDto[] },
      'markups.1.tenant',
      'names "finance" a second time',
    ],
    [{ ...csv('m,1'), currency: 'USD' }, 'text', 'line 2, column 1: the field output is empty'],
    [csv('m,1,2'), 'currency', 'must be stated where no card was in force before'],
    [{ ...csv('m,1,2'), providers: ['openai'] }, 'providers', 'filters entries of the format "litellm" only'],
    [
      { format: 'litellm' as const, text: golden('litellm.json'), providers: ['nobody'] },
      'text',
      'holds no price to import: 0 entries skipped, 17 filtered',
    ],
    [
      { format: 'yaml' as const, text: ' '.repeat(262_145) },
      'text',
      'has more than 262144 characters, the most of a file in this format',
    ],
  ])('%# are refused with the field and the place', async (dto, field, problem) => {
    await expect(files.import(world.admin, dto)).rejects.toMatchObject({
      code: 'validation_failed',
      details: { fields: [expect.objectContaining({ field, problem })] },
    });
  });

  it('are refused with every fault, fifty at a time, and then nothing is imported', async () => {
    const lines = Array.from({ length: 60 }, (_, n) => `m${n},x,2`);
    const refused = files.import(world.admin, { ...csv('n,1,2', ...lines), currency: 'USD' });
    const error = await refused.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'validation_failed', details: { moreFields: 10 } });
    const { fields } = (error as CodedError).details as { fields: Record<string, unknown>[] };
    expect(fields).toHaveLength(50);
    expect(fields[49]).toEqual({
      ...{ field: 'text', line: 52, column: 5 },
      problem: expect.stringMatching(/^line 52, column 5: "x" is not an exact decimal/) as string,
    });
    expect((error as CodedError).message).toMatch(/ 10 more are wrong\.$/);
    expect(await versions()).toEqual([]);
  });

  it('keep to the size of a card', async () => {
    const lines = Array.from({ length: 5_001 }, (_, n) => `m${n},1,2`);
    await expect(files.import(world.admin, { ...csv(...lines), currency: 'USD' })).rejects.toMatchObject({
      code: 'validation_failed',
    });
  });
});

describe('two cards', () => {
  let world: BillingWorld;
  beforeAll(async () => {
    world = await BillingWorld.open();
    await world.priceAt({ m: ['1', '2'] });
    await world.cards.import(world.admin, {
      currency: 'USD',
      effectiveAt: '2036-01-01T00:00:00Z',
      prices: [{ model: 'm', input: '1', output: '1' }],
    });
  });
  afterAll(() => world.close());

  it('are compared by version, or with the one in force', async () => {
    const diff = await world.cards.diff(world.admin, { from: '1', to: '2' });
    expect(diff).toMatchObject({
      from: 1,
      to: 2,
      changed: [{ model: 'm', prices: [{ changePercent: '-50.00' }, {}] }],
    });
    expect(await world.cards.diff(world.admin, { from: 'in-force', to: '2' })).toEqual(diff);
    await expect(world.cards.diff(world.admin, { from: '1', to: '3' })).rejects.toMatchObject({
      code: 'rate_card_not_found',
    });
  });
});

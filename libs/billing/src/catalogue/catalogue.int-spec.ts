import { BillingWorld } from '../../test/billing-world';
import type { PutModelDto } from './model.dto';

const dto: PutModelDto = {
  provider: 'openai',
  upstreamModel: 'gpt-4o-2024-08-06',
  displayName: 'GPT-4o',
  contextTokens: 128_000,
  maxOutputTokens: 16_384,
};

async function eventually(check: () => void): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return check();
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

describe('the catalogue', () => {
  let world: BillingWorld;
  beforeEach(async () => (world = await BillingWorld.open()));
  afterEach(() => world.close());

  it('reaches every process when a model or a card changes', async () => {
    const catalogue = await world.follower();
    expect(catalogue.model('gpt-4o')).toBeUndefined();

    await world.models.put(world.admin, 'gpt-4o', dto);
    await world.priceAt({ 'gpt-4o': ['2.5', '10'] });
    await eventually(() => {
      expect(catalogue.model('gpt-4o')).toMatchObject({ upstreamModel: 'gpt-4o-2024-08-06', maxOutputTokens: 16_384 });
      expect(catalogue.cardAt(world.clock.now())?.prices.get('gpt-4o')?.input).toBe(2_500_000_000n);
    });

    await world.models.remove(world.admin, 'gpt-4o');
    await eventually(() => expect(catalogue.model('gpt-4o')).toBeUndefined());
  });

  it('keeps the former contents while the stored ones are altered', async () => {
    const catalogue = await world.follower();
    await world.priceAt({ 'gpt-4o': ['2.5', '10'] });
    await eventually(() => expect(catalogue.card(1)).toBeDefined());
    await world.asSuperuser(`UPDATE rate_cards SET document = replace(document, '10.00', '1.00')`);
    await world.asSuperuser("SELECT announce_change('catalogue', 'rate_card:1')");
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(catalogue.card(1)?.prices.get('gpt-4o')?.output).toBe(10_000_000_000n);

    // Once the text is right again it is read without being told.
    await world.asSuperuser(`
      UPDATE rate_cards SET document = replace(document, '"output":"1.00"', '"output":"10.00"');
      INSERT INTO models VALUES ('late', 'openai', 'late', 'Late', 1, 1, now(), now())`);
    await eventually(() => expect(catalogue.model('late')).toBeDefined());
  });

  it('puts, shows and removes an entry, and audits each', async () => {
    expect(await world.models.put(world.admin, 'team/gpt*', { ...dto, upstreamModel: '*' })).toMatchObject({
      id: 'team/gpt*',
    });
    await world.models.put(world.admin, 'team/gpt*', { ...dto, displayName: 'Ours' });
    expect(await world.models.show(world.admin, 'team/gpt*')).toMatchObject({
      displayName: 'Ours',
      contextTokens: 128_000,
    });
    await world.models.remove(world.admin, 'team/gpt*');
    await expect(world.models.show(world.admin, 'team/gpt*')).rejects.toMatchObject({ code: 'model_not_found' });
    await expect(world.models.remove(world.admin, 'team/gpt*')).rejects.toMatchObject({ code: 'model_not_found' });

    const records = await world.asSuperuser<{ line: string }>('SELECT line FROM audit_records ORDER BY seq');
    expect(records.map(({ line }) => (JSON.parse(line) as { action: string }).action)).toEqual([
      'model.created',
      'model.changed',
      'model.removed',
    ]);
    expect(JSON.parse(records[1]?.line ?? '')).toMatchObject({
      before: { displayName: 'GPT-4o' },
      after: { displayName: 'Ours' },
    });
  });

  it.each([
    ['no such provider', 'gpt-4o', { provider: 'nobody' }, 'provider_not_found'],
    ['a provider named like a member of every object', 'gpt-4o', { provider: 'constructor' }, 'provider_not_found'],
    ['an id with a space', 'gpt 4o', {}, 'validation_failed'],
    ['a star in the middle', 'gpt-*-mini', {}, 'validation_failed'],
    ['"as asked" without a pattern', 'gpt-4o', { upstreamModel: '*' }, 'validation_failed'],
    ['an answer longer than the context', 'gpt-4o', { maxOutputTokens: 128_001 }, 'validation_failed'],
  ])('refuses %s', async (_, id, fields, code) => {
    await expect(world.models.put(world.admin, id, { ...dto, ...fields })).rejects.toMatchObject({ code });
    expect((await world.models.list(world.admin, { limit: 10 })).items).toEqual([]);
  });

  it('warns of models that would be refused', async () => {
    await world.models.put(world.admin, 'gpt-4o', dto);
    await world.models.put(world.admin, 'local/demo', { ...dto, provider: 'local' });
    expect(
      (await world.models.list(world.admin, { limit: 10 })).items.map(({ id, warnings }) => [id, warnings]),
    ).toEqual([
      ['gpt-4o', ['not_priced']],
      ['local/demo', ['not_priced']],
    ]);
    await world.priceAt({ 'gpt*': ['1', '1'] });
    expect((await world.models.show(world.admin, 'gpt-4o')).warnings).toEqual([]);
    delete world.config.current.providers['openai'];
    expect((await world.models.show(world.admin, 'gpt-4o')).warnings).toEqual(['provider_not_configured']);
  });

  it('pages in byte order', async () => {
    for (const id of ['b', 'a/x', 'B', 'a-*']) await world.models.put(world.admin, id, dto);
    const page = await world.models.list(world.admin, { limit: 3 });
    expect(page.items.map(({ id }) => id)).toEqual(['B', 'a-*', 'a/x']);
    const rest = await world.models.list(world.admin, { limit: 3, cursor: page.nextCursor as string });
    expect(rest.items.map(({ id }) => id)).toEqual(['b']);
  });

  it.each(['\0', "x' OR 1=1", 'a'.repeat(300)])('has no model %j', async (id) => {
    await expect(world.models.show(world.admin, id)).rejects.toMatchObject({ code: 'model_not_found' });
    await expect(world.models.remove(world.admin, id)).rejects.toMatchObject({ code: 'model_not_found' });
  });

  it('is seeded once, by one of several processes that start together', async () => {
    const seeded = await Promise.all([1, 2, 3].map(() => world.seeding.seedDefaults(world.admin)));
    expect(seeded.filter(Boolean)).toHaveLength(1);
    await world.reload();
    const now = world.clock.now();
    expect(world.catalogue.cardAt(now)?.version).toBe(1);
    expect(world.catalogue.model('local/demo')).toMatchObject({ provider: 'local' });
    expect(world.catalogue.modelsFor().map(({ id }) => id)).toEqual(expect.arrayContaining(['gpt-4o', 'local/demo']));
    const { items } = await world.models.list(world.admin, { limit: 200 });
    expect(items.filter(({ warnings }) => warnings.includes('not_priced'))).toEqual([]);

    await world.models.remove(world.admin, 'gpt-4o');
    expect(await world.seeding.seedDefaults(world.admin)).toBe(false);
    await expect(world.models.show(world.admin, 'gpt-4o')).rejects.toMatchObject({ code: 'model_not_found' });
  });
});

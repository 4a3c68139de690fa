import { Clock, type Config } from '@app/platform';
import { rateCard } from '../rates/rate-card';
import { Catalogue } from './catalogue.service';
import { DEFAULT_MODELS, defaultPrices } from './default-catalogue';
import type { ModelEntry } from './model-entry';
import { isPriced } from './priced';

class FixedClock extends Clock {
  constructor(private time: number) {
    super();
  }
  set(time: number): void {
    this.time = time;
  }
  now(): Date {
    return new Date(this.time);
  }
}

const config = { current: { providers: { openai: {} } } } as unknown as Config;
const entry = (id: string, provider = 'openai', upstreamModel = id): ModelEntry => ({
  id,
  provider,
  upstreamModel,
  displayName: id,
  contextTokens: 1_000,
  maxOutputTokens: 100,
});
const card = (version: number, at: number, ...models: string[]) =>
  rateCard(version, '', {
    effectiveAt: new Date(at),
    currency: 'USD',
    note: '',
    prices: models.map((model) => ({ model, input: '1', output: '1' })),
  });

describe('Catalogue', () => {
  const clock = new FixedClock(100);
  const catalogue = new Catalogue(config, clock);
  beforeEach(() => {
    clock.set(100);
    catalogue.replace({
      models: [
        entry('gpt-4o', 'openai', 'gpt-4o-2024-08-06'),
        entry('gpt-*', 'openai', '*'),
        entry('gpt-5-*', 'openai', 'gpt-5'),
        entry('claude', 'anthropic'),
        entry('local/demo', 'local'),
        entry('free'),
      ],
      cards: [card(2, 200, 'free'), card(1, 50, 'gpt-4o', 'claude', 'local/*')],
    });
  });

  it('leads a name to its exact entry, else to the longest pattern', () => {
    expect(catalogue.model('gpt-4o')?.upstreamModel).toBe('gpt-4o-2024-08-06');
    expect(catalogue.model('gpt-4o-mini')).toMatchObject({ id: 'gpt-4o-mini', upstreamModel: 'gpt-4o-mini' });
    expect(catalogue.model('gpt-5-codex')).toMatchObject({ id: 'gpt-5-codex', upstreamModel: 'gpt-5' });
    expect(catalogue.model('nobody')).toBeUndefined();
    expect(catalogue.model('__proto__')).toBeUndefined();
  });

  it('answers for any instant, a scheduled card included', () => {
    expect(catalogue.cardAt(new Date(49))).toBeUndefined();
    expect(catalogue.cardAt(new Date(199))?.version).toBe(1);
    expect(catalogue.cardAt(new Date(200))?.version).toBe(2);
    expect(catalogue.card(2)?.effectiveAt).toEqual(new Date(200));
  });

  it('lists what is named, priced now, of a configured provider, and admitted by every list', () => {
    const ids = (...allowed: (string[] | null)[]) => catalogue.modelsFor(...allowed).map(({ id }) => id);
    expect(ids(null, null)).toEqual(['gpt-4o', 'local/demo']);
    expect(ids(['gpt-*'], null)).toEqual(['gpt-4o']);
    expect(ids(['gpt-*'], ['local/demo'])).toEqual([]);
    clock.set(200);
    expect(ids()).toEqual(['free']);
    clock.set(10);
    expect(ids()).toEqual([]);
  });
});

describe('isPriced', () => {
  it.each([
    ['gpt-4o', ['gpt-*'], true],
    ['gpt-4o', ['gpt-4'], false],
    ['gpt-*', ['gpt-4o'], true],
    ['gpt-*', ['*'], true],
    ['gpt-*', ['claude*'], false],
  ])('%s under %j: %s', (id, patterns, priced) => {
    expect(isPriced(id, patterns)).toBe(priced);
  });
});

describe('the shipped defaults', () => {
  it('price every model they name, once, within its limits', () => {
    const prices = defaultPrices().map(({ model }) => model);
    const models = DEFAULT_MODELS.map(({ id }) => id);
    expect(prices).toEqual(models);
    expect(new Set(prices).size).toBe(prices.length);
    for (const model of DEFAULT_MODELS) expect(model.maxOutputTokens).toBeLessThanOrEqual(model.contextTokens);
  });

  it('give the demonstration a price, so that a tour shows money', () => {
    const { prices } = rateCard(1, '', {
      effectiveAt: new Date(0),
      currency: 'USD',
      note: '',
      prices: defaultPrices(),
    });
    expect(prices.get('local/demo')?.output).toBeGreaterThan(0n);
  });

  it('know that embeddings have no answer, and that a spoken word costs more than a written one', () => {
    const prices = new Map(defaultPrices().map((price) => [price.model, price]));
    expect(prices.get('text-embedding-3-small')).toEqual({
      model: 'text-embedding-3-small',
      input: '0.02',
      output: '0',
    });
    const spoken = [...prices.values()].filter(({ audioOutput }) => audioOutput !== undefined);
    expect(spoken.map(({ model }) => model)).toEqual(['gpt-audio', 'gpt-audio-mini']);
    for (const { input, audioInput, output, audioOutput } of spoken)
      expect([Number(audioInput) > Number(input), Number(audioOutput) > Number(output)]).toEqual([true, true]);
  });

  it('price sound wherever they say how long it is', () => {
    const { prices } = rateCard(1, '', {
      effectiveAt: new Date(0),
      currency: 'USD',
      note: '',
      prices: defaultPrices(),
    });
    const hearing = DEFAULT_MODELS.filter(({ audioTokensPerSecond }) => audioTokensPerSecond);
    expect(hearing.length).toBeGreaterThan(0);
    expect(hearing.filter(({ id }) => !prices.get(id)?.hears).map(({ id }) => id)).toEqual([]);
  });

  it('know that a cached token costs less and a written one more', () => {
    for (const { input, cacheRead, cacheWrite5m, cacheWrite1h, model } of defaultPrices().filter(
      (p) => p.cacheWrite1h,
    )) {
      expect([model, Number(cacheRead) < Number(input)]).toEqual([model, true]);
      expect([model, Number(cacheWrite5m) / Number(input)]).toEqual([model, 1.25]);
      expect([model, Number(cacheWrite1h) / Number(input)]).toEqual([model, 2]);
    }
  });
});

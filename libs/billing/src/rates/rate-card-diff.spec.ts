import fc from 'fast-check';
import type { StatedPrice } from './rate-card';
import { diffCards, diffPrices } from './rate-card-diff';

const price = (model: string, fields: Partial<StatedPrice> = {}): StatedPrice => ({
  model,
  input: '1',
  output: '2',
  ...fields,
});

describe('diffPrices', () => {
  it('tells what came, went and changed, by name', () => {
    const diff = diffPrices(
      [price('same'), price('gone-b'), price('gone-a')],
      [price('new-b'), price('same'), price('new-a')],
    );
    expect(diff.added.map(({ model }) => model)).toEqual(['new-a', 'new-b']);
    expect(diff.removed.map(({ model }) => model)).toEqual(['gone-a', 'gone-b']);
    expect(diff.changed).toEqual([]);
  });

  it.each([
    ['2.50', '3.00', '+20.00'],
    ['3.00', '2.50', '-16.67'],
    ['1', '1.00005', '+0.01'],
    ['1', '1.00004', '+0.00'],
    ['0.000000001', '1000000', '+99999999999999900.00'],
    ['5', '0', '-100.00'],
    ['0', '5', null],
  ])('from %s to %s is %s %', (from, to, changePercent) => {
    const [change] = diffPrices([price('m', { output: from })], [price('m', { output: to })]).changed;
    expect(change?.prices.find(({ tokenClass }) => tokenClass === 'output')).toMatchObject({ changePercent });
  });

  it('goes by what is billed: followers change with whom they follow, and stating what was followed is no change', () => {
    const [change] = diffPrices([price('m')], [price('m', { input: '3', cacheRead: '1' })]).changed;
    expect(change?.prices.map(({ tokenClass }) => tokenClass)).toEqual(['input', 'cacheWrite5m', 'cacheWrite1h']);
    expect(diffPrices([price('m')], [price('m', { cacheRead: '1.0', reasoning: '2.000' })]).changed).toEqual([]);
  });

  it('compares long prompts with what they cost before there was a threshold', () => {
    const longContext = { aboveTokens: 200_000, input: '1', output: '3' };
    expect(diffPrices([price('m')], [price('m', { longContext })]).changed).toEqual([
      {
        model: 'm',
        aboveTokens: { from: null, to: 200_000 },
        prices: [
          { tokenClass: 'output', longContext: true, from: '2.00', to: '3.00', changePercent: '+50.00' },
          { tokenClass: 'reasoning', longContext: true, from: '2.00', to: '3.00', changePercent: '+50.00' },
        ],
      },
    ]);
    const moved = { ...longContext, aboveTokens: 100_000 };
    expect(diffPrices([price('m', { longContext })], [price('m', { longContext: moved })]).changed).toEqual([
      { model: 'm', aboveTokens: { from: 200_000, to: 100_000 }, prices: [] },
    ]);
  });

  it('tells of tiers and fees, and of audio only where it has a price of its own', () => {
    const flex = { flex: { input: '1', output: '2' } };
    const latter = price('m', {
      audioInput: '4',
      fees: { webSearch: '0.01' },
      tiers: { flex: { input: '2', output: '2' } },
    });
    expect(
      diffPrices([price('m', { tiers: flex, fees: { webSearch: '0.02', request: '0' } })], [latter]).changed,
    ).toEqual([
      {
        model: 'm',
        prices: [{ tokenClass: 'audioInput', longContext: false, from: '1.00', to: '4.00', changePercent: '+300.00' }],
        tiers: [
          {
            tier: 'flex',
            prices: (['input', 'cacheRead', 'cacheWrite5m', 'cacheWrite1h'] as const).map((tokenClass) => ({
              ...{ tokenClass, longContext: false },
              ...{ from: '1.00', to: '2.00', changePercent: '+100.00' },
            })),
          },
        ],
        fees: [{ fee: 'webSearch', from: '0.02', to: '0.01', changePercent: '-50.00' }],
      },
    ]);
    // Stated or not, a tier that costs what the standard one costs is none.
    expect(diffPrices([price('m')], [price('m', { tiers: flex })]).changed).toEqual([]);
  });

  it('finds nothing between a list and itself, and the reverse backwards', () => {
    const amount = fc.nat(1_000).map((n) => `${n}.5`);
    const list = fc.uniqueArray(
      fc.record({
        model: fc.constantFrom('a', 'b', 'c', 'd'),
        input: amount,
        output: amount,
        cacheRead: fc.option(amount, { nil: undefined }),
      }),
      { selector: ({ model }) => model },
    );
    fc.assert(
      fc.property(list, list, (from, to) => {
        expect(diffPrices(from, from)).toEqual({ added: [], removed: [], changed: [] });
        const [there, back] = [diffPrices(from, to), diffPrices(to, from)];
        expect([back.added, back.removed]).toEqual([there.removed, there.added]);
        expect(back.changed.map(({ model }) => model)).toEqual(there.changed.map(({ model }) => model));
      }),
    );
  });
});

describe('diffCards', () => {
  it('tells what changes for all models at once', () => {
    const prices = [price('m')];
    const from = {
      prices,
      markups: [
        { tenant: 'a', percent: '10.00' },
        { tenant: 'b', percent: '1.00' },
      ],
    };
    const to = {
      prices,
      exchange: { from: 'USD', rate: '0.92' },
      markups: [
        { tenant: '*', percent: '3.00' },
        { tenant: 'b', percent: '1.00' },
      ],
    };
    expect(diffCards(from, to)).toEqual({
      ...{ added: [], removed: [], changed: [] },
      exchange: { from: null, to: { from: 'USD', rate: '0.92' } },
      markups: [
        { tenant: '*', from: null, to: '3.00' },
        { tenant: 'a', from: '10.00', to: null },
      ],
    });
    expect(diffCards(to, to)).not.toHaveProperty('exchange');
  });
});

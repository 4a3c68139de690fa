import fc from 'fast-check';
import type { StatedPrice } from './rate-card';
import { diffPrices } from './rate-card-diff';

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

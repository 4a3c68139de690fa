import {
  canonicalText,
  fullPrice,
  hashOf,
  inForce,
  RateCardAltered,
  readContent,
  type RateCardContent,
} from './rate-card';

const content: RateCardContent = {
  effectiveAt: new Date('2026-11-01T00:00:00Z'),
  currency: 'USD',
  note: 'November',
  prices: [
    { model: 'b*', output: '10', input: '0.075' },
    { model: 'a', input: '1', output: '2.500', longContext: { output: '3', input: '2.0', aboveTokens: 200_000 } },
  ],
};

describe('fullPrice', () => {
  it('reads prices per million tokens exactly', () => {
    expect(fullPrice({ model: 'm', input: '0.075', output: '0.000000001' })).toMatchObject({
      input: 75_000_000n,
      output: 1n,
    });
  });

  it('lets a class that is not stated follow its neighbour', () => {
    expect(fullPrice({ model: 'm', input: '1', output: '2' })).toEqual({
      input: 1_000_000_000n,
      audioInput: 1_000_000_000n,
      cacheRead: 1_000_000_000n,
      cacheWrite5m: 1_000_000_000n,
      cacheWrite1h: 1_000_000_000n,
      output: 2_000_000_000n,
      audioOutput: 2_000_000_000n,
      reasoning: 2_000_000_000n,
    });
    expect(fullPrice({ model: 'm', input: '1', output: '2', cacheWrite5m: '3' }).cacheWrite1h).toBe(3_000_000_000n);
    expect(fullPrice({ model: 'm', input: '1', output: '2', cacheRead: '0' }).cacheRead).toBe(0n);
  });

  it('tells a stated price of sound from one that follows, in each tier of its own', () => {
    const price = fullPrice({
      ...{ model: 'm', input: '1', output: '2', audioInput: '1' },
      tiers: { flex: { input: '1', output: '2', audioOutput: '2' } },
    });
    const flex = price.tiers?.get('flex');
    expect([price.hears, price.speaks, flex?.hears, flex?.speaks]).toEqual([true, undefined, undefined, true]);
  });

  it('fills up long-context prices among themselves', () => {
    const { longContext } = fullPrice({
      model: 'm',
      input: '1',
      output: '2',
      cacheRead: '0.1',
      longContext: { aboveTokens: 5, input: '3', output: '4' },
    });
    expect(longContext).toMatchObject({
      aboveTokens: 5,
      prices: { cacheRead: 3_000_000_000n, reasoning: 4_000_000_000n },
    });
  });
});

describe('the canonical text', () => {
  it('is pinned: changing it would break every stored hash', () => {
    expect(canonicalText(content)).toBe(
      '{"effectiveAt":"2026-11-01T00:00:00.000Z","currency":"USD","note":"November","prices":[' +
        '{"model":"a","input":"1.00","output":"2.50","longContext":{"aboveTokens":200000,"input":"2.00","output":"3.00"}},' +
        '{"model":"b*","input":"0.075","output":"10.00"}]}',
    );
  });

  it('has whatever else a card states, in one order', () => {
    const full: RateCardContent = {
      ...content,
      exchange: { rate: '0.9210', from: 'EUR' },
      markups: [
        { tenant: 'b', percent: '-10' },
        { percent: '12.50', tenant: '*' },
      ],
      prices: [
        {
          ...{ model: 'm', output: '2', input: '1', audioOutput: '4', audioInput: '3' },
          fees: { webSearch: '0.010', request: '0' },
          tiers: { priority: { output: '4', input: '2' }, flex: { input: '1', output: '1' } },
        },
      ],
    };
    const text =
      '{"effectiveAt":"2026-11-01T00:00:00.000Z","currency":"USD","note":"November","exchange":{"from":"EUR","rate":"0.921"},' +
      '"markups":[{"tenant":"*","percent":"12.50"},{"tenant":"b","percent":"-10.00"}],"prices":[{"model":"m","input":"1.00",' +
      '"output":"2.00","audioInput":"3.00","audioOutput":"4.00","tiers":{"flex":{"input":"1.00","output":"1.00"},' +
      '"priority":{"input":"2.00","output":"4.00"}},"fees":{"request":"0.00","webSearch":"0.01"}}]}';
    expect(canonicalText(full)).toBe(text);
    expect(canonicalText(readContent(1, text, hashOf(text)))).toBe(text);
    expect(canonicalText({ ...content, markups: [] })).toBe(canonicalText(content));
  });

  it('does not depend on the order or the zeros a card was written with', () => {
    const rewritten = {
      ...content,
      prices: [...content.prices]
        .reverse()
        .map((p) => ({ ...p, input: `${p.input}${p.input.includes('.') ? '0' : '.0'}` })),
    };
    expect(hashOf(canonicalText(rewritten))).toBe(hashOf(canonicalText(content)));
  });

  it('reads back as what it says', () => {
    const text = canonicalText(content);
    const read = readContent(1, text, hashOf(text));
    expect(read.effectiveAt).toEqual(content.effectiveAt);
    expect(canonicalText(read)).toBe(text);
  });

  it('is refused when a digit was changed', () => {
    const text = canonicalText(content);
    expect(() => readContent(3, text.replace('2.50', '2.40'), hashOf(text))).toThrow(RateCardAltered);
  });
});

describe('inForce', () => {
  const cards = [10, 20, 30].map((ms) => ({ effectiveAt: new Date(ms) }));

  it('is the last card that has taken effect, to the millisecond', () => {
    expect(inForce(cards, new Date(9))).toBeUndefined();
    expect(inForce(cards, new Date(10))).toBe(cards[0]);
    expect(inForce(cards, new Date(29))).toBe(cards[1]);
    expect(inForce(cards, new Date(30))).toBe(cards[2]);
  });
});

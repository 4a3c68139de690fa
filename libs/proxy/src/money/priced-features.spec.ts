import { NO_TOKENS, NO_USAGE, type ModelPrice, type TierPrice, type Usage } from '@app/billing';
import { readFacts, type RequestFacts } from '../request/request-facts';
import { isPriced, refuseUnpriced, tierGranted } from './priced-features';

const plain: TierPrice = {
  ...{ input: 2n, audioInput: 2n, cacheRead: 2n, cacheWrite5m: 2n, cacheWrite1h: 2n },
  ...{ output: 9n, audioOutput: 9n, reasoning: 9n },
};
const hearing: ModelPrice = { ...plain, hears: true };
const dearer: ModelPrice = { ...plain, audioInput: 3n };

const request = (more: object = {}): RequestFacts => {
  const content = [{ type: 'input_audio', input_audio: { data: '', format: 'mp3' } }];
  const body = Buffer.from(JSON.stringify({ model: 'm', messages: [{ role: 'user', content }], ...more }));
  const result = readFacts('chat', body);
  if (!result.ok) throw new Error(result.problem.message);
  return result.facts;
};
const used = (counts: Partial<Usage['counts']>, serviceTier: string | null = null): Usage => ({
  ...NO_USAGE,
  serviceTier,
  counts: { ...NO_TOKENS, ...counts },
});

describe('sound', () => {
  test.each([
    ['is refused where its price only follows that of text', plain, false],
    ['is let in where the card states the same price', hearing, true],
    ['is let in where the card states another', dearer, true],
  ])('%s', (_, price, priced) => {
    const asked = (): void => refuseUnpriced(request(), price);
    if (priced) expect(asked).not.toThrow();
    else expect(asked).toThrow(/no "audioInput"/);
    expect(isPriced(price, used({ audioInput: 1 }))).toBe(priced);
  });

  test('in answers has a price of its own, too', () => {
    const spoken = request({ messages: [], modalities: ['text', 'audio'] });
    expect(() => refuseUnpriced(spoken, hearing)).toThrow(/no "audioOutput"/);
    expect(() => refuseUnpriced(spoken, { ...plain, speaks: true })).not.toThrow();
    expect(isPriced({ ...plain, speaks: true }, used({ audioOutput: 1 }))).toBe(true);
    expect(isPriced(hearing, used({ audioOutput: 1 }))).toBe(false);
  });

  test('needs a price in the tier it is served in, and no wish for a tier without one is passed on', () => {
    const price: ModelPrice = {
      ...hearing,
      tiers: new Map([
        ['flex', plain],
        ['priority', { ...plain, hears: true }],
      ]),
    };
    const granted = (name: string, more: object = {}): string | undefined =>
      tierGranted(request({ service_tier: name, ...more }), price)?.name;
    expect([granted('flex'), granted('priority')]).toEqual([undefined, 'priority']);
    expect(granted('flex', { messages: [] })).toBe('flex');
    expect(granted('priority', { modalities: ['audio'] })).toBeUndefined();
    const tiers = ['flex', 'priority', 'scale', null];
    expect(tiers.map((tier) => isPriced(price, used({ audioInput: 1 }, tier)))).toEqual([false, true, true, true]);
  });
});

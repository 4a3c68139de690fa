import type { ImportRateCardDto } from './rate-card.dto';

const SONNET = { input: '3.00', cacheRead: '0.30', cacheWrite5m: '3.75', cacheWrite1h: '6.00', output: '15.00' };
const GPT_4O = { model: 'gpt-4o', input: '2.50', cacheRead: '1.25', output: '10.00' };

/** What is not on a card has no price while it holds, so these hold in a time to come. */
export const RATE_CARD_EXAMPLES: Readonly<Record<string, ImportRateCardDto>> = {
  'a price list': {
    effectiveAt: '2037-01-01T00:00:00Z',
    currency: 'USD',
    note: 'Contract 2037-1',
    prices: [{ model: 'claude-sonnet-*', ...SONNET }, GPT_4O],
  },
  'all that a card may state': {
    effectiveAt: '2037-02-01T00:00:00Z',
    currency: 'USD',
    exchange: { from: 'EUR', rate: '1.0855' },
    markups: [
      { tenant: '*', percent: '3' },
      { tenant: 'finance', percent: '-12.5' },
    ],
    note: 'Contract 2037-2',
    prices: [
      { model: 'claude-sonnet-*', ...SONNET, longContext: { aboveTokens: 200_000, input: '6.00', output: '22.50' } },
      {
        ...GPT_4O,
        fees: { request: '0.001', webSearch: '0.01' },
        tiers: { priority: { input: '4.25', output: '17.00' } },
      },
    ],
  },
};

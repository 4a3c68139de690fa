import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatNanos } from '@app/platform';
import { cost, listCost, priceOf } from '../src/pricing/pricing';
import { NO_TOKENS } from '../src/pricing/token-counts';
import type { ModelPrice } from '../src/pricing/model-price';
import { readYamlRates } from '../src/rate-files/yaml-rates';
import { rateCard } from '../src/rates/rate-card';

/** What finance is told must be what finance is billed. */
it('the worked example of the documentation is what its card bills', () => {
  const page = readFileSync(join(__dirname, '../../../docs/finance.md'), 'utf8');
  const [, yaml = ''] = /### What else a card may state\n\n```yaml\n(.*?)```/s.exec(page) ?? [];
  const { currency = '', exchange, markups, prices } = readYamlRates(yaml);
  const card = rateCard(1, '', { effectiveAt: new Date(0), currency, note: '', exchange, markups, prices });
  const [, input, cacheRead, output] =
    /asks `gpt-4o` with ([\d,]+) tokens of input, (\d+) read from the cache and (\d+) of output/.exec(page) ?? [];
  const count = (text = ''): number => Number(text.replace(',', ''));
  const usage = {
    counts: { ...NO_TOKENS, input: count(input), cacheRead: count(cacheRead), output: count(output) },
    webSearches: 2,
    serviceTier: null,
  };
  const price = priceOf(card, 'gpt-4o', 'finance') as ModelPrice;
  expect(page).toContain(`so \`list_cost\` is ${formatNanos(listCost(price, usage))} |`);
  expect(page).toContain(`so \`cost\` is ${formatNanos(cost(price, usage))} |`);
  expect(cost(price, usage)).toBe(26_818_468n);
});

import { createHash } from 'node:crypto';
import { claimedTenant, hintOf, newTokenText, tokenHash } from './token-text';

const hex = '0123456789abcdef0123456789abcdef';

test.each(['finance', 'a', 'r_and_d', 'a_b-c_1', `x${'y'.repeat(31)}`])('a token of %s says whose it is', (tenant) => {
  const text = newTokenText(tenant);
  expect(claimedTenant(text)).toBe(tenant);
  expect(text).toMatch(new RegExp(`^tk_${tenant}_[0-9a-f]{32}$`));
  expect(newTokenText(tenant)).not.toBe(text);
});

test.each([
  '',
  'tk_',
  `tk__${hex}`,
  `tk_Finance_${hex}`,
  `tk_${'x'.repeat(33)}_${hex}`,
  `tk_finance_${hex.slice(1)}`,
  `tk_finance_${hex}0`,
  `tk_finance_${hex.toUpperCase()}`,
  `tk_fin'ance_${hex}`,
  `ak_finance_${hex}`,
  `tk_finance_${hex}\n`,
  ` tk_finance_${hex}`,
])('%j is no token', (text) => {
  expect(claimedTenant(text)).toBeNull();
});

test('what is kept is the SHA-256 of the whole text', () => {
  const text = `tk_finance_${hex}`;
  expect(tokenHash(text)).toBe(createHash('sha256').update(text).digest('hex'));
  expect(hintOf(text)).toBe('cdef');
});

import { endsAtMs, knownToken, whyEnded, type TokenFacts } from './known-token';

const now = Date.parse('2026-11-22T12:00:00Z');
const at = (ms: number): Date => new Date(now + ms);
const facts: TokenFacts = {
  tokenId: 'tok_1',
  lineage: 'tok_1',
  tenantId: 'finance',
  hash: 'ab',
  label: 'ci',
  role: 'member',
  tokenModels: null,
  tenantModels: null,
  clampsOutput: false,
  keepsPrompts: false,
  cacheSeconds: 0,
  expiresAt: null,
  revokedAt: null,
  tenantStatus: 'active',
};

test.each([
  [{}, null],
  [{ expiresAt: at(1) }, null],
  [{ expiresAt: at(0) }, 'token_expired'],
  [{ revokedAt: at(1) }, null],
  [{ revokedAt: at(0) }, 'token_revoked'],
  [{ revokedAt: at(-1), expiresAt: at(-2) }, 'token_revoked'],
  [{ tenantStatus: 'suspended' }, 'tenant_suspended'],
  [{ tenantStatus: 'suspended', expiresAt: at(0) }, 'token_expired'],
  [{ tenantStatus: 'deleted', revokedAt: at(0) }, 'tenant_deleted'],
] as const)('with %j a token has ended because of: %s', (change, reason) => {
  expect(whyEnded({ ...facts, ...change }, now)).toBe(reason);
});

test('it ends at the sooner of expiry and revocation', () => {
  expect(endsAtMs(facts)).toBe(Infinity);
  expect(endsAtMs({ ...facts, expiresAt: at(5), revokedAt: at(3) })).toBe(now + 3);
  expect(knownToken({ ...facts, expiresAt: at(2), revokedAt: at(3) }, 'active').expiresAt).toEqual(at(2));
  expect(knownToken(facts, 'active').expiresAt).toBeNull();
});

test('it may use what it and its tenant may use', () => {
  const both = { ...facts, tokenModels: ['claude-sonnet', 'gpt-5'], tenantModels: ['claude-*'] };
  expect(knownToken(both, 'active').allowedModels).toEqual(['claude-sonnet']);
});

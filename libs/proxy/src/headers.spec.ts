import { headersToClient, headersToProvider, providerRequestId } from './headers';

describe('headers to the provider', () => {
  const sent = {
    authorization: 'Bearer tk_finance_secret',
    'x-api-key': 'tk_finance_secret',
    'openai-api-key': 'tk_finance_secret',
    'anthropic-auth-token': 'tk_finance_secret',
    'content-type': 'application/json; charset=utf-7',
    cookie: 'a=b',
    'openai-organization': 'org-x',
    'openai-project': 'p',
    'anthropic-version': '2026-10-21',
    'anthropic-beta': 'context-1m-2025-08-07,files-api',
    'x-forwarded-for': '10.0.0.1',
    'x-auth-request-email': 'ann@example.com',
    traceparent: '00-1-1-01',
    'anthropic-workspace-id': 'w',
    'x-stainless-retry-count': '0',
    'x-claude-code-session-id': 's',
    'anthropic-something-new': 'n',
    host: 'gateway.internal',
    connection: 'keep-alive',
    'accept-encoding': 'gzip',
  };

  test("never carry the tenant's key", () => {
    expect(JSON.stringify(headersToProvider(sent, 10))).not.toContain('tk_finance');
  });

  test('pass versions, betas and whatever else the APIs speak as sent, and nothing that selects an account or names a host', () => {
    expect(headersToProvider(sent, 10)).toEqual({
      'content-type': 'application/json',
      'anthropic-version': '2026-10-21',
      'anthropic-beta': 'context-1m-2025-08-07,files-api',
      'anthropic-something-new': 'n',
      'x-stainless-retry-count': '0',
      'x-claude-code-session-id': 's',
      'accept-encoding': 'identity',
      'content-length': '10',
    });
  });
});

describe('headers to the client', () => {
  test('leave out what describes the shared account', () => {
    const answer = {
      'content-type': 'text/event-stream',
      'request-id': 'req_provider',
      'retry-after': '7',
      'openai-organization': 'acme',
      'anthropic-organization-id': 'acme',
      'anthropic-ratelimit-requests-remaining': '1',
      'x-ratelimit-remaining-tokens': '1',
      'set-cookie': ['a=b'],
      'content-encoding': 'gzip',
      'transfer-encoding': 'chunked',
      server: 'acme',
    };
    expect(headersToClient(answer, 'req_ours')).toEqual({
      'x-openclawmu-request-id': 'req_ours',
      'content-type': 'text/event-stream',
      'request-id': 'req_provider',
      'retry-after': '7',
      'cache-control': 'no-store',
    });
  });

  test("the provider's request id is kept for its support desk, whichever name it has", () => {
    expect(providerRequestId({ 'request-id': 'a' })).toBe('a');
    expect(providerRequestId({ 'x-request-id': 'b' })).toBe('b');
    expect(providerRequestId({ 'x-request-id': 'x'.repeat(200) })).toBeNull();
    expect(providerRequestId({})).toBeNull();
  });
});

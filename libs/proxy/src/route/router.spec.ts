import type { ModelEntry } from '@app/billing';
import type { Principal, RouteConfig } from '@app/platform';
import type { ModelRequest } from '../request/model-request';
import type { RequestFacts } from '../request/request-facts';
import type { ProviderWire, Wire } from '../wire';
import { mayUse, route, type Plan, type RouteTable } from './router';

const entry = (id: string, provider: string, upstreamModel = id): ModelEntry => ({
  ...{ id, provider, upstreamModel, displayName: id },
  ...{ contextTokens: 1_000, maxOutputTokens: 100 },
});
const models = new Map(
  [
    entry('fast', 'open', 'gpt-5-mini'),
    entry('both', 'local'),
    entry('gone', 'removed'),
    entry('opus', 'anth'),
    entry('pro', 'goog'),
  ].map((m) => [m.id, m]),
);
const wires: Readonly<Record<string, readonly ProviderWire[]>> = {
  ...{ open: ['chat', 'responses'], local: ['chat', 'messages'], anth: ['messages'], goog: ['gemini'] },
};
const routeTo = (targets: RouteConfig['targets'], more: Partial<RouteConfig> = {}): RouteConfig => ({
  ...{ targets, sticky: 'none', retries: 2, retryMs: 30_000 },
  ...more,
});
const routes: Readonly<Record<string, RouteConfig>> = {
  smart: routeTo([{ model: 'fast' }, { model: 'both' }]),
  fast2: routeTo([{ model: 'both' }, { model: 'opus' }, { model: 'gone' }, { model: 'never' }]),
  both: routeTo([{ model: 'both' }, { model: 'fast' }]),
  lost: routeTo([{ model: 'gone' }]),
  french: routeTo([{ model: 'opus' }]),
  split: routeTo([
    { model: 'fast', weight: 1 },
    { model: 'both', weight: 1 },
  ]),
  kept: routeTo(
    [
      { model: 'fast', weight: 1 },
      { model: 'both', weight: 1 },
    ],
    { sticky: 'tenant' },
  ),
  talk: routeTo(
    [
      { model: 'fast', weight: 1 },
      { model: 'both', weight: 1 },
    ],
    { sticky: 'conversation' },
  ),
};
const table: RouteTable = {
  route: (name) => routes[name],
  model: (name) => models.get(name),
  wiresOf: (provider) => wires[provider],
};
const caller = (allowedModels: readonly string[] | null, tenantId = 't'): Principal =>
  ({ allowedModels, tenantId }) as Principal;
const anybody = caller(null);
const asked = (model: string, wire: Wire, endUser: string | null = null): RequestFacts =>
  ({ model, wire, endUser }) as RequestFacts;
const request = (fields: Partial<ModelRequest> = {}): ModelRequest =>
  ({ id: 'req_1', headers: {}, body: Buffer.from('{}'), ...fields }) as ModelRequest;
const plan = (name: string, wire: Wire, who = anybody, of = request()): Plan =>
  route(table, who, asked(name, wire), of);
const order = (found: Plan): readonly string[] => found.candidates.map(({ model }) => model.id);

describe('a model', () => {
  test('is billed by its public name and asked for by the one the provider knows', () => {
    expect(plan('fast', 'chat')).toEqual({
      publicModel: 'fast',
      candidates: [{ provider: 'open', model: models.get('fast'), upstreamModel: 'gpt-5-mini', wire: 'chat' }],
      rules: null,
    });
  });

  test.each<[string, Wire, string]>([
    ['fast', 'responses', 'responses'],
    ['fast', 'messages', 'responses'],
    ['both', 'responses', 'chat'],
    ['opus', 'chat', 'messages'],
    ['pro', 'chat', 'gemini'],
    ['pro', 'messages', 'gemini'],
  ])('%s asked on %s is asked on %s', (name, wire, expected) => {
    expect(plan(name, wire).candidates[0].wire).toBe(expected);
  });

  test('of a provider of several wires is reached by either', () => {
    expect(plan('opus', 'messages').candidates[0].provider).toBe('anth');
    expect(plan('both', 'messages').candidates[0].provider).toBe('local');
  });

  test.each<[string, string, Wire, Principal, string, RegExp]>([
    ['a model nobody offers', 'nothing', 'chat', anybody, 'model_not_found', /"nothing"/],
    ['a model of a provider that was removed', 'gone', 'chat', anybody, 'provider_disabled', /"removed"/],
    [
      'vectors of a model that gives none',
      'opus',
      'embeddings',
      anybody,
      'dialect_not_supported',
      /POST \/v1\/chat\/completions, POST \/v1\/responses, POST \/v1\/messages/,
    ],
    ['a model this key may not use', 'fast', 'chat', caller(['both']), 'model_not_allowed', /"fast"/],
    ['every model, for a key that may use none', 'fast', 'chat', caller([]), 'model_not_allowed', /"fast"/],
    ['a route this key may not use', 'smart', 'chat', caller(['fast']), 'model_not_allowed', /"smart"/],
    ['a route to providers that were removed', 'lost', 'chat', anybody, 'provider_disabled', /"removed"/],
    ['vectors of a route without any', 'french', 'embeddings', anybody, 'dialect_not_supported', /messages/],
  ])('refuses %s', (_, name, wire, principal, code, message) => {
    expect(() => plan(name, wire, principal)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  test('does not tell a key which models there are beyond its own', () => {
    const told = (name: string): unknown => {
      try {
        return plan(name, 'chat', caller(['both']));
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(told('fast')).toBe(told('nothing'));
  });
});

describe('a route', () => {
  test('leads to its targets in their order, each under its own public name', () => {
    const found = plan('smart', 'chat', caller(['smart']));
    expect(order(found)).toEqual(['fast', 'both']);
    expect(found).toMatchObject({ publicModel: 'smart', rules: { retries: 2 } });
  });

  test('goes before a model of its name, which it may lead to', () => {
    expect(order(plan('both', 'chat'))).toEqual(['both', 'fast']);
  });

  test('leaves out what is not offered, not configured, or has no words for the request', () => {
    expect(order(plan('fast2', 'chat'))).toEqual(['both', 'opus']);
    expect(() => plan('fast2', 'embeddings')).toThrow(expect.objectContaining({ code: 'dialect_not_supported' }));
    expect(order(plan('fast2', 'messages'))).toEqual(['both', 'opus']);
  });

  test('that sticks to nothing is shared by calls', () => {
    const firsts = Array.from(
      { length: 400 },
      (_, i) => order(plan('split', 'chat', anybody, request({ id: `r${i}` })))[0],
    );
    const fast = firsts.filter((model) => model === 'fast').length;
    expect(fast).toBeGreaterThan(140);
    expect(fast).toBeLessThan(260);
  });

  const ids = Array.from({ length: 40 }, (_, i) => `r${i}`);
  const firstsOf = (name: string, make: (id: string) => [Principal, ModelRequest, string | null]): Set<string> =>
    new Set(
      ids.map((id) => {
        const [who, of, user] = make(id);
        return order(route(table, who, asked(name, 'chat', user), of))[0] as string;
      }),
    );

  test('that sticks to tenants sends a tenant always to the same target, and not all of them', () => {
    expect(firstsOf('kept', (id) => [anybody, request({ id }), id])).toHaveProperty('size', 1);
    expect(firstsOf('kept', (id) => [caller(null, id), request(), null])).toHaveProperty('size', 2);
  });

  test.each<[string, (name: string) => Partial<ModelRequest>]>([
    ['a session of Claude Code', (name) => ({ headers: { 'x-claude-code-session-id': name } })],
    ['a session of Codex', (name) => ({ headers: { 'session-id': name } })],
    ['a prompt cache key', (name) => ({ body: Buffer.from(JSON.stringify({ prompt_cache_key: name })) })],
  ])('that sticks to conversations knows one by %s', (_, named) => {
    expect(firstsOf('talk', (id) => [anybody, request({ id, ...named('one') }), null])).toHaveProperty('size', 1);
    expect(firstsOf('talk', (id) => [anybody, request(named(id)), null])).toHaveProperty('size', 2);
  });

  test('that sticks to conversations falls back on the end user, then on the tenant', () => {
    expect(firstsOf('talk', (id) => [anybody, request({ id }), 'ann'])).toHaveProperty('size', 1);
    expect(firstsOf('talk', (id) => [anybody, request(), id])).toHaveProperty('size', 2);
    expect(firstsOf('talk', (id) => [anybody, request({ id }), null])).toHaveProperty('size', 1);
  });
});

describe('mayUse', () => {
  test('without patterns every model, otherwise those that one of them names', () => {
    expect(mayUse(null, 'x')).toBe(true);
    expect(mayUse(['a', 'gpt-*'], 'gpt-5')).toBe(true);
    expect(mayUse(['a', 'gpt-*'], 'claude')).toBe(false);
  });
});

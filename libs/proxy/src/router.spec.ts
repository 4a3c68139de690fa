import type { ModelEntry } from '@app/billing';
import type { Principal } from '@app/platform';
import type { Dialect } from './request-facts';
import { mayUse, route, type RouteTable } from './router';

const entry = (id: string, provider: string, upstreamModel = id): ModelEntry => ({
  ...{ id, provider, upstreamModel, displayName: id },
  ...{ contextTokens: 1_000, maxOutputTokens: 100 },
});
const models = new Map(
  [entry('fast', 'open', 'gpt-5-mini'), entry('both', 'local'), entry('gone', 'removed')].map((m) => [m.id, m]),
);
const dialects: Readonly<Record<string, readonly Dialect[]>> = { open: ['openai'], local: ['openai', 'anthropic'] };
const table: RouteTable = { model: (name) => models.get(name), dialectsOf: (provider) => dialects[provider] };
const caller = (allowedModels: readonly string[] | null): Principal => ({ allowedModels }) as Principal;
const anybody = caller(null);

describe('route', () => {
  test('bills the public name and asks for the one the provider knows', () => {
    expect(route(table, anybody, 'fast', 'openai')).toEqual({
      publicModel: 'fast',
      candidates: [{ provider: 'open', model: models.get('fast'), upstreamModel: 'gpt-5-mini' }],
    });
  });

  test('a provider of both dialects is reached by either', () => {
    expect(route(table, anybody, 'both', 'openai').candidates[0].provider).toBe('local');
    expect(route(table, anybody, 'both', 'anthropic').candidates[0].provider).toBe('local');
  });

  test.each<[string, string, Dialect, Principal, string, RegExp]>([
    ['a model nobody offers', 'nothing', 'openai', anybody, 'model_not_found', /"nothing"/],
    ['a model of a provider that was removed', 'gone', 'openai', anybody, 'provider_disabled', /"removed"/],
    ['a model of the other dialect', 'fast', 'anthropic', anybody, 'dialect_not_supported', /chat\/completions/],
    ['a model this key may not use', 'fast', 'openai', caller(['both']), 'model_not_allowed', /"fast"/],
    ['every model, for a key that may use none', 'fast', 'openai', caller([]), 'model_not_allowed', /"fast"/],
  ])('refuses %s', (_, name, dialect, principal, code, message) => {
    expect(() => route(table, principal, name, dialect)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  test('does not tell a key which models there are beyond its own', () => {
    const told = (name: string): unknown => {
      try {
        return route(table, caller(['both']), name, 'openai');
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(told('fast')).toBe(told('nothing'));
  });
});

describe('mayUse', () => {
  test('without patterns every model, otherwise those that one of them names', () => {
    expect(mayUse(null, 'x')).toBe(true);
    expect(mayUse(['a', 'gpt-*'], 'gpt-5')).toBe(true);
    expect(mayUse(['a', 'gpt-*'], 'claude')).toBe(false);
  });
});

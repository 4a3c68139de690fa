import type { ModelEntry } from '@app/billing';
import type { Principal } from '@app/platform';
import { mayUse, route, type RouteTable } from './router';
import type { Wire } from './wire';

const entry = (id: string, provider: string, upstreamModel = id): ModelEntry => ({
  ...{ id, provider, upstreamModel, displayName: id },
  ...{ contextTokens: 1_000, maxOutputTokens: 100 },
});
const models = new Map(
  [entry('fast', 'open', 'gpt-5-mini'), entry('both', 'local'), entry('gone', 'removed')].map((m) => [m.id, m]),
);
const wires: Readonly<Record<string, readonly Wire[]>> = { open: ['chat', 'responses'], local: ['chat', 'messages'] };
const table: RouteTable = { model: (name) => models.get(name), wiresOf: (provider) => wires[provider] };
const caller = (allowedModels: readonly string[] | null): Principal => ({ allowedModels }) as Principal;
const anybody = caller(null);

describe('route', () => {
  test('bills the public name and asks for the one the provider knows', () => {
    expect(route(table, anybody, 'fast', 'chat')).toEqual({
      publicModel: 'fast',
      candidates: [{ provider: 'open', model: models.get('fast'), upstreamModel: 'gpt-5-mini' }],
    });
  });

  test('a provider of both dialects is reached by either', () => {
    expect(route(table, anybody, 'both', 'chat').candidates[0].provider).toBe('local');
    expect(route(table, anybody, 'both', 'messages').candidates[0].provider).toBe('local');
  });

  test.each<[string, string, Wire, Principal, string, RegExp]>([
    ['a model nobody offers', 'nothing', 'chat', anybody, 'model_not_found', /"nothing"/],
    ['a model of a provider that was removed', 'gone', 'chat', anybody, 'provider_disabled', /"removed"/],
    [
      'a model of the other dialect',
      'fast',
      'messages',
      anybody,
      'dialect_not_supported',
      /POST \/v1\/chat\/completions, POST \/v1\/responses/,
    ],
    ['a model this key may not use', 'fast', 'chat', caller(['both']), 'model_not_allowed', /"fast"/],
    ['every model, for a key that may use none', 'fast', 'chat', caller([]), 'model_not_allowed', /"fast"/],
  ])('refuses %s', (_, name, wire, principal, code, message) => {
    expect(() => route(table, principal, name, wire)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  test('does not tell a key which models there are beyond its own', () => {
    const told = (name: string): unknown => {
      try {
        return route(table, caller(['both']), name, 'chat');
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

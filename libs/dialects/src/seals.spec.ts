import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OPTIONS as USUAL } from '../fixtures/set-up';
import type { ClientFormat, ProviderFormat } from './format';
import { pack, unpack } from './seal';
import { translateAnswer } from './translate-answer';
import { translateRequest, type TranslationOptions } from './translate-request';

const OPTIONS: TranslationOptions = { ...USUAL, model: 'gemini-3-pro' };

type Json = Record<string, unknown>;

/** A second request of a client that sends back what it was answered, as the SDKs do. */
const NEXT: Readonly<Record<ClientFormat, (answer: Json) => Json>> = {
  chat: ({ choices }) => ({
    messages: [{ role: 'user', content: 'Hello' }, ...(choices as { message: Json }[]).map(({ message }) => message)],
  }),
  messages: ({ content }) => ({
    max_tokens: 100,
    messages: [
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content },
    ],
  }),
  responses: ({ output }) => ({ input: [{ role: 'user', content: 'Hello' }, ...(output as Json[])] }),
};

function secondRequest(client: ClientFormat, from: ProviderFormat, to: ProviderFormat): string {
  const first = translateRequest(
    client,
    from,
    Buffer.from(JSON.stringify(NEXT[client]({ content: [], output: [], choices: [] }))),
    OPTIONS,
  );
  const answer = readFileSync(join(__dirname, 'golden', 'answers', `agent.${from}.json`));
  const told = JSON.parse(translateAnswer(from, client, answer, first.recall).toString()) as Json;
  return translateRequest(client, to, Buffer.from(JSON.stringify(NEXT[client](told))), OPTIONS).body.toString();
}

describe.each<ClientFormat>(['chat', 'responses', 'messages'])('through a client of %s', (client) => {
  const sealed: Partial<Record<ProviderFormat, string[]>> = {
    messages: [
      '{"type":"thinking","thinking":"Two cities.","signature":"c2lnbmF0dXJl"}',
      '{"type":"redacted_thinking","data":"cmVkYWN0ZWQ="}',
    ],
    responses: ['"id":"rs_1"', '"encrypted_content":"ZW5jcnlwdGVk"', '"text":"Two cities.\\n\\nOne first."'],
    gemini: ['"name":"get_weather","args":{"city":"Zürich"}},"thoughtSignature":"Z2VtaW5p"'],
    chat: ['"reasoning_content":"Two cities."'],
  };
  const providers = (Object.keys(sealed) as ProviderFormat[]).filter((provider) => provider !== client);

  it.each(providers)('a seal of %s comes back unharmed', (provider) => {
    const body = secondRequest(client, provider, provider);
    for (const expected of sealed[provider] ?? []) expect(body).toContain(expected);
    expect(body).not.toContain('openclawmu:');
  });

  it.each(providers)('a seal of %s is shown to no other provider', (provider) => {
    for (const other of providers.filter((name) => name !== provider)) {
      const body = secondRequest(client, provider, other);
      expect(body).not.toMatch(/openclawmu:|c2lnbmF0dXJl|cmVkYWN0ZWQ|ZW5jcnlwdGVk|Z2VtaW5p/);
    }
  });
});

it('packs seals of other dialects only', () => {
  expect(pack({ from: 'messages', data: 'a:b' }, 'messages')).toBe('a:b');
  expect(unpack(pack({ from: 'responses', data: 'rs:b' }, 'messages'), 'messages')).toEqual({
    from: 'responses',
    data: 'rs:b',
  });
  expect(unpack('a:b', 'messages')).toEqual({ from: 'messages', data: 'a:b' });
  expect(unpack('openclawmu:nobody:x', 'messages')).toBeNull();
  expect(unpack('', 'messages')).toBeNull();
});

import { OPTIONS } from '../fixtures/set-up';
import { translateRequest } from './translate-request';

type Json = Record<string, unknown>;

function toOpenAi(to: 'chat' | 'responses', model: string, body: Json) {
  const told = { max_tokens: 50, messages: [{ role: 'user', content: 'Hello' }], ...body };
  const translated = translateRequest(to === 'chat' ? 'responses' : 'chat', to, Buffer.from(JSON.stringify(told)), {
    ...OPTIONS,
    model,
    publicModel: model,
  });
  return { body: JSON.parse(translated.body.toString()) as Json, dropped: translated.dropped };
}

describe('sampling of a model that thinks first', () => {
  const settings = { temperature: 0.2, top_p: 0.9, logprobs: true, top_logprobs: 2 };
  const written = { temperature: 0.2, top_p: 0.9, top_logprobs: 2, include: ['message.output_text.logprobs'] };

  it.each(['gpt-4.1', 'gpt-4o', 'gpt-5-chat-latest', 'llama-4', 'my-deployment'])('is set for %s', (model) => {
    const { body, dropped } = toOpenAi('responses', model, settings);
    expect(body).toMatchObject(written);
    expect(dropped).toEqual([]);
  });

  it.each(['gpt-5', 'gpt-5-mini-2025-08-07', 'gpt-5.5', 'gpt-6-sol', 'azure/o3'])('is left out for %s', (model) => {
    const { body, dropped } = toOpenAi('responses', model, settings);
    for (const name of ['temperature', 'top_p', 'top_logprobs']) expect(body[name]).toBeUndefined();
    expect(body['include']).toEqual(['reasoning.encrypted_content']);
    expect(dropped).toEqual(['logprobs', 'temperature', 'top_p']);
  });

  it.each<[string, boolean]>([
    ['gpt-5', false],
    ['gpt-5.1', true],
    ['gpt-5.5', true],
    ['gpt-6-sol', false],
  ])('is set for %s that is not to think: %s', (model, isSet) => {
    const { body } = toOpenAi('responses', model, { ...settings, reasoning_effort: 'none' });
    expect(body['temperature']).toBe(isSet ? 0.2 : undefined);
    expect(body['top_logprobs']).toBe(isSet ? 2 : undefined);
  });

  it('is no loss where it says what holds anyway', () => {
    const usual = { temperature: 1, top_p: 1, frequency_penalty: 0, presence_penalty: 0 };
    const { body, dropped } = toOpenAi('responses', 'gpt-5.5', usual);
    expect(body['temperature']).toBeUndefined();
    expect(dropped).toEqual([]);
  });

  it('is left out of chat completions too', () => {
    const { body, dropped } = toOpenAi('chat', 'gpt-5.5', {
      input: 'Hello',
      messages: null,
      max_tokens: null,
      temperature: 0,
    });
    expect(body['temperature']).toBeUndefined();
    expect(dropped).toEqual(['temperature']);
  });
});

it('asks for no summary of thoughts there are none of', () => {
  expect(toOpenAi('responses', 'gpt-5.5', { reasoning_effort: 'none' }).body['reasoning']).toEqual({ effort: 'none' });
  const low = toOpenAi('responses', 'gpt-5.5', { reasoning_effort: 'low' }).body['reasoning'];
  expect(low).toEqual({ effort: 'low', summary: 'auto' });
});

import { ProviderPath } from './provider-path';

const pathOf = (baseUrl: string, azure?: { apiVersion?: string }): ProviderPath => new ProviderPath({ baseUrl, azure });

test.each(['https://r.openai.azure.com', 'https://r.openai.azure.com/openai', 'https://r.openai.azure.com/openai/v1'])(
  'Azure at %s is asked under its v1 API, or under the deployment in a dated version',
  (baseUrl) => {
    expect(pathOf(baseUrl, {}).of('/v1/chat/completions', 'gpt')).toBe('/openai/v1/chat/completions');
    const dated = pathOf(baseUrl, { apiVersion: '2024-10-21' });
    expect(dated.of('/v1/chat/completions', 'gpt 4/x')).toBe(
      '/openai/deployments/gpt%204%2Fx/chat/completions?api-version=2024-10-21',
    );
    expect(dated.of('/v1/embeddings?a=b', 'e')).toBe('/openai/deployments/e/embeddings?a=b&api-version=2024-10-21');
  },
);

test.each([
  ['https://a.example', '/v1/messages'],
  ['https://a.example/v1', '/v1/messages'],
  ['https://a.example/openai/v1/', '/openai/v1/messages'],
])('%s is asked at %s', (baseUrl, path) => expect(pathOf(baseUrl).of('/v1/messages?x', 'm')).toBe(`${path}?x`));

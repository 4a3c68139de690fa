import type { ModelEntry } from '@app/billing';
import { readFacts } from '../request/request-facts';
import type { Wire } from '../wire';
import { likelyInput } from './likely-input';

const model = { contextTokens: 200_000, maxOutputTokens: 8_192, imageTokens: 1_600 } as ModelEntry;
const AROUND_A_BLOCK = 32;

const likely = (wire: Wire, request: object, entry = model): number => {
  const body = Buffer.from(JSON.stringify({ model: 'm', max_tokens: 5, ...request }));
  const read = readFacts(wire, body);
  if (!read.ok) throw new Error(read.problem.message);
  return likelyInput(read.facts, body, entry);
};

const text = (characters: number) => ({ type: 'text', text: 'x'.repeat(characters) });
const url = (bytes: number) => ({ url: `data:image/png;base64,${'A'.repeat(bytes)}` });
const picture = (bytes: number) => ({ type: 'image_url', image_url: url(bytes) });
const ofUser = (...content: object[]) => ({ messages: [{ role: 'user', content }] });

describe('the input that a request probably has', () => {
  const without = likely('chat', ofUser(text(4_000)));

  test('is a token for every four bytes of text', () => {
    const body = JSON.stringify({ model: 'm', max_tokens: 5, ...ofUser(text(4_000)) });
    expect(without).toBe(Math.ceil(body.length / 4));
  });

  test.each([
    ['chat', picture(1_000_000)],
    ['messages', { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'A'.repeat(1_000_000) } }],
  ] as const)('and what a picture can have at most, however large its file: %s', (wire, image) => {
    const more = likely(wire, ofUser(text(4_000), image)) - without;
    expect(more).toBeGreaterThanOrEqual(1_600 + AROUND_A_BLOCK);
    expect(more).toBeLessThan(1_600 + AROUND_A_BLOCK + 20);
  });

  test('of media without a bound, and of small ones, it is by their bytes', () => {
    const { imageTokens: _, ...unbounded } = model;
    for (const [bytes, entry] of [
      [100_000, unbounded],
      [1_000, model],
    ] as const) {
      const more = likely('chat', ofUser(text(4_000), picture(bytes)), entry) - without;
      expect(more).toBeGreaterThanOrEqual(bytes / 4);
      expect(more).toBeLessThan(bytes / 4 + 50);
    }
  });
});

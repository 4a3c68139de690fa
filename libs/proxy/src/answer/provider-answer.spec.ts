import { errorAnswer } from './provider-answer';

const json = (body: unknown) => Buffer.from(JSON.stringify(body));

describe('errorAnswer', () => {
  test("faults of the request are told in the provider's own words", () => {
    const body = json({
      type: 'error',
      error: { type: 'invalid_request_error', message: 'prompt is too long: 250000 tokens > 200000 maximum' },
    });
    expect(errorAnswer('anthropic', 400, body)).toEqual({ status: 400, body });
  });

  test('a key in those words is masked', () => {
    const { body } = errorAnswer(
      'openai',
      400,
      json({ error: { message: 'bad key sk-proj-abcdefghijklmnopqrstuvwx' } }),
    );
    expect(body.toString()).not.toContain('abcdefghijkl');
  });

  test.each([401, 403, 407])("a refusal of the gateway (%i) is the gateway's fault", (status) => {
    expect(() => errorAnswer('openai', status, json({ error: {} }))).toThrow(
      expect.objectContaining({ code: 'provider_rejected_gateway' }),
    );
  });

  test('texts that may name the account are replaced, status and type stay', () => {
    const named = json({ error: { message: 'rate limit of organization org-secret', type: 'x' } });
    for (const status of [429, 500, 503, 529]) {
      for (const dialect of ['openai', 'anthropic'] as const) {
        const answer = errorAnswer(dialect, status, named);
        expect(answer.status).toBe(status);
        expect(answer.body.toString()).not.toContain('org-secret');
      }
    }
    expect(JSON.parse(errorAnswer('anthropic', 529, named).body.toString())).toMatchObject({
      type: 'error',
      error: { type: 'overloaded_error' },
    });
    expect(JSON.parse(errorAnswer('openai', 429, named).body.toString())).toMatchObject({
      error: { type: 'rate_limit_error' },
    });
  });

  test.each(['<html>Bad Request</html>', '{"error":', '"text"', '{}'])(
    'what is not an error of the API (%s) is not passed on',
    (body) => {
      expect(() => errorAnswer('openai', 400, Buffer.from(body))).toThrow(
        expect.objectContaining({ code: 'provider_error' }),
      );
    },
  );

  test('a redirect is not followed and not passed on', () => {
    expect(() => errorAnswer('openai', 302, Buffer.from(''))).toThrow(
      expect.objectContaining({ code: 'provider_error' }),
    );
  });
});

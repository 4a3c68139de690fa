import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '@app/platform';
import type { StreamError } from '../usage/stream-events';
import { UsageReader } from '../usage/usage-reader';
import { readWholeUsage } from '../usage/whole-usage';
import type { Wire } from '../wire';
import { cutEvent, errorEvent, failureInOurWords } from './error-events';

const golden = (name: string): Buffer => readFileSync(join(__dirname, '../usage/golden', name));
const eventOf = (wire: Wire, type: string | null): string => errorEvent(wire, { type, message: 'org-acme' }).toString();

function errorIn(name: string): StreamError {
  const reader = new UsageReader('responses');
  reader.push(golden(name));
  const { error } = reader.finish();
  if (!error) throw new Error('none');
  return error;
}

const dataOf = (event: string): Record<string, unknown> =>
  JSON.parse(event.slice(event.indexOf('data: ') + 'data: '.length)) as Record<string, unknown>;

describe('an error in the middle of a stream', () => {
  test('keeps the type that clients act on', () => {
    expect(eventOf('messages', 'overloaded_error')).toMatch(
      /^event: error\ndata: \{"type":"error","error":\{"type":"overloaded_error",.*\}\}\n\n$/,
    );
    expect(eventOf('chat', 'server_error')).toMatch(/^data: \{"error":\{.*"type":"server_error".*\}\}\n\n$/);
    expect(eventOf('responses', 'server_error')).toMatch(
      /^event: error\ndata: \{"type":"error",.*"server_error".*\n\n$/,
    );
  });

  test.each([null, 'org-acme is out of credit', 'x'.repeat(65), '"}'])('has a plain type in place of %j', (type) => {
    expect(eventOf('messages', type)).toContain('"type":"api_error"');
    expect(eventOf('chat', type)).toContain('"type":"server_error"');
    expect(eventOf('responses', type)).toContain('"code":"server_error"');
  });

  test('of a response that failed is its own event but for the words', () => {
    const event = errorEvent('responses', errorIn('responses-stream-failed.sse')).toString();
    expect(event).toMatch(/^event: response.failed\ndata: \{"type":"response.failed"/);
    expect(event).not.toContain('org-acme');
    expect(dataOf(event)).toMatchObject({
      sequence_number: 5,
      response: { id: 'resp_s4', status: 'failed', error: { code: 'rate_limit_exceeded' } },
    });
  });

  test('of a stream of responses has the same words for both ways in which clients read it', () => {
    const event = dataOf(errorEvent('responses', errorIn('responses-stream-error.sse')).toString());
    expect(event).toMatchObject({ type: 'error', code: 'server_error', error: { message: event['message'] } });
    expect(JSON.stringify(event)).not.toContain('org-acme');
  });

  test('a fault of the request is told in the words of the provider', () => {
    const words = { type: 'context_length_exceeded', message: 'Your input exceeds the context window of this model.' };
    expect(errorEvent('responses', words).toString()).toContain(words.message);
  });
});

test('a response that failed keeps all but the words of its error', () => {
  const body = golden('responses-failed.json');
  const { failure } = readWholeUsage('responses', body);
  if (!failure) throw new Error('none');
  const told = JSON.parse(failureInOurWords(body, failure).toString()) as { error: { message: string } };
  expect(told).toEqual({
    ...(JSON.parse(body.toString()) as object),
    error: { code: 'server_error', message: told.error.message },
  });
  expect(told.error.message).not.toContain('org-acme');
});

test.each<[Wire, object]>([
  ['chat', { error: { gateway_code: 'draining' } }],
  [
    'responses',
    { type: 'error', sequence_number: 0, message: expect.any(String), error: { gateway_code: 'draining' } },
  ],
  ['messages', { type: 'error', error: { gateway_code: 'draining' } }],
])('a stream of %s that we end says why', (wire, shape) => {
  expect(dataOf(cutEvent(wire, new CodedError('draining'), 'req_1'))).toMatchObject(shape);
});

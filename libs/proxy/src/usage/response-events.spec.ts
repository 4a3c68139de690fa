import { type StreamUsage, UsageReader } from './usage-reader';

function read(...events: string[]): StreamUsage {
  const reader = new UsageReader('responses');
  for (const event of events) reader.push(Buffer.from(`data: ${event}\n\n`));
  reader.flush();
  return reader.finish();
}

const completed =
  '{"type":"response.completed","response":{"status":"completed","usage":{"input_tokens":3,"output_tokens":2}}}';

describe('events of the responses API', () => {
  test.each([
    ['{"type":"response.output_text.delta","delta":"x"}', 1],
    ['{"type":"response.output_text.delta","delta": "\\"delta\\":\\"\\""}', 1],
    ['{"type":"response.output_text.delta","delta":""}', 0],
    ['{"type":"response.output_text.delta","delta": ""}', 0],
    ['{"delta":"x","type":"response.output_text.delta"}', 1],
    ['{"delta":"","type":"response.output_text.delta"}', 0],
    ['{"type":"response.output_text.done","text":"x"}', 0],
  ])('%s brings %i', (event, deltas) => expect(read(event).deltas).toBe(deltas));

  test('what nobody knows passes, and so does the end that some servers write', () => {
    expect(read('{"type":"response.from_2031"}', '{"x":1}', completed, '[DONE]')).toMatchObject({
      ...{ terminal: true, error: null, final: true, usage: { counts: { input: 3, output: 2 } } },
    });
  });

  test.each([
    ['{"error":{"code":"server_error","message":"m"}}', 'server_error'],
    ['{"error":{"type":"overloaded","message":"m"}}', 'overloaded'],
    ['{"type":"error","error":{"type":"server_error","message":"m"}}', 'server_error'],
    ['{"type":"error","code":"rate_limit_exceeded","message":"m"}', 'rate_limit_exceeded'],
  ])('%s is an error', (event, type) => {
    expect(read(event)).toMatchObject({ terminal: false, error: { type, message: 'm' } });
  });

  test.each(['{"type":"response.completed","response":null}', '{"type":"response.completed"}'])(
    '%s tells nothing that could be billed',
    (event) => expect(read(event)).toMatchObject({ terminal: false, problem: { reason: 'unreadable' } }),
  );

  test('an error that repeats a long request is held until it is read', () => {
    const reader = new UsageReader('responses');
    const failed = `data: {"type":"response.failed","response":{"instructions":"${'x'.repeat(100_000)}"`;
    expect(reader.push(Buffer.from(failed.slice(0, 20))).length).toBe(0);
    for (let at = 20; at < failed.length; at += 9_999)
      expect(reader.push(Buffer.from(failed.slice(at, at + 9_999))).length).toBe(0);
    expect(reader.push(Buffer.from(',"error":{"code":"server_error","message":"org-acme"}}}\n\n')).toString()).toBe('');
    expect(reader.finish().error).toMatchObject({ type: 'server_error', message: 'org-acme' });
  });
});

import type { AnswerSink } from '../answer/answer-sink';
import { RecordingSink } from '../answer/recording-sink';
import type { RequestFacts } from '../request/request-facts';
import { keepable, type Answered } from './keepable';
import { wishesOf } from './wishes';

const nowhere: AnswerSink = {
  whole: () => undefined,
  start: () => undefined,
  write: () => true,
  end: () => undefined,
  cut: () => undefined,
};
const HEADERS = { 'content-type': 'application/json', 'request-id': 'req_theirs', 'openai-processing-ms': '5' };
const answered = (row: Partial<Answered['row']> = {}, stopReason: string | null = 'stop'): Answered => ({
  row: { status: 'actual', webSearches: 0, costNanos: 7n, provider: 'main', model: 'm', ...row },
  stopReason,
});
function recorded(status = 200, headers: Record<string, string> = HEADERS, maxBytes = 10): RecordingSink {
  const sink = new RecordingSink(nowhere, maxBytes);
  sink.whole(status, { ...headers }, Buffer.from('{}'));
  return sink;
}
function stream(end: (sink: RecordingSink) => void): RecordingSink {
  const sink = new RecordingSink(nowhere, 10);
  sink.start(200, { 'content-type': 'text/event-stream' });
  sink.write(Buffer.from('data: 1'), () => undefined);
  end(sink);
  return sink;
}

test('a whole answer and a stream are kept with who made them, and without what is true of one call only', () => {
  expect(keepable(recorded(), answered())).toEqual({
    ...{ isStream: false, headers: { 'content-type': 'application/json' } },
    ...{ provider: 'main', model: 'm', costNanos: 7n, body: Buffer.from('{}') },
  });
  expect(
    keepable(
      stream((sink) => sink.end()),
      answered(),
    ),
  ).toMatchObject({ isStream: true });
  const dropped = { ...HEADERS, 'x-openclawmu-dropped': 'seed', 'x-openclawmu-model': 'm' };
  expect(keepable(recorded(200, dropped), answered())?.headers).toMatchObject({ 'x-openclawmu-dropped': 'seed' });
});

test.each<[string, RecordingSink, Answered | null]>([
  ['an error', recorded(400), answered()],
  ['another success', recorded(201), answered()],
  ['what had a fault', recorded(), null],
  ['what is too large', recorded(200, HEADERS, 1), answered()],
  ['what was shortened', recorded(200, { ...HEADERS, 'x-openclawmu-output-clamped': '5' }), answered()],
  ['what was cut', stream((sink) => sink.cut(new Error() as never)), answered()],
  ['what was left', stream(() => undefined), answered()],
  ['what nobody knows the cost of', recorded(), answered({ status: 'estimated' })],
  ['what cannot be true', recorded(), answered({ status: 'quarantined' })],
  ['what was looked up', recorded(), answered({ webSearches: 1 })],
  ...['content_filter', 'refusal', 'SAFETY', 'PROHIBITED_CONTENT'].map((reason): [string, RecordingSink, Answered] => [
    `what was withheld: ${reason}`,
    recorded(),
    answered({}, reason),
  ]),
])('%s is not kept', (_, sink, what) => {
  expect(keepable(sink, what)).toBeNull();
});

test.each(['stop', 'length', 'end_turn', 'max_tokens', 'tool_use', 'tool_calls', 'completed', null])(
  'an answer that ended with %s is',
  (reason) => {
    expect(keepable(recorded(), answered({}, reason))).not.toBeNull();
  },
);

test.each([
  [undefined, true, true],
  ['', true, true],
  ['max-age=60', true, true],
  ['no-cache', false, true],
  ['No-Cache , foo', false, true],
  ['max-age=0', false, true],
  ['no-store', false, false],
  ['no-cache, no-store', false, false],
  ['x-no-store', true, true],
])('with cache-control %j a kept answer may be given: %s, and kept: %s', (control, read, write) => {
  const headers = control === undefined ? {} : { 'cache-control': control };
  expect(wishesOf(headers, { searches: [] } as unknown as RequestFacts)).toEqual({ read, write });
});

test('a question that has something looked up has nothing to do with it', () => {
  expect(wishesOf({}, { searches: [{}] } as unknown as RequestFacts)).toEqual({ read: false, write: false });
});

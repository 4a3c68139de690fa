import { newSpanId, newTraceId, readTraceParent, writeTraceParent } from './trace-context';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('what a caller says of its trace', () => {
  test.each([
    [`00-${TRACE}-${SPAN}-01`, true],
    [`00-${TRACE}-${SPAN}-00`, false],
    [`00-${TRACE}-${SPAN}-03`, true],
    [`cc-${TRACE}-${SPAN}-01-more-of-a-later-version`, true],
  ])('is read: %s', (traceparent, sampled) => {
    expect(readTraceParent({ traceparent, tracestate: 'a=1,b=2' })).toEqual({
      traceId: TRACE,
      spanId: SPAN,
      sampled,
      state: 'a=1,b=2',
    });
  });

  test.each([
    undefined,
    '',
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-1`,
  ])('is nothing: %s', (traceparent) => expect(readTraceParent({ traceparent })).toBeNull());

  test('is passed on without a state that is none', () => {
    const traceparent = `00-${TRACE}-${SPAN}-01`;
    for (const tracestate of ['', 'a=ü', 'x'.repeat(513)])
      expect(readTraceParent({ traceparent, tracestate })?.state).toBeNull();
  });
});

test('ids are of the right length, never the same, and read back', () => {
  const ids = Array.from({ length: 2_000 }, () => [newTraceId(), newSpanId()] as const);
  expect(new Set(ids.flat()).size).toBe(4_000);
  for (const [traceId, spanId] of ids)
    expect(readTraceParent({ traceparent: writeTraceParent(traceId, spanId, true) })).toMatchObject({
      traceId,
      spanId,
    });
});

import { CodedError } from '@app/platform';
import fc from 'fast-check';
import type { AnswerSink } from './answer-sink';
import { RecordingSink } from './recording-sink';

/** Takes down what it is told, and is slow if asked to be. */
class Witness implements AnswerSink {
  readonly told: unknown[] = [];
  drained: (() => void) | null = null;

  constructor(private readonly isSlow = false) {}

  whole(status: number, headers: Record<string, string>, body: Buffer): void {
    headers['content-length'] = String(body.length);
    this.told.push(['whole', status, body.toString('latin1')]);
  }
  start(status: number, headers: Record<string, string>): void {
    headers['x-accel-buffering'] = 'no';
    this.told.push(['start', status]);
  }
  write(chunk: Buffer, drained: () => void): boolean {
    this.told.push(['write', chunk.toString('latin1')]);
    this.drained = drained;
    return !this.isSlow;
  }
  end(): void {
    this.told.push(['end']);
  }
  cut(error: CodedError): void {
    this.told.push(['cut', error.code]);
  }
}

const ignore = (): void => undefined;

test('a whole answer is passed on and kept, with the headers as they were handed over', () => {
  const witness = new Witness();
  const sink = new RecordingSink(witness, 100);
  sink.whole(200, { 'content-type': 'application/json' }, Buffer.from('{}'));
  expect(witness.told).toEqual([['whole', 200, '{}']]);
  expect(sink).toMatchObject({ status: 200, isStream: false, ending: 'ended', bytes: 2 });
  expect(sink.headers).toEqual({ 'content-type': 'application/json' });
  expect(sink.body?.toString()).toBe('{}');
});

test('whatever pieces a stream comes in, all of them pass at once, and its bytes are kept up to the limit', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 20 }),
      fc.integer({ min: 0, max: 200 }),
      (pieces, limit) => {
        const witness = new Witness();
        const sink = new RecordingSink(witness, limit);
        const chunks = pieces.map((piece) => Buffer.from(piece));
        sink.start(200, {});
        for (const chunk of chunks) sink.write(chunk, ignore);
        sink.end();
        const all = Buffer.concat(chunks);
        expect(witness.told).toEqual([
          ['start', 200],
          ...chunks.map((chunk) => ['write', chunk.toString('latin1')]),
          ['end'],
        ]);
        expect(sink).toMatchObject({ isStream: true, ending: 'ended', bytes: all.length });
        expect(sink.body).toEqual(all.length <= limit ? all : null);
        expect(sink.headers).toEqual({});
      },
    ),
  );
});

test('once it let go, a small rest is not taken for the answer', () => {
  const sink = new RecordingSink(new Witness(), 4);
  sink.start(200, {});
  sink.write(Buffer.from('abcde'), ignore);
  sink.write(Buffer.from('f'), ignore);
  expect([sink.body, sink.bytes]).toEqual([null, 6]);
});

test('a body that is read early grows on', () => {
  const sink = new RecordingSink(new Witness(), 10);
  sink.start(200, {});
  for (const [piece, soFar] of [
    ['a', 'a'],
    ['b', 'ab'],
    ['c', 'abc'],
  ] as const) {
    sink.write(Buffer.from(piece), ignore);
    expect(sink.body?.toString()).toBe(soFar);
  }
});

test('what is cut, left or slow is so behind it too', () => {
  const witness = new Witness(true);
  const sink = new RecordingSink(witness, 10);
  expect([sink.status, sink.ending]).toEqual([0, 'open']);
  sink.start(200, {});
  expect(sink.write(Buffer.from('a'), ignore)).toBe(false);
  expect(witness.drained).toBe(ignore);
  expect(sink.ending).toBe('open');
  sink.cut(new CodedError('draining'));
  expect(sink.ending).toBe('cut');
  expect(witness.told.at(-1)).toEqual(['cut', 'draining']);
});

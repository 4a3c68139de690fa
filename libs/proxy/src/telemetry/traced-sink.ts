import type { CodedError } from '@app/platform';
import type { AnswerSink } from '../answer/answer-sink';
import { RecordingSink } from '../answer/recording-sink';
import type { CallTrace } from './call-trace';

/** Tells a caller that prompt and answer stand in a trace, for whoever reads traces. */
export const TOLD_HEADER = 'x-openclawmu-trace-content';
export const TOLD = 'told';

/** A call's sink, seen by its trace; what is behind it is what the client gets. */
export function traced(sink: AnswerSink, trace: CallTrace): AnswerSink {
  if (trace.mostContentBytes === 0) return new TracedSink(sink, trace);
  trace.recorded = new RecordingSink(sink, trace.mostContentBytes);
  return new TracedSink(trace.recorded, trace);
}

/** Passes an answer on as it comes, and notes what the client gets to see of it. */
class TracedSink implements AnswerSink {
  constructor(
    private readonly sink: AnswerSink,
    private readonly trace: CallTrace,
  ) {}

  whole(status: number, headers: Record<string, string>, body: Buffer): void {
    this.trace.status = status;
    if (this.trace.tellsContent) headers[TOLD_HEADER] = TOLD;
    this.sink.whole(status, headers, body);
  }

  start(status: number, headers: Record<string, string>): void {
    this.trace.status = status;
    if (this.trace.tellsContent) headers[TOLD_HEADER] = TOLD;
    this.sink.start(status, headers);
  }

  write(chunk: Buffer, drained: () => void): boolean {
    if (this.trace.firstChunkMs === 0 && chunk.length > 0) this.trace.firstChunkMs = performance.now();
    return this.sink.write(chunk, drained);
  }

  end(): void {
    this.sink.end();
  }

  cut(error: CodedError): void {
    this.trace.failed(error);
    this.sink.cut(error);
  }
}

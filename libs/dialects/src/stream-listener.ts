import { ChatStreamReader } from './chat/read-stream';
import type { ProviderFormat } from './format';
import { GeminiStreamReader } from './gemini/read-stream';
import { parseRecord } from './json';
import { MessagesStreamReader } from './messages/read-stream';
import { unreadable } from './refuse';
import { ReplyStream, type StreamReader, type StreamWriter } from './reply-stream';
import { ResponsesStreamReader } from './responses/read-stream';
import { MAX_LINE_BYTES, SseLines, type LineSink } from './sse-lines';

const READERS: Readonly<Record<ProviderFormat, new () => StreamReader>> = {
  chat: ChatStreamReader,
  responses: ResponsesStreamReader,
  messages: MessagesStreamReader,
  gemini: GeminiStreamReader,
};

/**
 * The last event of a response repeats all of its output, with each alternative of each token, and of its request the
 * instructions and the tools. Google tells arguments and pictures whole.
 */
const LARGE_EVENT_BYTES = 64 * 1024 * 1024;
const tellsAtOnce = (format: ProviderFormat): boolean => format === 'responses' || format === 'gemini';

const DATA = Buffer.from('data:');
const SPACE = 0x20;

/** Reads a stream of server-sent events in chunks cut anywhere, and tells a writer what is said in it. */
export class StreamListener implements LineSink {
  private readonly lines: SseLines;
  private readonly reader: StreamReader;
  private readonly reply: ReplyStream;
  /** Data of the event under way; most events have one line. */
  private event: string | null = null;

  /** @param clientNames names of tools by those that the provider knows */
  constructor(from: ProviderFormat, writer: StreamWriter, clientNames?: ReadonlyMap<string, string>) {
    this.lines = new SseLines(tellsAtOnce(from) ? LARGE_EVENT_BYTES : MAX_LINE_BYTES);
    this.reader = new READERS[from]();
    this.reply = new ReplyStream(writer, clientNames);
  }

  /** @throws CodedError `provider_error` for a stream that makes no sense */
  push(chunk: Buffer): void {
    this.lines.push(chunk, this);
    if (this.lines.skipped > 0) throw unreadable('has an event that is too large');
  }

  /** The stream is at its end. */
  flush(): void {
    const rest = this.lines.rest();
    if (rest.length > 0) this.line(rest, 0, rest.length);
    this.dispatch();
    if (!this.reply.failed) this.reader.flush(this.reply);
  }

  /** For {@link SseLines}. */
  line(buffer: Buffer, start: number, end: number): void {
    if (start === end) return this.dispatch();
    for (let i = 0; i < DATA.length; i += 1) if (buffer[start + i] !== DATA[i]) return;
    const from = start + DATA.length;
    const data = buffer.toString('utf8', buffer[from] === SPACE ? from + 1 : from, end);
    this.event = this.event === null ? data : `${this.event}\n${data}`;
  }

  private dispatch(): void {
    const data = this.event;
    this.event = null;
    if (data === null || this.reply.failed || this.reply.ended) return;
    const event = parseRecord(data);
    if (event) this.reader.event(event, this.reply);
    else this.reader.word?.(data.trim(), this.reply);
  }
}

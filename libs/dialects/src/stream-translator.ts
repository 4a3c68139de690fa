import { ChatStreamReader } from './chat/read-stream';
import { ChatStreamWriter } from './chat/write-stream';
import type { ClientFormat, ProviderFormat } from './format';
import { GeminiStreamReader } from './gemini/read-stream';
import { parseRecord } from './json';
import { MessagesStreamReader } from './messages/read-stream';
import { MessagesStreamWriter } from './messages/write-stream';
import { unreadable } from './refuse';
import type { Recall } from './reply';
import { ReplyStream, type StreamReader, type StreamWriter } from './reply-stream';
import { ResponsesStreamReader } from './responses/read-stream';
import { ResponsesStreamWriter } from './responses/write-stream';
import { SseLines, type LineSink } from './sse-lines';
import { SseWriter } from './sse-writer';

const READERS: Readonly<Record<ProviderFormat, new () => StreamReader>> = {
  chat: ChatStreamReader,
  responses: ResponsesStreamReader,
  messages: MessagesStreamReader,
  gemini: GeminiStreamReader,
};

const WRITERS: Readonly<Record<ClientFormat, new (recall: Recall, out: SseWriter) => StreamWriter>> = {
  chat: ChatStreamWriter,
  responses: ResponsesStreamWriter,
  messages: MessagesStreamWriter,
};

const DATA = Buffer.from('data:');
const SPACE = 0x20;

/**
 * Translates a stream of server-sent events while it arrives, in chunks cut anywhere: what a chunk completes leaves with
 * it. A stream that breaks off gets no last event, and nothing is told of a provider's error: its words may name the
 * account that all tenants share, so whoever relays the stream tells it.
 */
export class StreamTranslator implements LineSink {
  private readonly lines = new SseLines();
  private readonly out = new SseWriter();
  private readonly reader: StreamReader;
  private readonly reply: ReplyStream;
  /** Data of the event under way; most events have one line. */
  private event: string | null = null;

  constructor(from: ProviderFormat, to: ClientFormat, recall: Recall) {
    this.reader = new READERS[from]();
    this.reply = new ReplyStream(new WRITERS[to](recall, this.out));
  }

  /** @throws CodedError `provider_error` for a stream that cannot be told in the client's dialect */
  push(chunk: Buffer): Buffer {
    this.lines.push(chunk, this);
    if (this.lines.skipped > 0) throw unreadable('has an event that is too large');
    return this.out.take();
  }

  /** The provider has ended the stream. */
  flush(): Buffer {
    const rest = this.lines.rest();
    if (rest.length > 0) this.line(rest, 0, rest.length);
    this.dispatch();
    if (!this.reply.failed) this.reader.flush(this.reply);
    return this.out.take();
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

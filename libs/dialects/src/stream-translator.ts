import { ChatStreamWriter } from './chat/write-stream';
import type { ClientFormat, ProviderFormat } from './format';
import { MessagesStreamWriter } from './messages/write-stream';
import type { Recall } from './reply';
import type { StreamWriter } from './reply-stream';
import { ResponsesStreamWriter } from './responses/write-stream';
import { SseWriter } from './sse-writer';
import { StreamListener } from './stream-listener';

const WRITERS: Readonly<Record<ClientFormat, new (recall: Recall, out: SseWriter) => StreamWriter>> = {
  chat: ChatStreamWriter,
  responses: ResponsesStreamWriter,
  messages: MessagesStreamWriter,
};

/**
 * Translates a stream of server-sent events while it arrives, in chunks cut anywhere: what a chunk completes leaves with
 * it. A stream that breaks off gets no last event, and nothing is told of a provider's error: its words may name the
 * account that all tenants share, so whoever relays the stream tells it.
 */
export class StreamTranslator {
  private readonly out = new SseWriter();
  private readonly listener: StreamListener;

  constructor(from: ProviderFormat, to: ClientFormat, recall: Recall) {
    this.listener = new StreamListener(from, new WRITERS[to](recall, this.out), recall.clientNames);
  }

  /** @throws CodedError `provider_error` for a stream that cannot be told in the client's dialect */
  push(chunk: Buffer): Buffer {
    this.listener.push(chunk);
    return this.out.take();
  }

  /** The provider has ended the stream. */
  flush(): Buffer {
    this.listener.flush();
    return this.out.take();
  }
}

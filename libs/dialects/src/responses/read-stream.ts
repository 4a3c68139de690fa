import { record, text, type Json } from '../json';
import type { Logprobs } from '../reply';
import type { ReplyStream, StreamReader } from '../reply-stream';
import { sealOfItem } from './reasoning-item';
import { stopOf } from './read-reply';
import { readResponsesUsage } from './usage';

/** Reads a stream of OpenAI's responses. */
export class ResponsesStreamReader implements StreamReader {
  private called = false;
  private summaries = 0;
  /** Whether arguments of the call came piece by piece; some servers tell them at its end only. */
  private isArguing = false;

  event(event: Json, reply: ReplyStream): void {
    switch (event['type']) {
      case 'response.created':
        return reply.begin(text(record(event['response'])?.['id']) ?? '');
      case 'response.output_item.added':
        return this.added(record(event['item']) ?? {}, reply);
      case 'response.output_text.delta':
        return reply.speak('text', text(event['delta']) ?? '', logprobsOf(event['logprobs']));
      case 'response.refusal.delta':
        return reply.speak('refusal', text(event['delta']) ?? '');
      case 'response.reasoning_summary_part.added':
        this.summaries += 1;
        return this.summaries > 1 ? reply.speak('thinking', '\n\n') : undefined;
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        return reply.speak('thinking', text(event['delta']) ?? '');
      case 'response.function_call_arguments.delta':
        this.isArguing = true;
        return reply.args(text(event['item_id']) ?? '', text(event['delta']) ?? '');
      case 'response.output_item.done':
        return this.done(record(event['item']) ?? {}, reply);
      case 'response.completed':
      case 'response.incomplete':
        return this.end(record(event['response']) ?? {}, reply);
      case 'response.failed':
      case 'error':
        reply.failed = true;
    }
  }

  flush(): void {
    // Without the response's last word the stream was cut.
  }

  private added(item: Json, reply: ReplyStream): void {
    if (item['type'] === 'reasoning') this.summaries = 0;
    if (item['type'] !== 'function_call') return;
    this.called = true;
    this.isArguing = false;
    reply.call(text(item['id']) ?? '', text(item['call_id']) ?? '', text(item['name']) ?? '');
  }

  private done(item: Json, reply: ReplyStream): void {
    if (item['type'] === 'function_call' && !this.isArguing)
      reply.args(text(item['id']) ?? '', text(item['arguments']) ?? '');
    const seal = item['type'] === 'reasoning' ? sealOfItem(item) : null;
    if (seal) reply.sealThought(seal);
    else reply.close();
  }

  private end(response: Json, reply: ReplyStream): void {
    const usage = record(response['usage']);
    if (usage) reply.usage = readResponsesUsage(usage);
    reply.stopFor(stopOf(response, this.called));
    reply.end();
  }
}

const logprobsOf = (told: unknown): Logprobs | undefined => (Array.isArray(told) && told.length > 0 ? told : undefined);

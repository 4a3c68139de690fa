import { writeExact } from '../exact-json';
import { record, text, type Json } from '../json';
import { NO_USAGE } from '../reply';
import type { ReplyStream, StreamReader } from '../reply-stream';
import { explanationOf, readMessagesStop } from './stop';
import { readMessagesUsage } from './usage';

/** Reads a stream of Anthropic's messages. */
export class MessagesStreamReader implements StreamReader {
  /** Arguments that came with the beginning of a call, from servers that do not tell them piece by piece. */
  private input = '';

  event(event: Json, reply: ReplyStream): void {
    switch (event['type']) {
      case 'message_start': {
        const message = record(event['message']) ?? {};
        reply.begin(text(message['id']) ?? '');
        return this.usage(message, reply);
      }
      case 'content_block_start':
        return this.start(event['index'] as number, record(event['content_block']) ?? {}, reply);
      case 'content_block_delta':
        return this.delta(event['index'] as number, record(event['delta']) ?? {}, reply);
      case 'content_block_stop':
        return this.stop(event['index'] as number, reply);
      case 'message_delta': {
        const delta = record(event['delta']) ?? {};
        reply.speak('refusal', explanationOf(delta) ?? '');
        reply.stopFor(readMessagesStop(delta['stop_reason']), text(delta['stop_sequence']) ?? null);
        return this.usage(event, reply);
      }
      case 'message_stop':
        return reply.end();
      case 'error':
        reply.failed = true;
    }
  }

  flush(): void {
    // Without message_stop the stream was cut.
  }

  private stop(index: number, reply: ReplyStream): void {
    if (this.input !== '' && reply.speaking === 'call') reply.args(index, this.input);
    this.input = '';
    reply.close();
  }

  private start(index: number, block: Json, reply: ReplyStream): void {
    switch (block['type']) {
      case 'tool_use':
        this.input = Object.keys(record(block['input']) ?? {}).length > 0 ? writeExact(block['input']) : '';
        return reply.call(index, text(block['id']) ?? '', text(block['name']) ?? '');
      case 'redacted_thinking':
        return reply.sealThought({ from: 'redacted', data: text(block['data']) ?? '' });
      case 'text':
        return reply.speak('text', text(block['text']) ?? '');
    }
  }

  private delta(index: number, delta: Json, reply: ReplyStream): void {
    switch (delta['type']) {
      case 'text_delta':
        return reply.speak('text', text(delta['text']) ?? '');
      case 'thinking_delta':
        return reply.speak('thinking', text(delta['thinking']) ?? '');
      case 'signature_delta':
        return reply.sealThought({ from: 'messages', data: text(delta['signature']) ?? '' });
      case 'input_json_delta':
        // The findings of a tool that the provider runs are no call of the caller's.
        this.input = '';
        if (reply.speaking === 'call') reply.args(index, text(delta['partial_json']) ?? '');
    }
  }

  private usage(holder: Json, reply: ReplyStream): void {
    const usage = record(holder['usage']);
    if (usage) reply.usage = readMessagesUsage(usage, reply.usage ?? NO_USAGE);
  }
}

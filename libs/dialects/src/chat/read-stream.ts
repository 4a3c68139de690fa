import { isSet, record, records, text, type Json } from '../json';
import type { ReplyStream, StreamReader } from '../reply-stream';
import { callId, saidIn, thoughtOf } from './read-reply';
import { chatSequence, readChatStop } from './stop';
import { readChatUsage } from './usage';

/** Reads a stream of chat completions. Usage comes behind the reason to stop, so the end waits for `[DONE]`. */
export class ChatStreamReader implements StreamReader {
  private id = '';
  private called = false;
  /** Ids of calls by the index under which they come. */
  private readonly ids = new Map<number, string>();

  word(data: string, reply: ReplyStream): void {
    if (data === '[DONE]') reply.end();
  }

  event(event: Json, reply: ReplyStream): void {
    if (isSet(event['error'])) {
      reply.failed = true;
      return;
    }
    const usage = record(event['usage']);
    if (usage) reply.usage = readChatUsage(usage);
    this.id ||= text(event['id']) ?? '';
    reply.begin(this.id);
    const [choice] = records(event['choices']);
    if (!choice) return;
    const delta = record(choice['delta']);
    if (delta) this.delta(delta, choice, reply);
    if (isSet(choice['finish_reason'])) this.stop(choice, reply);
  }

  flush(): void {
    // Without [DONE] the stream was cut.
  }

  private delta(delta: Json, choice: Json, reply: ReplyStream): void {
    const thought = thoughtOf(delta);
    if (thought) reply.speak('thinking', thought);
    const said = saidIn(delta);
    const logprobs = record(choice['logprobs'])?.['content'];
    if (said) {
      this.sealThought(reply);
      reply.speak('text', said, Array.isArray(logprobs) ? logprobs : undefined);
    }
    const refusal = text(delta['refusal']);
    if (refusal) {
      this.sealThought(reply);
      reply.speak('refusal', refusal);
    }
    if (isSet(delta['tool_calls'])) for (const call of records(delta['tool_calls'])) this.call(call, reply);
  }

  private call(call: Json, reply: ReplyStream): void {
    const told = record(call['function']) ?? {};
    const index = typeof call['index'] === 'number' ? call['index'] : 0;
    const name = text(told['name']);
    const id = text(call['id']);
    // Some servers repeat id and name in each fragment, and some give calls made together one index.
    if (name && (!this.ids.has(index) || (id && id !== this.ids.get(index)))) {
      this.sealThought(reply);
      this.ids.set(index, id ?? '');
      reply.call(`${index} ${id ?? ''}`, callId(call, this.id, index), name);
      this.called = true;
    }
    const key = `${index} ${this.ids.get(index)}`;
    reply.args(key, text(told['arguments']) ?? '');
  }

  private stop(choice: Json, reply: ReplyStream): void {
    const stop = readChatStop(choice);
    if (reply.speaking === 'thinking') this.sealThought(reply);
    const sequence = stop === 'sequence' ? chatSequence(choice) : null;
    reply.stopFor(stop === 'end' && this.called ? 'calls' : stop, sequence);
  }

  /** A thought told in the open has a seal that says so: servers that tell thoughts want them back. */
  private sealThought(reply: ReplyStream): void {
    if (reply.speaking === 'thinking') reply.sealThought({ from: 'chat', data: '' });
  }
}

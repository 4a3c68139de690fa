import { isSet, record, records, text, type Json } from '../json';
import type { ReplyStream, StreamReader } from '../reply-stream';
import { argsOf, callId, partsOf, readGeminiUsage, readLogprobs, sealOf, stopOf } from './read-reply';

/** Reads a stream of Google's streamGenerateContent. It has no last word: a reason to stop and its end are one. */
export class GeminiStreamReader implements StreamReader {
  private calls = 0;
  private id = '';

  event(event: Json, reply: ReplyStream): void {
    if (isSet(event['error'])) {
      reply.failed = true;
      return;
    }
    this.id ||= text(event['responseId']) ?? '';
    const usage = record(event['usageMetadata']);
    if (usage) reply.usage = readGeminiUsage(usage);
    reply.begin(this.id);
    const [candidate] = records(event['candidates']);
    let logprobs = readLogprobs(candidate);
    for (const part of partsOf(candidate)) {
      this.part(part, reply, logprobs);
      if (!isSet(part['thought'])) logprobs = undefined;
    }
    if (isSet(candidate?.['finishReason']) || isSet(record(event['promptFeedback'])?.['blockReason']))
      reply.stopFor(stopOf(event, candidate, this.calls > 0));
  }

  flush(reply: ReplyStream): void {
    if (reply.stopped) reply.end();
  }

  private part(part: Json, reply: ReplyStream, logprobs: ReturnType<typeof readLogprobs>): void {
    const seal = sealOf(part);
    const said = text(part['text']) ?? '';
    if (part['thought'] === true) {
      reply.speak('thinking', said);
      if (seal) reply.sealThought(seal);
      return;
    }
    const call = record(part['functionCall']);
    if (seal && (call || reply.speaking !== 'text')) reply.sealThought(seal);
    if (!call) return reply.speak('text', said, logprobs);
    const key = this.calls;
    this.calls += 1;
    reply.call(key, callId(call, this.id, key), text(call['name']) ?? '');
    reply.args(key, argsOf(call));
  }
}

import { record, records, text, type Json } from '../json';
import type { Logprobs, Reply, ReplyPart, Stop } from '../reply';
import { unreadable } from '../refuse';
import { sealOfItem, thoughtOf } from './reasoning-item';
import { readResponsesUsage } from './usage';

/** Reads a whole answer of OpenAI's responses. */
export function readResponsesReply(body: Json): Reply {
  if (!Array.isArray(body['output'])) throw unreadable('has no output');
  if (body['status'] === 'failed') throw unreadable('failed');
  const usage = record(body['usage']);
  const parts = records(body['output']).flatMap(readItem);
  return {
    id: text(body['id']) ?? '',
    parts,
    stop: stopOf(
      body,
      parts.some(({ kind }) => kind === 'call'),
    ),
    stopSequence: null,
    usage: usage ? readResponsesUsage(usage) : null,
  };
}

export function stopOf(body: Json, called: boolean): Stop {
  if (body['status'] === 'incomplete')
    return record(body['incomplete_details'])?.['reason'] === 'content_filter' ? 'refusal' : 'limit';
  return called ? 'calls' : 'end';
}

function readItem(item: Json): ReplyPart[] {
  switch (item['type']) {
    case 'reasoning':
      return [{ kind: 'thinking', text: thoughtOf(item), seal: sealOfItem(item) }];
    case 'function_call':
      return [
        {
          kind: 'call',
          id: text(item['call_id']) ?? '',
          name: text(item['name']) ?? '',
          args: text(item['arguments']) || '{}',
        },
      ];
    case 'message':
      return records(item['content']).map((part): ReplyPart => {
        if (part['type'] === 'refusal') return { kind: 'refusal', text: text(part['refusal']) ?? '' };
        const logprobs = part['logprobs'];
        const told = Array.isArray(logprobs) && logprobs.length > 0 ? { logprobs: logprobs as Logprobs } : {};
        return { kind: 'text', text: text(part['text']) ?? '', ...told };
      });
    default:
      return [];
  }
}

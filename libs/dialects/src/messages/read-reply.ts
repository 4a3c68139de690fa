import { writeExact } from '../exact-json';
import { record, records, text, type Json } from '../json';
import { NO_USAGE, type Reply, type ReplyPart } from '../reply';
import { unreadable } from '../refuse';
import { explanationOf, readMessagesStop } from './stop';
import { readMessagesUsage } from './usage';

/** Reads a whole answer of Anthropic's messages. */
export function readMessagesReply(body: Json): Reply {
  if (!Array.isArray(body['content'])) throw unreadable('has no content');
  const usage = record(body['usage']);
  const parts = records(body['content']).flatMap(readBlock);
  const explanation = explanationOf(body);
  if (explanation) parts.push({ kind: 'refusal', text: explanation });
  return {
    id: text(body['id']) ?? '',
    parts,
    stop: readMessagesStop(body['stop_reason']),
    stopSequence: text(body['stop_sequence']) ?? null,
    usage: usage ? readMessagesUsage(usage, NO_USAGE) : null,
  };
}

function readBlock(block: Json): ReplyPart[] {
  switch (block['type']) {
    case 'text':
      return [{ kind: 'text', text: text(block['text']) ?? '' }];
    case 'thinking': {
      const signature = text(block['signature']);
      const seal = signature ? ({ from: 'messages', data: signature } as const) : null;
      return [{ kind: 'thinking', text: text(block['thinking']) ?? '', seal }];
    }
    case 'redacted_thinking':
      return [{ kind: 'thinking', text: '', seal: { from: 'redacted', data: text(block['data']) ?? '' } }];
    case 'tool_use': {
      const args = writeExact(block['input'] ?? {});
      return [{ kind: 'call', id: text(block['id']) ?? '', name: text(block['name']) ?? '', args }];
    }
    default:
      return [];
  }
}

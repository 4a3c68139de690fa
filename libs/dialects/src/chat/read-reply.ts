import { isSet, record, records, text, type Json } from '../json';
import type { Reply, ReplyPart } from '../reply';
import { unreadable } from '../refuse';
import { readChatStop } from './stop';
import { readChatUsage } from './usage';

/** Reads a whole answer of chat completions; of several choices the first, as a translated request asks for one. */
export function readChatReply(body: Json): Reply {
  const [choice] = records(body['choices']);
  const message = record(choice?.['message']);
  if (!choice || !message) throw unreadable('has no choice');
  const usage = record(body['usage']);
  const refusal = text(message['refusal']);
  const thought = thoughtOf(message);
  const said = text(message['content']);
  const logprobs = record(choice['logprobs'])?.['content'];
  const parts: ReplyPart[] = [];
  if (thought) parts.push({ kind: 'thinking', text: thought, seal: { from: 'chat', data: '' } });
  if (said) parts.push({ kind: 'text', text: said, ...(Array.isArray(logprobs) && { logprobs }) });
  if (refusal) parts.push({ kind: 'refusal', text: refusal });
  for (const call of records(message['tool_calls'])) {
    const told = record(call['function']) ?? {};
    parts.push({
      kind: 'call',
      id: text(call['id']) ?? '',
      name: text(told['name']) ?? '',
      args: text(told['arguments']) || '{}',
    });
  }
  const stop = readChatStop(choice['finish_reason']);
  return {
    id: text(body['id']) ?? '',
    parts,
    // Some servers say "stop" behind calls.
    stop: stop === 'end' && parts.some(({ kind }) => kind === 'call') ? 'calls' : stop,
    stopSequence: null,
    usage: isSet(usage) && usage ? readChatUsage(usage) : null,
  };
}

/** What servers of open models call the thoughts; OpenAI itself tells none here. */
export const thoughtOf = (message: Json): string | undefined =>
  text(message['reasoning_content']) ?? text(message['reasoning']);

import { isSet, record, records, text, type Json } from '../json';
import type { Reply, ReplyPart } from '../reply';
import { unreadable } from '../refuse';
import { chatSequence, readChatStop } from './stop';
import { readChatUsage } from './usage';

/** Reads a whole answer of chat completions; of several choices the first, as a translated request asks for one. */
export function readChatReply(body: Json): Reply {
  const [choice] = records(body['choices']);
  const message = record(choice?.['message']);
  if (!choice || !message) throw unreadable('has no choice');
  const usage = record(body['usage']);
  const refusal = text(message['refusal']);
  const thought = thoughtOf(message);
  const said = saidIn(message);
  const logprobs = record(choice['logprobs'])?.['content'];
  const parts: ReplyPart[] = [];
  if (thought) parts.push({ kind: 'thinking', text: thought, seal: { from: 'chat', data: '' } });
  if (said) parts.push({ kind: 'text', text: said, ...(Array.isArray(logprobs) && { logprobs }) });
  if (refusal) parts.push({ kind: 'refusal', text: refusal });
  const id = text(body['id']) ?? '';
  for (const [index, call] of records(message['tool_calls']).entries()) {
    const told = record(call['function']) ?? {};
    parts.push({
      kind: 'call',
      id: callId(call, id, index),
      name: text(told['name']) ?? '',
      args: text(told['arguments']) || '{}',
    });
  }
  const stop = readChatStop(choice);
  return {
    id,
    parts,
    // Some servers say "stop" behind calls.
    stop: stop === 'end' && parts.some(({ kind }) => kind === 'call') ? 'calls' : stop,
    stopSequence: stop === 'sequence' ? chatSequence(choice) : null,
    usage: isSet(usage) && usage ? readChatUsage(usage) : null,
  };
}

/** What servers of open models call the thoughts; OpenAI itself tells none here. Mistral tells them within the content. */
export const thoughtOf = (message: Json): string | undefined =>
  text(message['reasoning_content']) ??
  text(message['reasoning']) ??
  records(message['content'])
    .flatMap((part) => records(part['thinking']))
    .map((part) => text(part['text']) ?? '')
    .join('');

export const saidIn = ({ content }: Json): string | undefined =>
  text(content) ??
  records(content)
    .map((part) => text(part['text']) ?? '')
    .join('');

/** Some servers give their calls no id; the answer's own and a number make one that no other call has. */
export const callId = (call: Json, answer: string, index: number): string =>
  text(call['id']) || `call_${answer}_${index}`;

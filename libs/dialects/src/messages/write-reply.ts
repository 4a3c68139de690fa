import type { Recall, Reply, ReplyPart, Stop } from '../reply';
import { NO_USAGE } from '../reply';
import { argsObject } from '../request-writer';
import { pack, type Seal } from '../seal';
import { MESSAGES_STOPS } from './stop';
import { writeMessagesUsage } from './usage';

/** Writes a whole answer of Anthropic's messages. */
export function writeMessagesReply(reply: Reply, recall: Recall): Record<string, unknown> {
  return {
    ...messageHead(reply.id, recall),
    content: reply.parts.map(writePart),
    stop_reason: stopReason(
      reply.stop,
      reply.parts.some(({ kind }) => kind === 'refusal'),
    ),
    stop_sequence: reply.stopSequence,
    usage: fullUsage(writeMessagesUsage(reply.usage ?? NO_USAGE)),
  };
}

/** @param refused whether the model itself said that it will not: of that Anthropic makes no part, but a reason to stop */
export const stopReason = (stop: Stop, refused: boolean): string =>
  MESSAGES_STOPS[stop === 'end' && refused ? 'refusal' : stop];

/** A message before anything was said. */
export const messageHead = (id: string, recall: Recall): Record<string, unknown> => ({
  id: messageId(id || recall.fallbackId),
  type: 'message',
  role: 'assistant',
  model: recall.model,
  content: [],
  container: null,
  stop_details: null,
  stop_reason: null,
  stop_sequence: null,
});

const messageId = (id: string): string => (id.startsWith('msg_') ? id : `msg_${id}`);

/** What a message's usage has beside that of its last event. */
export const fullUsage = (usage: object): object => ({
  cache_creation: null,
  inference_geo: null,
  service_tier: null,
  ...usage,
});

/** The block of a thought: Anthropic's redacted ones have a type of their own. */
export function writeThought(text: string, seal: Seal | null): { type: string; [member: string]: string } {
  if (seal?.from === 'redacted') return { type: 'redacted_thinking', data: seal.data };
  return { type: 'thinking', thinking: text, signature: seal ? pack(seal, 'messages') : '' };
}

function writePart(part: ReplyPart): object {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return { type: 'text', text: part.text, citations: null };
    case 'thinking':
      return writeThought(part.text, part.seal);
    case 'call':
      return { type: 'tool_use', id: part.id, name: part.name, input: argsObject(part.args) };
  }
}

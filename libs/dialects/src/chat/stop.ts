import { text, type Json } from '../json';
import type { Stop } from '../reply';

/** Words of other servers for an end that no sequence made. */
const ENDS = new Set(['stop', 'eos', 'eos_token', 'end_turn']);

/** Which of the given sequences ended a choice, where a server says so: vLLM by the one name, SGLang by the other. */
export function chatSequence({ stop_reason: one, matched_stop: other }: Json): string | null {
  const told = text(one) ?? text(other);
  return told === undefined || ENDS.has(told) ? null : told;
}

export function readChatStop(choice: Json): Stop {
  switch (choice['finish_reason']) {
    case 'length':
      return 'limit';
    case 'tool_calls':
    case 'function_call':
      return 'calls';
    case 'content_filter':
      return 'refusal';
    default:
      return chatSequence(choice) === null ? 'end' : 'sequence';
  }
}

export const CHAT_STOPS: Readonly<Record<Stop, string>> = {
  end: 'stop',
  sequence: 'stop',
  pause: 'stop',
  limit: 'length',
  context: 'length',
  calls: 'tool_calls',
  refusal: 'content_filter',
};

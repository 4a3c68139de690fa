import type { Stop } from '../reply';

export function readChatStop(reason: unknown): Stop {
  switch (reason) {
    case 'length':
      return 'limit';
    case 'tool_calls':
    case 'function_call':
      return 'calls';
    case 'content_filter':
      return 'refusal';
    default:
      return 'end';
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

import { record, text, type Json } from '../json';
import type { Stop } from '../reply';

const STOPS: Readonly<Record<string, Stop>> = {
  end_turn: 'end',
  max_tokens: 'limit',
  stop_sequence: 'sequence',
  tool_use: 'calls',
  pause_turn: 'pause',
  refusal: 'refusal',
  model_context_window_exceeded: 'context',
};

export const readMessagesStop = (reason: unknown): Stop =>
  (typeof reason === 'string' ? STOPS[reason] : undefined) ?? 'end';

/** Why a filter stepped in, where it says so. */
export const explanationOf = (holder: Json): string | undefined =>
  text(record(holder['stop_details'])?.['explanation']);

export const MESSAGES_STOPS: Readonly<Record<Stop, string>> = {
  end: 'end_turn',
  limit: 'max_tokens',
  sequence: 'stop_sequence',
  calls: 'tool_use',
  pause: 'pause_turn',
  refusal: 'refusal',
  context: 'model_context_window_exceeded',
};

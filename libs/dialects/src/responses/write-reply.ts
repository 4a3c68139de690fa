import { customInput } from '../custom-input';
import type { Logprobs, Recall, Reply, ReplyPart, Stop, Usage } from '../reply';
import { pack } from '../seal';
import { writeResponsesUsage } from './usage';

/** Writes a whole answer of OpenAI's responses. */
export function writeResponsesReply(reply: Reply, recall: Recall): Record<string, unknown> {
  const id = responseId(reply.id || recall.fallbackId);
  const output = reply.parts.map((part, index) => writeItem(part, itemId(part.kind, id, index), recall));
  return writeResponse(id, output, reply.stop, reply.usage, recall);
}

export const responseId = (id: string): string => (id.startsWith('resp_') ? id : `resp_${id}`);

const PREFIXES: Readonly<Record<ReplyPart['kind'], string>> = {
  text: 'msg',
  refusal: 'msg',
  thinking: 'rs',
  call: 'fc',
};

export const itemId = (kind: ReplyPart['kind'], response: string, index: number): string =>
  `${PREFIXES[kind]}_${response.slice('resp_'.length)}_${index}`;

/** What an answer repeats of its request, where that left it to the API. */
const DEFAULTS = {
  error: null,
  incomplete_details: null,
  instructions: null,
  max_output_tokens: null,
  metadata: {},
  parallel_tool_calls: true,
  previous_response_id: null,
  reasoning: { effort: null, summary: null },
  store: false,
  temperature: 1,
  text: { format: { type: 'text' } },
  tool_choice: 'auto',
  tools: [],
  top_p: 1,
  truncation: 'disabled',
};

/** @param stop null while the answer is under way */
export function writeResponse(
  id: string,
  output: readonly unknown[],
  stop: Stop | null,
  usage: Usage | null,
  recall: Recall,
): Record<string, unknown> {
  const reason = stop && reasonOf(stop);
  return {
    id,
    object: 'response',
    created_at: recall.createdSeconds,
    status: stop === null ? 'in_progress' : reason ? 'incomplete' : 'completed',
    ...DEFAULTS,
    ...recall.echo,
    ...(reason && { incomplete_details: { reason } }),
    model: recall.model,
    output,
    usage: usage && writeResponsesUsage(usage),
  };
}

function reasonOf(stop: Stop): string | null {
  if (stop === 'limit' || stop === 'context') return 'max_output_tokens';
  return stop === 'refusal' ? 'content_filter' : null;
}

export function writeItem(part: ReplyPart, id: string, recall: Recall): Record<string, unknown> {
  switch (part.kind) {
    case 'text':
      return messageItem(id, 'completed', [textPart(part.text, part.logprobs)]);
    case 'refusal':
      return messageItem(id, 'completed', [{ type: 'refusal', refusal: part.text }]);
    case 'thinking':
      return {
        id,
        type: 'reasoning',
        summary: part.text === '' ? [] : [{ type: 'summary_text', text: part.text }],
        ...(part.seal && { encrypted_content: pack(part.seal, 'responses') }),
      };
    case 'call':
      return callItem(id, 'completed', part, recall);
  }
}

export const messageItem = (id: string, status: string, content: readonly object[]): Record<string, unknown> => ({
  id,
  type: 'message',
  status,
  role: 'assistant',
  content,
});

export const textPart = (text: string, logprobs: Logprobs | undefined): object => ({
  type: 'output_text',
  text,
  annotations: [],
  logprobs: logprobs ?? [],
});

/** @param call with empty arguments while these are under way */
export function callItem(
  id: string,
  status: string,
  call: { readonly id: string; readonly name: string; readonly args: string },
  { customTools, namespaced }: Recall,
): Record<string, unknown> {
  const name = namespaced.get(call.name) ?? { name: call.name };
  if (customTools.has(call.name)) {
    const input = call.args === '' ? '' : customInput(call.args);
    return { id, type: 'custom_tool_call', status, call_id: call.id, ...name, input };
  }
  return { id, type: 'function_call', status, call_id: call.id, ...name, arguments: call.args };
}

import type { Conversation, Dropped, Part, ResultPart, Turn } from '../conversation';
import { urlOf } from '../data-url';
import { compact } from '../json';
import { OpenAiModel } from '../openai-model';
import { notExpressible } from '../refuse';
import { dropMarks, dropSettings, isText, objectSchema, shortUser, splitSystem, type Target } from '../request-writer';
import { itemOfSeal } from './reasoning-item';

/** Writes a request of OpenAI's responses that leaves nothing behind at OpenAI. */
export function writeResponsesRequest(told: Conversation, target: Target, dropped: Dropped): Record<string, unknown> {
  const model = new OpenAiModel(target.model);
  const request = model.sampled(told, dropped);
  dropMarks(request, dropped);
  dropSettings(request, ['topK', 'seed', 'frequencyPenalty', 'presencePenalty', 'stop'], dropped);
  const { system, rest } = splitSystem(request.turns);
  const { tools, toolChoice, format, logprobs, outputLimit } = request;
  const effort = model.effort(request, dropped);
  const include = [
    ...(model.takesEffort ? ['reasoning.encrypted_content'] : []),
    ...(logprobs === undefined ? [] : ['message.output_text.logprobs']),
  ];
  return compact({
    model: target.model,
    instructions: system.length > 0 ? system.map(({ text }) => text).join('\n\n') : undefined,
    input: rest.flatMap((turn) => writeTurn(turn, dropped)),
    store: false,
    include: include.length > 0 ? include : undefined,
    max_output_tokens: outputLimit,
    temperature: request.temperature,
    top_p: request.topP,
    top_logprobs: logprobs || undefined,
    user: request.endUser && shortUser(request.endUser),
    tools:
      tools.length === 0
        ? undefined
        : tools.map(({ name, description, schema, strict }) =>
            compact({ type: 'function', name, description, parameters: objectSchema(schema), strict }),
          ),
    tool_choice:
      tools.length === 0
        ? undefined
        : typeof toolChoice === 'object'
          ? { type: 'function', name: toolChoice.name }
          : toolChoice,
    parallel_tool_calls: tools.length > 0 ? request.parallelCalls : undefined,
    text: format && { format: writeFormat(format) },
    reasoning: effort && compact({ effort, summary: wantsSummary(request) ? 'auto' : undefined }),
    stream: request.stream || undefined,
  });
}

/** Whoever asked for no thinking wants no summary of it. */
const wantsSummary = ({ thinking, hidesThoughts }: Conversation): boolean =>
  thinking?.kind !== 'off' && hidesThoughts !== true;

const writeFormat = (format: NonNullable<Conversation['format']>): object =>
  format.kind === 'json'
    ? { type: 'json_object' }
    : compact({
        type: 'json_schema',
        name: format.name,
        description: format.description,
        schema: format.schema,
        strict: format.strict,
      });

/** The parts of a turn in their order; those that make one message stay together. */
function writeTurn({ role, parts }: Turn, dropped: Dropped): object[] {
  const items: object[] = [];
  let said: Part[] = [];
  const flush = (): void => {
    if (said.length > 0) items.push(writeMessage(role, said));
    said = [];
  };
  for (const part of parts) {
    const item = writeItem(part, dropped);
    if (item === undefined) said.push(part);
    else if (item !== null) {
      flush();
      items.push(item);
    }
  }
  flush();
  return items;
}

/** A part that is an item of its own; null for one that is lost, undefined for one that belongs into a message. */
function writeItem(part: Part, dropped: Dropped): object | null | undefined {
  switch (part.kind) {
    case 'call':
      return { type: 'function_call', call_id: part.id, name: part.name, arguments: part.args || '{}' };
    case 'result':
      if (part.isError) dropped.add('tool_result.is_error');
      return { type: 'function_call_output', call_id: part.id, output: writeOutput(part) };
    case 'thinking':
      if (part.seal?.from === 'responses') return itemOfSeal(part.seal, part.text);
      dropped.add('thinking');
      return null;
    default:
      return undefined;
  }
}

function writeOutput({ parts }: ResultPart): string | object[] {
  if (parts.every(isText)) return parts.map(({ text }) => text).join('\n');
  return parts.map((part) => writePart(part, 'user'));
}

function writeMessage(role: Turn['role'], parts: readonly Part[]): object {
  const [only] = parts;
  const content = parts.length === 1 && only?.kind === 'text' ? only.text : parts.map((part) => writePart(part, role));
  return { type: 'message', role: role === 'system' ? 'developer' : role, content };
}

function writePart(part: Part, role: Turn['role']): object {
  switch (part.kind) {
    case 'text':
      return { type: role === 'assistant' ? 'output_text' : 'input_text', text: part.text };
    case 'refusal':
      return { type: 'refusal', refusal: part.text };
    case 'image':
      return { type: 'input_image', image_url: urlOf(part.source), detail: part.detail ?? 'auto' };
    case 'document':
      return part.source.kind === 'url'
        ? { type: 'input_file', file_url: part.source.url }
        : { type: 'input_file', filename: part.name ?? 'document.pdf', file_data: urlOf(part.source) };
    case 'audio':
      return { type: 'input_audio', input_audio: { data: part.data, format: part.format } };
    default:
      throw notExpressible(`"${part.kind}" in a message`);
  }
}

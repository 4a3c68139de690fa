import type { Conversation, Dropped, Part, ResultPart, ThinkingPart, Turn } from '../conversation';
import { urlOf } from '../data-url';
import { compact } from '../json';
import { OpenAiModel } from '../openai-model';
import { notExpressible } from '../refuse';
import {
  dropMarks,
  dropSettings,
  isText,
  merged,
  objectSchema,
  shortUser,
  splitSystem,
  type Target,
} from '../request-writer';

type Message = Record<string, unknown>;

/** Writes a request of OpenAI's chat completions, as servers of open models understand it too. */
export function writeChatRequest(told: Conversation, target: Target, dropped: Dropped): Record<string, unknown> {
  const model = new OpenAiModel(target.model);
  const request = model.sampled(told, dropped);
  dropMarks(request, dropped);
  dropSettings(request, ['topK'], dropped);
  const { system, rest } = splitSystem(request.turns);
  const turns = target.systemFirst ? merged(rest.map(asUser)) : rest;
  const messages: Message[] = turns.flatMap((turn) => writeTurn(turn, dropped));
  if (system.length > 0) messages.unshift({ role: 'system', content: writeContent(system) });
  const { tools, toolChoice, format, logprobs } = request;
  return compact({
    model: target.model,
    messages,
    [target.chatLimit]: request.outputLimit,
    temperature: request.temperature,
    top_p: request.topP,
    seed: request.seed,
    frequency_penalty: request.frequencyPenalty,
    presence_penalty: request.presencePenalty,
    logprobs: logprobs === undefined ? undefined : true,
    top_logprobs: logprobs || undefined,
    stop: request.stop.length > 0 ? request.stop : undefined,
    user: request.endUser && shortUser(request.endUser),
    tools:
      tools.length === 0
        ? undefined
        : tools.map(({ name, description, schema, strict }) => ({
            type: 'function',
            function: compact({ name, description, parameters: objectSchema(schema), strict: strict || undefined }),
          })),
    tool_choice: tools.length === 0 ? undefined : typeof toolChoice === 'object' ? named(toolChoice.name) : toolChoice,
    parallel_tool_calls: tools.length > 0 ? request.parallelCalls : undefined,
    response_format: format && writeFormat(format),
    reasoning_effort: model.effort(request, dropped),
    stream: request.stream || undefined,
    stream_options: request.stream ? { include_usage: true } : undefined,
  });
}

const named = (name: string): object => ({ type: 'function', function: { name } });

const writeFormat = (format: NonNullable<Conversation['format']>): object =>
  format.kind === 'json'
    ? { type: 'json_object' }
    : {
        type: 'json_schema',
        json_schema: compact({
          name: format.name,
          description: format.description,
          schema: format.schema,
          strict: format.strict || undefined,
        }),
      };

const asUser = (turn: Turn): Turn => (turn.role === 'system' ? { ...turn, role: 'user' } : turn);

function writeTurn({ role, parts }: Turn, dropped: Dropped): Message[] {
  if (role === 'assistant') return writeAnswer(parts, dropped);
  if (role === 'system') return [{ role, content: writeContent(parts.filter(isText)) }];
  const results = parts.filter((part) => part.kind === 'result');
  // A tool's message holds text alone, so what else a tool gave follows in the user's.
  const shown = results.flatMap((result) => result.parts.filter((part) => !isText(part)));
  const said = [...shown, ...parts.filter((part) => part.kind !== 'result')];
  const messages = results.map((result) => writeResult(result, dropped));
  return said.length > 0 ? [...messages, { role, content: writeContent(said) }] : messages;
}

function writeResult({ id, parts, isError }: ResultPart, dropped: Dropped): Message {
  if (isError) dropped.add('tool_result.is_error');
  const words = parts.filter(isText);
  if (words.length === 0 && parts.length > 0)
    return { role: 'tool', tool_call_id: id, content: 'The result is in the next message.' };
  return { role: 'tool', tool_call_id: id, content: words.length === 0 ? '' : writeContent(words) };
}

function writeAnswer(parts: readonly Part[], dropped: Dropped): Message[] {
  const words = parts.filter(isText);
  const refusals = parts.filter((part) => part.kind === 'refusal');
  const calls = parts.filter((part) => part.kind === 'call');
  const thoughts = parts.filter((part) => part.kind === 'thinking');
  const own = thoughts.filter(({ seal }) => seal?.from === 'chat');
  if (own.length < thoughts.length) dropped.add('thinking');
  if (words.length + refusals.length + calls.length === 0) return [];
  return [
    compact({
      role: 'assistant',
      content: words.length > 0 ? writeContent(words) : null,
      refusal: refusals.length > 0 ? refusals.map(({ text }) => text).join('') : undefined,
      reasoning_content: own.length > 0 ? own.map(thoughtOf).join('\n\n') : undefined,
      tool_calls:
        calls.length > 0
          ? calls.map(({ id, name, args }) => ({ id, type: 'function', function: { name, arguments: args || '{}' } }))
          : undefined,
    }),
  ];
}

const thoughtOf = ({ text }: ThinkingPart): string => text;

function writeContent(parts: readonly Part[]): string | object[] {
  const [only] = parts;
  if (parts.length === 1 && only?.kind === 'text') return only.text;
  return parts.map(writePart);
}

function writePart(part: Part): object {
  switch (part.kind) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'image':
      return {
        type: 'image_url',
        image_url: compact({ url: urlOf(part.source), detail: part.detail ?? undefined }),
      };
    case 'audio':
      return { type: 'input_audio', input_audio: { data: part.data, format: part.format } };
    case 'document':
      if (part.source.kind === 'url') throw notExpressible('a document by its address; send its bytes');
      return { type: 'file', file: { filename: part.name ?? 'document.pdf', file_data: urlOf(part.source) } };
    default:
      throw notExpressible(`"${part.kind}" in a message of the user`);
  }
}

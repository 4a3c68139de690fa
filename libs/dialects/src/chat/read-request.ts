import { invalidField } from '@app/platform';
import type { Dropped, Part, ResultPart, Tool, ToolChoice, Turn } from '../conversation';
import { asPdf, detailOf, sourceOf } from '../data-url';
import { append, isSet, number, record, records, text, texts, type Json } from '../json';
import { notExpressible } from '../refuse';
import {
  CUSTOM_SCHEMA,
  customDescription,
  dropUnknown,
  knownKeys,
  markOf,
  openAiFormat,
  resultParts,
  thinkingOf,
  type ReadRequest,
} from '../request-reader';
import { unpack } from '../seal';

const KNOWN = knownKeys([
  ...[
    'messages',
    'tools',
    'tool_choice',
    'parallel_tool_calls',
    'stream',
    'stream_options',
    'n',
    'modalities',
    'audio',
  ],
  ...['max_tokens', 'max_completion_tokens', 'temperature', 'top_p', 'top_k', 'seed', 'stop', 'response_format'],
  ...['frequency_penalty', 'presence_penalty', 'logprobs', 'top_logprobs', 'reasoning_effort', 'user'],
  ...['safety_identifier', 'functions', 'function_call', 'cache_control'],
]);

/** Reads a request of OpenAI's chat completions. @throws CodedError for what makes no sense, or is too old to translate */
export function readChatRequest(body: Json, dropped: Dropped): ReadRequest {
  if (isSet(body['functions']) || isSet(body['function_call']))
    throw notExpressible('"functions"; say "tools" instead');
  if (isSet(body['audio']) || texts(body['modalities']).includes('audio')) throw notExpressible('a spoken answer');
  if ((number(body['n']) ?? 1) > 1) throw notExpressible('several answers at once ("n")');
  if (!Array.isArray(body['messages'])) throw invalidField('messages', 'must be a list');
  dropUnknown(body, KNOWN, dropped);

  const customTools = new Set<string>();
  const { tools, toolChoice } = readTools(body, customTools, dropped);
  return {
    conversation: {
      turns: readMessages(records(body['messages']), dropped),
      ...markOf(body),
      tools,
      toolChoice,
      parallelCalls: typeof body['parallel_tool_calls'] === 'boolean' ? body['parallel_tool_calls'] : undefined,
      stream: body['stream'] === true,
      outputLimit: number(body['max_completion_tokens']) ?? number(body['max_tokens']),
      temperature: number(body['temperature']),
      topP: number(body['top_p']),
      topK: number(body['top_k']),
      seed: number(body['seed']),
      frequencyPenalty: number(body['frequency_penalty']),
      presencePenalty: number(body['presence_penalty']),
      logprobs: body['logprobs'] === true ? (number(body['top_logprobs']) ?? 0) : undefined,
      stop: typeof body['stop'] === 'string' ? [body['stop']] : texts(body['stop']),
      format: openAiFormat(record(body['response_format']), 'response_format', dropped),
      thinking: thinkingOf(body['reasoning_effort'], 'reasoning_effort', dropped),
      endUser: text(body['user']) ?? text(body['safety_identifier']),
    },
    recall: {
      usageAsked: record(body['stream_options'])?.['include_usage'] === true,
      customTools,
      namespaced: new Map(),
      echo: {},
    },
  };
}

const TOOL = new Set(['type', 'function', 'custom', 'cache_control']);
const FUNCTION = new Set(['name', 'description', 'parameters', 'strict', 'format', 'cache_control']);

function readTools(
  body: Json,
  customTools: Set<string>,
  dropped: Dropped,
): { tools: Tool[]; toolChoice: ToolChoice | undefined } {
  const tools = records(body['tools']).map((tool): Tool => {
    const custom = tool['type'] === 'custom';
    const told = record(tool[custom ? 'custom' : 'function']) ?? {};
    const name = text(told['name']);
    if (name === undefined) throw invalidField('tools', 'must each have a name');
    dropUnknown(tool, TOOL, dropped, 'tools.');
    dropUnknown(told, FUNCTION, dropped, 'tools.');
    if (custom) customTools.add(name);
    return {
      ...markOf(isSet(tool['cache_control']) ? tool : told),
      name,
      description: custom ? customDescription(told) : text(told['description']),
      schema: custom ? CUSTOM_SCHEMA : (record(told['parameters']) ?? { type: 'object', properties: {} }),
      strict: told['strict'] === true,
    };
  });
  const choice = body['tool_choice'];
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { tools, toolChoice: choice };
  const told = record(choice);
  if (isSet(choice) && !told) throw notExpressible(`the choice of a tool ${JSON.stringify(choice)}`);
  const allowed = record(told?.['allowed_tools']);
  if (allowed) {
    const names = new Set(records(allowed['tools']).map((tool) => nameOf(tool)));
    return {
      tools: tools.filter(({ name }) => names.has(name)),
      toolChoice: allowed['mode'] === 'required' ? 'required' : 'auto',
    };
  }
  const name = told && nameOf(told);
  if (told && name === undefined) throw notExpressible(`the tool "${String(told['type'])}"`);
  return { tools, toolChoice: name === undefined ? undefined : { name } };
}

const nameOf = (tool: Json): string | undefined => text((record(tool['function']) ?? record(tool['custom']))?.['name']);

/** Results of tools, and what the user says after them, are one turn: the order in which the other dialects want them. */
function readMessages(messages: readonly Json[], dropped: Dropped): Turn[] {
  const turns: { role: Turn['role']; parts: Part[] }[] = [];
  let afterResult = false;
  for (const message of messages) {
    const last = turns.at(-1);
    if (isSet(message['name']) && message['role'] !== 'tool') dropped.add('messages.name');
    switch (message['role']) {
      case 'system':
      case 'developer':
        turns.push({ role: 'system', parts: readMarked(message) });
        break;
      case 'user': {
        const parts = readMarked(message);
        if (afterResult && last) append(last.parts, parts);
        else turns.push({ role: 'user', parts });
        break;
      }
      case 'assistant':
        turns.push({ role: 'assistant', parts: readAnswer(message, dropped) });
        break;
      case 'tool': {
        const result = readResult(message, dropped);
        if (afterResult && last) last.parts.push(result);
        else turns.push({ role: 'user', parts: [result] });
        break;
      }
      default:
        throw invalidField('messages', `must not have the role "${String(message['role'])}"`);
    }
    afterResult = message['role'] === 'tool';
  }
  return turns;
}

function readResult(message: Json, dropped: Dropped): ResultPart {
  const id = text(message['tool_call_id']);
  if (id === undefined) throw invalidField('messages', 'must have a tool_call_id where the role is "tool"');
  return {
    kind: 'result',
    id,
    parts: resultParts(readContent(message['content']), dropped),
    isError: false,
    ...markOf(message),
  };
}

function readAnswer(message: Json, dropped: Dropped): Part[] {
  const blocks = records(message['thinking_blocks']);
  const thought = text(message['reasoning_content']) ?? text(message['reasoning']);
  const refusal = text(message['refusal']);
  if (isSet(message['audio'])) dropped.add('audio');
  if (isSet(message['function_call'])) throw notExpressible('"function_call"; say "tool_calls" instead');
  return [
    ...(blocks.length > 0
      ? blocks.map((block): Part => ({
          kind: 'thinking',
          text: text(block['thinking']) ?? '',
          seal: unpack(text(block['signature']), 'chat'),
        }))
      : thought
        ? [{ kind: 'thinking', text: thought, seal: { from: 'chat', data: '' } } as const]
        : []),
    ...readContent(message['content']),
    ...(refusal ? [{ kind: 'refusal', text: refusal } as const] : []),
    ...records(message['tool_calls']).map((call): Part => {
      const custom = record(call['custom']);
      const told = custom ?? record(call['function']) ?? {};
      const args = text(told[custom ? 'input' : 'arguments']) ?? '';
      return {
        kind: 'call',
        id: text(call['id']) ?? '',
        name: text(told['name']) ?? '',
        args: custom ? JSON.stringify({ input: args }) : args,
      };
    }),
  ];
}

/** Some clients mark the message, where others mark its last part. */
function readMarked(message: Json): Part[] {
  const parts = readContent(message['content']);
  const last = parts.at(-1);
  if (last?.kind === 'text') parts[parts.length - 1] = { ...last, ...markOf(message) };
  return parts;
}

function readContent(content: unknown): Part[] {
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', text: content }];
  return records(content).flatMap(readPart);
}

function readPart(part: Json): Part[] {
  switch (part['type']) {
    case 'text':
      return [{ kind: 'text', text: text(part['text']) ?? '', ...markOf(part) }];
    case 'refusal':
      return [{ kind: 'refusal', text: text(part['refusal']) ?? '' }];
    case 'image_url': {
      const told = record(part['image_url']) ?? {};
      const [source, detail] = [sourceOf(text(told['url']) ?? ''), detailOf(text(told['detail']))];
      return [{ kind: 'image', source, detail, ...markOf(part) }];
    }
    case 'input_audio': {
      const told = record(part['input_audio']) ?? {};
      return [{ kind: 'audio', data: text(told['data']) ?? '', format: text(told['format']) ?? 'wav' }];
    }
    case 'file': {
      const told = record(part['file']) ?? {};
      const data = text(told['file_data']);
      if (data === undefined) throw notExpressible('a file kept at another provider ("file_id")');
      return [
        { kind: 'document', source: sourceOf(asPdf(data)), name: text(told['filename']) ?? null, ...markOf(part) },
      ];
    }
    default:
      throw notExpressible(`content of the type "${String(part['type'])}"`);
  }
}

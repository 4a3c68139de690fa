import { invalidField } from '@app/platform';
import type { Dropped, ImagePart, OutputFormat, Part, Thinking, Tool, ToolChoice, Turn } from '../conversation';
import { writeExact } from '../exact-json';
import { isSet, number, record, records, text, texts, type Json } from '../json';
import { notExpressible } from '../refuse';
import { dropUnknown, knownKeys, resultParts, thinkingOf, type ReadRequest } from '../request-reader';
import { unpack } from '../seal';
import { describeKnownTool } from './known-tools';

const KNOWN = knownKeys([
  ...['messages', 'system', 'max_tokens', 'tools', 'tool_choice', 'stream', 'temperature', 'top_p', 'top_k'],
  ...['stop_sequences', 'metadata', 'thinking', 'output_config', 'cache_control'],
]);

const OUTPUT = new Set(['effort', 'format']);
const THINKING = new Set(['type', 'budget_tokens', 'display']);
const TOOL = new Set([
  'type',
  'name',
  'description',
  'input_schema',
  'strict',
  'cache_control',
  'eager_input_streaming',
]);

/** Reads a request of Anthropic's messages. @throws CodedError for what makes no sense */
export function readMessagesRequest(body: Json, dropped: Dropped): ReadRequest {
  if (!Array.isArray(body['messages'])) throw invalidField('messages', 'must be a list');
  dropUnknown(body, KNOWN, dropped);
  noteMarker(body, dropped);
  const choice = record(body['tool_choice']);
  const config = record(body['output_config']);
  const format = record(config?.['format']);
  dropUnknown(config ?? {}, OUTPUT, dropped, 'output_config.');
  const thinking = record(body['thinking']);
  dropUnknown(thinking ?? {}, THINKING, dropped, 'thinking.');
  const system = readContent(body['system'], dropped);
  const turns = records(body['messages']).map((message) => readMessage(message, dropped));
  const tools = records(body['tools']).flatMap((tool) => readTool(tool, dropped));
  return {
    conversation: {
      turns: system.length > 0 ? [{ role: 'system', parts: system }, ...turns] : turns,
      tools,
      toolChoice: readChoice(choice),
      parallelCalls: choice?.['disable_parallel_tool_use'] === true ? false : undefined,
      stream: body['stream'] === true,
      outputLimit: number(body['max_tokens']),
      temperature: number(body['temperature']),
      topP: number(body['top_p']),
      topK: number(body['top_k']),
      seed: undefined,
      frequencyPenalty: undefined,
      presencePenalty: undefined,
      logprobs: undefined,
      stop: texts(body['stop_sequences']),
      format: format?.['type'] === 'json_schema' ? readFormat(record(format['schema']) ?? {}) : undefined,
      thinking: readThinking(thinking, config, dropped),
      hidesThoughts: thinking?.['display'] === 'omitted',
      endUser: text(record(body['metadata'])?.['user_id']),
    },
    recall: { usageAsked: true, customTools: new Set(), namespaced: new Map(), echo: {} },
  };
}

const readFormat = (schema: Json): OutputFormat => ({
  kind: 'schema',
  name: 'answer',
  description: undefined,
  schema,
  strict: isStrict(schema),
});

/** OpenAI keeps to a schema strictly only if it names every property as required and allows no others. */
function isStrict(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(isStrict);
  const node = record(schema);
  if (!node) return true;
  const properties = record(node['properties']);
  if (properties) {
    const required = texts(node['required']);
    if (node['additionalProperties'] !== false) return false;
    if (!Object.keys(properties).every((name) => required.includes(name))) return false;
  }
  return Object.values(node).every(isStrict);
}

/** An effort says how much a model that decides by itself is to think, so it goes before the rest. */
function readThinking(told: Json | undefined, config: Json | undefined, dropped: Dropped): Thinking | undefined {
  if (told?.['type'] === 'disabled') return { kind: 'off' };
  if (told?.['type'] === 'enabled') return { kind: 'budget', tokens: number(told['budget_tokens']) ?? 0 };
  const effort = thinkingOf(config?.['effort'], 'output_config.effort', dropped);
  if (effort) return effort;
  return told === undefined ? undefined : { kind: 'adaptive' };
}

function readChoice(choice: Json | undefined): ToolChoice | undefined {
  switch (choice?.['type']) {
    case 'auto':
    case 'none':
      return choice['type'];
    case 'any':
      return 'required';
    case 'tool': {
      return { name: text(choice['name']) ?? '' };
    }
    default:
      if (choice) throw notExpressible(`the choice of a tool "${String(choice['type'])}"`);
      return undefined;
  }
}

function readTool(tool: Json, dropped: Dropped): Tool[] {
  noteMarker(tool, dropped);
  const type = text(tool['type']);
  if (type !== undefined && type !== 'custom') {
    const known = describeKnownTool(type, text(tool['name']));
    if (!known) dropped.add(`tools.${type}`);
    return known ? [known] : [];
  }
  const name = text(tool['name']);
  if (name === undefined) throw invalidField('tools', 'must each have a name');
  dropUnknown(tool, TOOL, dropped, 'tools.');
  return [
    {
      name,
      description: text(tool['description']),
      schema: record(tool['input_schema']) ?? { type: 'object', properties: {} },
      strict: tool['strict'] === true,
    },
  ];
}

function readMessage(message: Json, dropped: Dropped): Turn {
  const { role } = message;
  if (role !== 'user' && role !== 'assistant' && role !== 'system')
    throw invalidField('messages', `must not have the role "${String(role)}"`);
  return { role, parts: readContent(message['content'], dropped) };
}

function readContent(content: unknown, dropped: Dropped): Part[] {
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', text: content }];
  return records(content).flatMap((block) => readBlock(block, dropped));
}

function readBlock(block: Json, dropped: Dropped): Part[] {
  noteMarker(block, dropped);
  switch (block['type']) {
    case 'text':
      return [{ kind: 'text', text: text(block['text']) ?? '' }];
    case 'image':
      return [readImage(record(block['source']) ?? {})];
    case 'document':
      return readDocument(block, record(block['source']) ?? {}, dropped);
    case 'tool_use':
      return [
        {
          kind: 'call',
          id: text(block['id']) ?? '',
          name: text(block['name']) ?? '',
          args: writeExact(block['input'] ?? {}),
        },
      ];
    case 'tool_result':
      return [
        {
          kind: 'result',
          id: text(block['tool_use_id']) ?? '',
          parts: resultParts(readContent(block['content'], dropped), dropped),
          isError: block['is_error'] === true,
        },
      ];
    case 'thinking':
      return [
        {
          kind: 'thinking',
          text: text(block['thinking']) ?? '',
          seal: unpack(text(block['signature']), 'messages'),
        },
      ];
    case 'redacted_thinking':
      return [{ kind: 'thinking', text: '', seal: unpack(text(block['data']), 'redacted') }];
    case 'search_result': {
      if (isSet(block['citations'])) dropped.add('citations');
      const found = [text(block['title']), text(block['source'])].filter((line) => line !== undefined);
      const parts = readContent(block['content'], dropped).filter((part) => part.kind === 'text');
      return [{ kind: 'text', text: [...found, ...parts.map((part) => part.text)].join('\n') }];
    }
    default:
      // What the provider of an earlier turn looked up itself; its findings are in the text that followed.
      dropped.add(`messages.${String(block['type'])}`);
      return [];
  }
}

function readImage(source: Json): ImagePart {
  const url = text(source['url']);
  if (source['type'] === 'url' && url !== undefined)
    return { kind: 'image', source: { kind: 'url', url }, detail: null };
  if (source['type'] !== 'base64') throw notExpressible('an image kept at another provider ("file_id")');
  const mediaType = text(source['media_type']) ?? 'image/png';
  return { kind: 'image', source: { kind: 'base64', mediaType, data: text(source['data']) ?? '' }, detail: null };
}

function readDocument(block: Json, source: Json, dropped: Dropped): Part[] {
  const name = text(block['title']) ?? null;
  if (isSet(block['citations'])) dropped.add('citations');
  const context = text(block['context']);
  const before: Part[] = context === undefined ? [] : [{ kind: 'text', text: context }];
  const title: Part[] = name === null ? [] : [{ kind: 'text', text: name }];
  switch (source['type']) {
    case 'base64': {
      const mediaType = text(source['media_type']) ?? 'application/pdf';
      const data = text(source['data']) ?? '';
      return [...before, { kind: 'document', source: { kind: 'base64', mediaType, data }, name }];
    }
    case 'url':
      return [...before, { kind: 'document', source: { kind: 'url', url: text(source['url']) ?? '' }, name }];
    case 'text':
      return [...title, ...before, { kind: 'text', text: text(source['data']) ?? '' }];
    case 'content':
      return [...title, ...before, ...readContent(source['content'], dropped)];
    default:
      throw notExpressible('a document kept at another provider ("file_id")');
  }
}

/** Marks of what to cache mean something to Anthropic only; the others cache by themselves. */
function noteMarker(holder: Json, dropped: Dropped): void {
  if (isSet(holder['cache_control'])) dropped.add('cache_control');
}

import { invalidField } from '@app/platform';
import type { Dropped, Part, ResultPart, ToolChoice, Turn } from '../conversation';
import { asPdf, detailOf, sourceOf } from '../data-url';
import { append, isSet, number, record, records, text, type Json } from '../json';
import { notExpressible } from '../refuse';
import {
  dropUnknown,
  knownKeys,
  markOf,
  openAiFormat,
  resultParts,
  thinkingOf,
  type ReadRequest,
} from '../request-reader';
import { readReasoning } from './reasoning-item';
import { ToolReader } from './read-tools';

const KNOWN = knownKeys([
  ...['input', 'instructions', 'tools', 'tool_choice', 'parallel_tool_calls', 'stream', 'stream_options', 'include'],
  ...['max_output_tokens', 'temperature', 'top_p', 'top_logprobs', 'text', 'reasoning', 'user', 'safety_identifier'],
]);

const TEXT = new Set(['format']);
/** Thoughts are summed up for whoever sees them, asked or not. */
const REASONING = new Set(['effort', 'summary', 'generate_summary']);

/** They live in an account at OpenAI that no other provider knows. */
const STATE = ['previous_response_id', 'conversation', 'prompt'];

const ECHOED = [
  ...['instructions', 'max_output_tokens', 'metadata', 'parallel_tool_calls', 'reasoning', 'temperature', 'text'],
  ...['tool_choice', 'tools', 'top_logprobs', 'top_p', 'truncation', 'user', 'safety_identifier', 'prompt_cache_key'],
];

/** Reads a request of OpenAI's responses. @throws CodedError for what makes no sense, or needs state at OpenAI */
export function readResponsesRequest(body: Json, dropped: Dropped): ReadRequest {
  const state = STATE.find((key) => isSet(body[key]));
  if (state !== undefined) throw notExpressible(`"${state}"`);
  if (body['background'] === true) throw notExpressible('an answer in the background');
  dropUnknown(body, KNOWN, dropped);
  if (body['truncation'] === 'disabled') dropped.delete('truncation');
  const format = record(body['text']) ?? {};
  dropUnknown(format, TEXT, dropped, 'text.');
  const reasoning = record(body['reasoning']) ?? {};
  dropUnknown(reasoning, REASONING, dropped, 'reasoning.');

  const reader = new ToolReader(dropped);
  const tools = reader.tools(body['tools']);
  const { allowed, toolChoice } = readChoice(body['tool_choice'], reader);
  const instructions = text(body['instructions']);
  const turns = new ItemReader(reader, dropped).turns(body['input']);
  return {
    conversation: {
      turns: instructions ? [{ role: 'system', parts: [{ kind: 'text', text: instructions }] }, ...turns] : turns,
      tools: allowed ? tools.filter(({ name }) => allowed.has(name)) : tools,
      toolChoice,
      parallelCalls: typeof body['parallel_tool_calls'] === 'boolean' ? body['parallel_tool_calls'] : undefined,
      stream: body['stream'] === true,
      outputLimit: number(body['max_output_tokens']),
      temperature: number(body['temperature']),
      topP: number(body['top_p']),
      topK: undefined,
      seed: undefined,
      frequencyPenalty: undefined,
      presencePenalty: undefined,
      logprobs: logprobsOf(body),
      stop: [],
      format: openAiFormat(record(format['format']), 'text.format', dropped),
      thinking: thinkingOf(reasoning['effort'], 'reasoning.effort', dropped),
      endUser: text(body['user']) ?? text(body['safety_identifier']),
    },
    recall: {
      usageAsked: true,
      customTools: reader.custom,
      namespaced: reader.namespaced,
      echo: Object.fromEntries(ECHOED.filter((key) => isSet(body[key])).map((key) => [key, body[key]])),
    },
  };
}

const logprobsOf = (body: Json): number | undefined => {
  const include = body['include'];
  const asked = Array.isArray(include) && include.includes('message.output_text.logprobs');
  return number(body['top_logprobs']) ?? (asked ? 0 : undefined);
};

function readChoice(
  choice: unknown,
  reader: ToolReader,
): { allowed?: ReadonlySet<string>; toolChoice: ToolChoice | undefined } {
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { toolChoice: choice };
  const told = record(choice);
  if (told?.['type'] === 'allowed_tools') {
    const allowed = new Set(records(told['tools']).map((tool) => reader.nameOf(tool)));
    return { allowed, toolChoice: told['mode'] === 'required' ? 'required' : 'auto' };
  }
  if (told?.['type'] === 'function' || told?.['type'] === 'custom')
    return { toolChoice: { name: reader.nameOf(told) } };
  if (isSet(choice)) throw notExpressible(`the tool ${JSON.stringify(told?.['type'] ?? choice)}`);
  return { toolChoice: undefined };
}

/** Items are finer than turns: what the assistant thought, said and called is one turn, and so is what came back. */
class ItemReader {
  private readonly out: { role: Turn['role']; parts: Part[] }[] = [];
  private isMessage = false;

  constructor(
    private readonly tools: ToolReader,
    private readonly dropped: Dropped,
  ) {}

  turns(input: unknown): Turn[] {
    if (typeof input === 'string') return [{ role: 'user', parts: [{ kind: 'text', text: input }] }];
    if (!Array.isArray(input)) throw invalidField('input', 'must be a text or a list');
    for (const item of records(input)) this.item(item);
    return this.out;
  }

  private item(item: Json): void {
    const type = text(item['type']) ?? 'message';
    switch (type) {
      case 'message':
        return this.message(item);
      case 'reasoning':
        return this.add('assistant', [readReasoning(item)]);
      case 'function_call':
      case 'custom_tool_call': {
        const args = text(item[type === 'function_call' ? 'arguments' : 'input']) ?? '';
        const told = type === 'function_call' ? args : JSON.stringify({ input: args });
        const [id, name] = [text(item['call_id']) ?? '', this.tools.nameOf(item)];
        return this.add('assistant', [{ kind: 'call', id, name, args: told }]);
      }
      case 'function_call_output':
      case 'custom_tool_call_output':
        return this.add('user', [this.result(item)]);
      case 'item_reference':
      case 'compaction':
        throw notExpressible(`an item of the type "${type}"`);
      default:
        // What OpenAI looked up or ran itself in an earlier turn; what it found is in the text that followed.
        this.dropped.add(`input.${type}`);
    }
  }

  private message(item: Json): void {
    const { role } = item;
    const parts = readContent(item['content']);
    if (role === 'assistant') return this.add('assistant', parts);
    if (role !== 'user' && role !== 'system' && role !== 'developer')
      throw invalidField('input', `must not have the role "${String(role)}"`);
    const last = this.out.at(-1);
    // Two messages of the user stay two; one behind results belongs to them.
    if (role === 'user' && last?.role === 'user' && !this.isMessage) append(last.parts, parts);
    else this.out.push({ role: role === 'user' ? 'user' : 'system', parts });
    this.isMessage = true;
  }

  private add(role: 'user' | 'assistant', parts: Part[]): void {
    const last = this.out.at(-1);
    if (last?.role === role && !(role === 'user' && this.isMessage)) append(last.parts, parts);
    else this.out.push({ role, parts });
    this.isMessage = false;
  }

  private result(item: Json): ResultPart {
    const parts = resultParts(readContent(item['output']), this.dropped);
    return { kind: 'result', id: text(item['call_id']) ?? '', parts, isError: false };
  }
}

function readContent(content: unknown): Part[] {
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', text: content }];
  return records(content).map(readPart);
}

function readPart(part: Json): Part {
  switch (part['type']) {
    case 'input_text':
    case 'output_text':
    case 'text':
      return { kind: 'text', text: text(part['text']) ?? '', ...markOf(part) };
    case 'refusal':
      return { kind: 'refusal', text: text(part['refusal']) ?? '' };
    case 'input_image': {
      const url = text(part['image_url']);
      if (url === undefined) throw notExpressible('an image kept at another provider ("file_id")');
      return { kind: 'image', source: sourceOf(url), detail: detailOf(text(part['detail'])), ...markOf(part) };
    }
    case 'input_file': {
      const data = text(part['file_data']);
      const address = data === undefined ? text(part['file_url']) : asPdf(data);
      if (address === undefined) throw notExpressible('a file kept at another provider ("file_id")');
      return { kind: 'document', source: sourceOf(address), name: text(part['filename']) ?? null, ...markOf(part) };
    }
    case 'input_audio': {
      const told = record(part['input_audio']) ?? {};
      return { kind: 'audio', data: text(told['data']) ?? '', format: text(told['format']) ?? 'wav' };
    }
    default:
      throw notExpressible(`content of the type "${String(part['type'])}"`);
  }
}

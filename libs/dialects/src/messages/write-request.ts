import type { CacheMark, Conversation, Dropped, Part, Source, Tool, Turn } from '../conversation';
import { compact } from '../json';
import { notExpressible } from '../refuse';
import { argsObject, described, dropSettings, merged, opaqueUser, splitSystem, type Target } from '../request-writer';
import { Claude } from './claude';
import { writeThinking } from './write-thinking';

/** Writes a request of Anthropic's messages. */
export function writeMessagesRequest(request: Conversation, target: Target, dropped: Dropped): Record<string, unknown> {
  dropSettings(request, ['seed', 'frequencyPenalty', 'presencePenalty', 'logprobs'], dropped);
  const { system: told, rest } = splitSystem(request.turns);
  const system = told.some((part) => !isBlank(part)) ? told.filter(({ text }) => text !== '') : [];
  const [only] = system;
  const limit = request.outputLimit ?? target.outputLimit;
  const claude = new Claude(target.model);
  const thinking = writeThinking(request, claude, limit, dropped);
  const { format } = request;
  if (format?.kind === 'json') dropped.add('response_format');
  const config = compact({
    effort: thinking?.effort,
    format: format?.kind === 'schema' ? { type: 'json_schema', schema: described(format) } : undefined,
  });
  return compact({
    model: target.model,
    max_tokens: limit,
    system: system.length > 1 || only?.mark ? system.flatMap((part) => writePart(part, dropped)) : only?.text,
    cache_control: request.mark && writeMark(request).cache_control,
    messages: placed(rest.filter(saysSomething), claude)
      .map((turn) => ({ role: turn.role, content: writeContent(turn, dropped) }))
      .filter(({ content }) => content.length > 0),
    tools: request.tools.length > 0 ? request.tools.map(writeTool) : undefined,
    tool_choice: writeChoice(request),
    stop_sequences: request.stop.length > 0 ? request.stop : undefined,
    ...writeSampling(request, claude, thinking?.thinks === true, dropped),
    thinking: thinking?.config,
    output_config: Object.keys(config).length > 0 ? config : undefined,
    metadata: request.endUser ? { user_id: opaqueUser(request.endUser) } : undefined,
    stream: request.stream || undefined,
  });
}

/** Anthropic's temperatures end at 1, and a model that thinks has its own. */
function writeSampling(
  { temperature, topP, topK }: Conversation,
  { takesSampling, takesTopPBeside }: Claude,
  thinks: boolean,
  dropped: Dropped,
): Record<string, unknown> {
  const isFree = takesSampling && !thinks;
  const warmth = isFree && temperature !== undefined ? Math.min(1, temperature) : undefined;
  const share =
    takesSampling && (thinks ? (topP ?? 0) >= 0.95 : warmth === undefined || takesTopPBeside) ? topP : undefined;
  if (temperature !== undefined && temperature !== (warmth ?? 1)) dropped.add('temperature');
  if (topP !== undefined && topP !== (share ?? 1)) dropped.add('top_p');
  if (topK !== undefined && !isFree) dropped.add('top_k');
  return { temperature: warmth, top_p: share, top_k: isFree ? topK : undefined };
}

const writeTool = ({ name, description, schema, strict, mark }: Tool): object =>
  compact({
    name,
    description,
    input_schema: { type: 'object', ...schema },
    strict: strict || undefined,
    ...writeMark({ mark }),
  });

function writeChoice({ tools, toolChoice, parallelCalls }: Conversation): object | undefined {
  if (tools.length === 0) return undefined;
  const single = parallelCalls === false ? { disable_parallel_tool_use: true } : undefined;
  if (typeof toolChoice === 'object') return { type: 'tool', name: toolChoice.name, ...single };
  if (toolChoice === 'none') return { type: 'none' };
  if (toolChoice === 'required') return { type: 'any', ...single };
  return toolChoice === 'auto' || single ? { type: 'auto', ...single } : undefined;
}

/**
 * Anthropic wants turns to alternate. The system may speak between one of the user's and one of the assistant's, or last;
 * anywhere else, and to models that do not know it, the user says it.
 */
function placed(turns: readonly Turn[], { hearsSystemLater }: Claude): Turn[] {
  const apart = merged(turns);
  const told = apart.map((turn, at): Turn => {
    if (turn.role !== 'system') return turn;
    const next = apart[at + 1]?.role;
    const isHeard = hearsSystemLater && apart[at - 1]?.role === 'user' && (next === undefined || next === 'assistant');
    return isHeard ? turn : { ...turn, role: 'user' };
  });
  return merged(told);
}

/** Anthropic refuses a turn of nothing but blanks, and what the system says likewise; beside other parts it takes them. */
const saysSomething = ({ parts }: Turn): boolean => !parts.every(isBlank);
const isBlank = (part: Part): boolean => (part.kind === 'text' || part.kind === 'refusal') && part.text.trim() === '';

/** Text alone as text; results first, as Anthropic wants them; nothing that is empty, which it refuses. */
function writeContent({ parts }: Turn, dropped: Dropped): string | object[] {
  const [only] = parts;
  if (parts.length === 1 && only?.kind === 'text' && !only.mark) return only.text;
  const sorted = [...parts.filter(isResult), ...parts.filter((part) => !isResult(part))];
  return sorted.flatMap((part) => writePart(part, dropped));
}

const isResult = ({ kind }: Part): boolean => kind === 'result';

function writePart(part: Part, dropped: Dropped): object[] {
  switch (part.kind) {
    case 'text':
      return part.text === '' ? [] : [{ type: 'text', text: part.text, ...writeMark(part) }];
    case 'refusal':
      return part.text === '' ? [] : [{ type: 'text', text: part.text }];
    case 'image':
      if (part.detail !== null) dropped.add('image_url.detail');
      return [{ type: 'image', source: writeSource(part.source), ...writeMark(part) }];
    case 'document':
      return [{ ...writeDocument(part.source, part.name), ...writeMark(part) }];
    case 'call':
      return [{ type: 'tool_use', id: callId(part.id), name: part.name, input: argsObject(part.args) }];
    case 'result':
      return [
        compact({
          type: 'tool_result',
          tool_use_id: callId(part.id),
          content: writeContent({ role: 'user', parts: part.parts }, dropped),
          is_error: part.isError || undefined,
          ...writeMark(part),
        }),
      ];
    case 'thinking':
      if (part.seal?.from === 'messages') return [{ type: 'thinking', thinking: part.text, signature: part.seal.data }];
      if (part.seal?.from === 'redacted') return [{ type: 'redacted_thinking', data: part.seal.data }];
      dropped.add('thinking');
      return [];
    case 'audio':
      throw notExpressible('sound');
  }
}

/** Anthropic keeps only what is marked. What it keeps for longer costs more, so a time it does not know is its usual one. */
function writeMark({ mark }: { readonly mark?: CacheMark | undefined }): { readonly cache_control?: object } {
  if (!mark) return {};
  return { cache_control: { type: 'ephemeral', ...(mark.ttl === '1h' && { ttl: '1h' }) } };
}

/** Anthropic's ids have a narrower alphabet than others'; a call and its result are changed alike. */
const callId = (id: string): string => id.replace(/[^a-zA-Z0-9_-]/g, '_');

const writeSource = (source: Source): object =>
  source.kind === 'url'
    ? { type: 'url', url: source.url }
    : { type: 'base64', media_type: source.mediaType, data: source.data };

function writeDocument(source: Source, name: string | null): object {
  const title = name === null ? {} : { title: name };
  if (source.kind === 'base64' && source.mediaType.startsWith('text/')) {
    const data = Buffer.from(source.data, 'base64').toString('utf8');
    return { type: 'document', source: { type: 'text', media_type: 'text/plain', data }, ...title };
  }
  return { type: 'document', source: writeSource(source), ...title };
}

import type { Conversation, Dropped, Part, Source, Tool, Turn } from '../conversation';
import { compact } from '../json';
import { notExpressible } from '../refuse';
import { argsObject, dropSettings, merged, opaqueUser, splitSystem, type Target } from '../request-writer';
import { budgetOf } from '../thinking';
import { Claude } from './claude';

/** Anthropic takes no smaller number of tokens for thinking. */
const LEAST_BUDGET = 1_024;

/** Writes a request of Anthropic's messages. */
export function writeMessagesRequest(request: Conversation, target: Target, dropped: Dropped): Record<string, unknown> {
  dropSettings(request, ['seed', 'frequencyPenalty', 'presencePenalty', 'logprobs'], dropped);
  const { system, rest } = splitSystem(request.turns);
  const [only] = system;
  const limit = request.outputLimit ?? target.outputLimit;
  const claude = new Claude(target.model);
  const thinking = writeThinking(request, claude, limit, dropped);
  const { format } = request;
  if (format?.kind === 'json') dropped.add('response_format');
  const config = compact({
    effort: thinking?.effort,
    format: format?.kind === 'schema' ? { type: 'json_schema', schema: format.schema } : undefined,
  });
  return compact({
    model: target.model,
    max_tokens: limit,
    system: system.length > 1 ? system.map(({ text }) => ({ type: 'text', text })) : only?.text,
    messages: placed(rest, claude)
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
  request: Conversation,
  { takesSampling }: Claude,
  thinks: boolean,
  dropped: Dropped,
): Record<string, unknown> {
  const { temperature, topP, topK } = request;
  if (thinks || !takesSampling) {
    const keepsTopP = takesSampling && topP !== undefined && topP >= 0.95;
    if (temperature !== undefined && temperature !== 1) dropped.add('temperature');
    if (topP !== undefined && topP !== 1 && !keepsTopP) dropped.add('top_p');
    if (topK !== undefined) dropped.add('top_k');
    return { top_p: keepsTopP ? topP : undefined };
  }
  if (temperature !== undefined && temperature > 1) dropped.add('temperature');
  return { temperature: temperature === undefined ? undefined : Math.min(1, temperature), top_p: topP, top_k: topK };
}

interface Thought {
  readonly config: object | undefined;
  readonly effort?: string | undefined;
  readonly thinks: boolean;
}

function writeThinking(
  { thinking, toolChoice }: Conversation,
  claude: Claude,
  limit: number,
  dropped: Dropped,
): Thought | undefined {
  // A model that is made to call a tool must not think first.
  const mustCall = toolChoice === 'required' || typeof toolChoice === 'object';
  if (mustCall && thinking && thinking.kind !== 'off') dropped.add('reasoning_effort');
  if (mustCall || thinking?.kind === 'off') return withoutThinking(claude, mustCall, dropped);
  if (!thinking) return undefined;
  if (claude.thinksAdaptively) {
    const effort = thinking.kind === 'effort' ? thinking.effort : undefined;
    // Later models keep their thoughts to themselves unless asked for them.
    const config = { type: 'adaptive', display: 'summarized' };
    return { config, effort: effort === 'minimal' ? 'low' : effort, thinks: true };
  }
  const wanted = thinking.kind === 'budget' ? thinking.tokens : budgetOf(effortWanted(thinking), limit);
  const tokens = Math.min(Math.max(wanted, LEAST_BUDGET), limit - 1);
  if (tokens < LEAST_BUDGET) {
    dropped.add('reasoning_effort');
    return undefined;
  }
  return { config: { type: 'enabled', budget_tokens: tokens }, thinks: true };
}

function withoutThinking({ withoutThinking: off }: Claude, mustCall: boolean, dropped: Dropped): Thought | undefined {
  if (off.kind === 'config') return { config: off.config, thinks: false };
  // One that always thinks cannot be made to call a tool either, and says so itself.
  if (off.kind === 'unasked' || mustCall) return undefined;
  dropped.add('reasoning_effort');
  return { config: undefined, effort: 'low', thinks: true };
}

const effortWanted = (thinking: NonNullable<Conversation['thinking']>) =>
  thinking.kind === 'effort' ? thinking.effort : 'medium';

const writeTool = ({ name, description, schema, strict }: Tool): object =>
  compact({ name, description, input_schema: { type: 'object', ...schema }, strict: strict || undefined });

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

/** Text alone as text; results first, as Anthropic wants them; nothing that is empty, which it refuses. */
function writeContent({ parts }: Turn, dropped: Dropped): string | object[] {
  const [only] = parts;
  if (parts.length === 1 && only?.kind === 'text') return only.text;
  const sorted = [...parts.filter(isResult), ...parts.filter((part) => !isResult(part))];
  return sorted.flatMap((part) => writePart(part, dropped));
}

const isResult = ({ kind }: Part): boolean => kind === 'result';

function writePart(part: Part, dropped: Dropped): object[] {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return part.text === '' ? [] : [{ type: 'text', text: part.text }];
    case 'image':
      if (part.detail !== null) dropped.add('image_url.detail');
      return [{ type: 'image', source: writeSource(part.source) }];
    case 'document':
      return [writeDocument(part.source, part.name)];
    case 'call':
      return [{ type: 'tool_use', id: callId(part.id), name: part.name, input: argsObject(part.args) }];
    case 'result':
      return [
        compact({
          type: 'tool_result',
          tool_use_id: callId(part.id),
          content: writeContent({ role: 'user', parts: part.parts }, dropped),
          is_error: part.isError || undefined,
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

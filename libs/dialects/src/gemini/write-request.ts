import type { CallPart, Conversation, Dropped, Part, ResultPart, Source, Thinking, Turn } from '../conversation';
import { mediaTypeOf } from '../data-url';
import { compact } from '../json';
import {
  argsObject,
  described,
  dropMarks,
  dropSettings,
  isText,
  merged,
  splitSystem,
  type Target,
} from '../request-writer';
import type { Seal } from '../seal';
import { budgetOf, effortOf, takesLevel } from '../thinking';

/**
 * Gemini since version 3 refuses a call in the history that has no signature. This word, which Google documents for
 * histories of other models, stands in.
 */
const NO_SIGNATURE = 'skip_thought_signature_validator';

/** Writes a request of Google's generateContent; the model and whether to stream stand in the path. */
export function writeGeminiRequest(request: Conversation, target: Target, dropped: Dropped): Record<string, unknown> {
  dropMarks(request, dropped);
  dropSettings(request, ['endUser'], dropped);
  if (request.parallelCalls === false && request.tools.length > 0) dropped.add('parallel_tool_calls');
  const { system, rest } = splitSystem(request.turns);
  const names = new Map(rest.flatMap(({ parts }) => parts.filter(isCall).map(({ id, name }) => [id, name] as const)));
  const writer = new TurnWriter(names, takesLevel(target.model), dropped);
  const { tools } = request;
  if (tools.some(({ strict }) => strict)) dropped.add('tools.strict');
  return compact({
    systemInstruction: system.length > 0 ? { parts: system.map(({ text }) => ({ text })) } : undefined,
    contents: merged(rest.map(asUser))
      .map((turn) => ({ role: turn.role === 'assistant' ? 'model' : 'user', parts: writer.parts(turn) }))
      .filter(({ parts }) => parts.length > 0),
    tools:
      tools.length > 0
        ? [
            {
              functionDeclarations: tools.map(({ name, description, schema }) =>
                compact({ name, description, parametersJsonSchema: schema }),
              ),
            },
          ]
        : undefined,
    toolConfig: writeChoice(request),
    generationConfig: writeConfig(request, target, dropped),
  });
}

const isCall = (part: Part): part is CallPart => part.kind === 'call';
const asUser = (turn: Turn): Turn => (turn.role === 'system' ? { ...turn, role: 'user' } : turn);

function writeChoice({ tools, toolChoice }: Conversation): object | undefined {
  if (tools.length === 0 || toolChoice === undefined) return undefined;
  if (typeof toolChoice === 'object')
    return { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: [toolChoice.name] } };
  return { functionCallingConfig: { mode: MODES[toolChoice] } };
}

const MODES = { auto: 'AUTO', none: 'NONE', required: 'ANY' } as const;

function writeConfig(request: Conversation, target: Target, dropped: Dropped): object | undefined {
  const { logprobs } = request;
  // Before version 3 an answer is either JSON or may call functions.
  const clash = request.format && request.tools.length > 0 && !takesLevel(target.model);
  if (clash) dropped.add('response_format');
  const format = clash ? undefined : request.format;
  const config = compact({
    maxOutputTokens: request.outputLimit ?? target.outputLimit,
    temperature: request.temperature,
    topP: request.topP,
    topK: request.topK,
    seed: request.seed,
    frequencyPenalty: request.frequencyPenalty,
    presencePenalty: request.presencePenalty,
    stopSequences: request.stop.length > 0 ? request.stop : undefined,
    responseLogprobs: logprobs === undefined ? undefined : true,
    logprobs: logprobs || undefined,
    responseMimeType: format && 'application/json',
    responseJsonSchema: format?.kind === 'schema' ? described(format) : undefined,
    thinkingConfig: request.thinking && writeThinking(request.thinking, request, target, dropped),
  });
  return Object.keys(config).length > 0 ? config : undefined;
}

const LEVELS = { minimal: 'minimal', low: 'low', medium: 'medium', high: 'high', xhigh: 'high', max: 'high' } as const;

/** Models that cannot leave thinking off are asked for the least of it. */
function writeThinking(
  thinking: Thinking,
  conversation: Conversation,
  { model, outputLimit }: Target,
  dropped: Dropped,
): object | undefined {
  const isPro = model.includes('pro');
  if (thinking.kind === 'off') {
    if (takesLevel(model)) return { thinkingLevel: isPro ? 'low' : 'minimal' };
    return { thinkingBudget: isPro ? 128 : 0 };
  }
  if (/gemini-[12]\.[0-4]/.test(model)) {
    dropped.add('thinking');
    return undefined;
  }
  const includeThoughts = conversation.hidesThoughts !== true;
  if (thinking.kind === 'adaptive') return { includeThoughts };
  if (takesLevel(model)) return { includeThoughts, thinkingLevel: LEVELS[effortOf(thinking)] };
  const limit = conversation.outputLimit ?? outputLimit;
  const tokens = thinking.kind === 'budget' ? thinking.tokens : budgetOf(thinking.effort, limit);
  return { includeThoughts, thinkingBudget: Math.max(512, Math.min(24_576, tokens, budgetOf('high', limit))) };
}

/**
 * Writes parts. A seal of Gemini's stands on the part that followed the thought, so it waits for that part here: a call
 * where there is one, because there it must not be missing.
 */
class TurnWriter {
  private seal: Seal | null = null;
  private calling = false;

  constructor(
    private readonly names: ReadonlyMap<string, string>,
    private readonly wantsSignature: boolean,
    private readonly dropped: Dropped,
  ) {}

  parts({ parts }: Turn): object[] {
    this.seal = null;
    this.calling = parts.some(isCall);
    const results = parts.filter((part) => part.kind === 'result');
    // Responses of functions have to stand together, so what else a tool gave follows all of them.
    const shown = results.flatMap((result) => result.parts.filter((part) => !isText(part)));
    const sorted = [...results, ...shown, ...parts.filter((part) => part.kind !== 'result')];
    let calls = 0;
    return sorted.flatMap((part) => {
      if (part.kind !== 'call') return this.part(part);
      // Of calls made together only the first is signed.
      const missing = this.wantsSignature && calls === 0 && this.seal === null;
      calls += 1;
      const { id, name, args } = part;
      const call = { functionCall: { id, name, args: argsObject(args) } };
      return [missing ? { ...call, thoughtSignature: NO_SIGNATURE } : this.signed(call)];
    });
  }

  private part(part: Exclude<Part, CallPart>): object[] {
    switch (part.kind) {
      case 'text':
      case 'refusal':
        return part.text === '' ? [] : [this.calling ? { text: part.text } : this.signed({ text: part.text })];
      case 'image':
        if (part.detail !== null) this.dropped.add('image_url.detail');
        return [writeSource(part.source, 'image/png')];
      case 'document':
        return [writeSource(part.source, 'application/pdf')];
      case 'audio':
        return [{ inlineData: { mimeType: `audio/${part.format}`, data: part.data } }];
      case 'result':
        return [this.result(part)];
      case 'thinking':
        if (part.seal?.from === 'gemini') this.seal = part.seal;
        else this.dropped.add('thinking');
        return [];
    }
  }

  private signed(part: object): object {
    const { seal } = this;
    this.seal = null;
    return seal ? { ...part, thoughtSignature: seal.data } : part;
  }

  private result({ id, parts, isError }: ResultPart): object {
    const said = parts
      .filter(isText)
      .map(({ text }) => text)
      .join('\n');
    const response = isError ? { error: said } : { output: said };
    return { functionResponse: { id, name: this.names.get(id) ?? id, response } };
  }
}

const writeSource = (source: Source, usual: string): object =>
  source.kind === 'base64'
    ? { inlineData: { mimeType: source.mediaType, data: source.data } }
    : { fileData: { mimeType: mediaTypeOf(source.url, usual), fileUri: source.url } };

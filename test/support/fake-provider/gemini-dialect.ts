import type { ErrorAnswer, Tokens } from './behaviour';
import { type Completion, reported } from './completion';
import type { Dialect } from './dialect';

const THOUGHT = 'Let me think. ';
const SIGNATURE = 'RmFrZVNpZ25hdHVyZQ==';

/** Path of a call, with the model and the method in it. */
const CALL = /^\/v1beta\/models\/([^/:]+):(generateContent|streamGenerateContent)$/;

export const geminiModelOf = (path: string): string | undefined => {
  const [, model] = CALL.exec(path) ?? [];
  return model === undefined ? undefined : decodeURIComponent(model);
};

export const geminiStreams = (path: string): boolean => path.endsWith(':streamGenerateContent');

/** generateContent as the Gemini API reference describes it. */
export const geminiDialect: Dialect = {
  name: 'gemini',
  completionPath: '/v1beta/models/',
  requestIdHeader: 'x-request-id',
  accountHeaders: { server: 'scaffolding on HTTPServer2', 'x-gemini-service-tier': 'standard' },

  refusal(json) {
    if (!Array.isArray(json['contents']) || json['contents'].length === 0)
      return { status: 400, message: '* GenerateContentRequest.contents: contents is not specified\n' };
    return undefined;
  },

  outputLimit(json) {
    const config = json['generationConfig'] as { maxOutputTokens?: number } | undefined;
    return config?.maxOutputTokens;
  },

  choices: () => 1,

  *events(completion, _, report) {
    const { pieces, tool, tokens } = completion;
    const input = { ...tokens, output: tokens.reasoning };
    if (tokens.reasoning > 0) yield { data: body(completion, input, report, [{ text: THOUGHT, thought: true }]) };
    // A call comes in one piece, however long its arguments are.
    if (tool !== undefined) yield { data: body(completion, tokens, report, [call(completion)]), tokens: pieces.length };
    else for (const text of pieces) yield { data: body(completion, input, report, [{ text }]), tokens: 1 };
    yield { data: body(completion, tokens, report, [{ text: '' }], finish(completion)) };
  },

  whole(completion, report) {
    const { pieces, tool, tokens } = completion;
    const parts = [
      ...(tokens.reasoning > 0 ? [{ text: THOUGHT, thought: true }] : []),
      tool === undefined ? { text: pieces.join('') } : call(completion),
    ];
    return body(completion, tokens, report, parts, finish(completion));
  },

  error({ status, message = MESSAGES[status] ?? 'Internal error encountered.', type, headers = {} }) {
    return { headers, body: { error: { code: status, message, status: type ?? STATUSES[status] ?? 'INTERNAL' } } };
  },

  errorEvent: () => ({ data: { error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } } }),

  models: (ids) => ({ models: ids.map((id) => ({ name: `models/${id}` })) }),
};

const STATUSES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
};

const MESSAGES: Readonly<Record<ErrorAnswer['status'], string>> = {
  400: 'Request contains an invalid argument.',
  401: 'Request had invalid authentication credentials.',
  429: 'You exceeded your current quota, please check your plan and billing details.',
  503: 'The model is overloaded. Please try again later.',
};

const finish = ({ hitLimit }: Completion): string => (hitLimit ? 'MAX_TOKENS' : 'STOP');

function call({ tool, pieces, tokens }: Completion): object {
  const functionCall = { name: tool, args: JSON.parse(pieces.join('')) as unknown };
  return tokens.reasoning > 0 ? { functionCall, thoughtSignature: SIGNATURE } : { functionCall };
}

function body(
  { id, model, extras }: Completion,
  tokens: Tokens,
  report: Parameters<typeof reported>[1],
  parts: readonly object[],
  finishReason?: string,
): object {
  const usage = reported(usageOf(tokens), report);
  return {
    candidates: [{ content: { parts, role: 'model' }, ...(finishReason && { finishReason }), index: 0 }],
    ...(usage && { usageMetadata: usage }),
    modelVersion: model,
    responseId: id,
    ...(extras && { futureField: { deep: [1] } }),
  };
}

/** Google counts cached tokens within the prompt, and thoughts beside the candidates. */
function usageOf({ input, cacheRead, cacheWrite5m, cacheWrite1h, output, reasoning }: Tokens): Record<string, unknown> {
  const prompt = input + cacheRead + cacheWrite5m + cacheWrite1h;
  return {
    promptTokenCount: prompt,
    ...(cacheRead > 0 && { cachedContentTokenCount: cacheRead }),
    candidatesTokenCount: output - reasoning,
    ...(reasoning > 0 && { thoughtsTokenCount: reasoning }),
    totalTokenCount: prompt + output,
  };
}

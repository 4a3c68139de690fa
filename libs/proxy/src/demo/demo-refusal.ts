/** What the catalogue of a new gateway says of the demonstration; what is longer would be billed as a report that cannot be true. */
export const CONTEXT_TOKENS = 128_000;

/** What of a request may ask for more than one text that is always the same. */
export interface WishesAsked {
  readonly messages?: unknown;
  readonly input?: unknown;
  readonly n?: unknown;
  readonly response_format?: unknown;
  readonly text?: unknown;
  readonly output_config?: unknown;
  readonly tool_choice?: unknown;
}

/** Why a request is refused, with 400, as the API of its path would. */
export interface Refusal {
  readonly message: string;
  readonly param: string | null;
  readonly code: string | null;
}

/** @param prompt tokens of the input */
export function refusalOf(url: string, asked: WishesAsked, prompt: number): Refusal | null {
  if (prompt > CONTEXT_TOKENS) return tooLong(url, prompt);
  if (url.startsWith('/v1/embeddings')) return null;
  const list = url.startsWith('/v1/responses') ? 'input' : 'messages';
  if (!isGiven(asked[list], list)) return invalid(list, `${list}: must be a list with at least one message`);
  const wish = unmetWish(asked);
  return wish === null
    ? null
    : invalid(
        wish,
        `${wish}: local/demo has no language model behind it and always answers with the same text. ` +
          'Leave that out, or ask your gateway administrator for a model that can.',
      );
}

/** The body of the answer, in the words of the path. */
export const renderRefusal = (url: string, { message, param, code }: Refusal): object =>
  url.startsWith('/v1/messages')
    ? { type: 'error', error: { type: 'invalid_request_error', message } }
    : { error: { message, type: 'invalid_request_error', param, code } };

/** In the words of either API, by which clients know that they have to shorten their conversation. */
function tooLong(url: string, prompt: number): Refusal {
  if (url.startsWith('/v1/messages'))
    return invalid('messages', `prompt is too long: ${prompt} tokens > ${CONTEXT_TOKENS} maximum`);
  const message = `This model's maximum context length is ${CONTEXT_TOKENS} tokens, and the request has ${prompt}. Send less.`;
  return { message, param: null, code: 'context_length_exceeded' };
}

const invalid = (param: string, message: string): Refusal => ({ message, param, code: null });

/** The responses API takes a text in the place of a list. */
const isGiven = (value: unknown, list: string): boolean =>
  Array.isArray(value) ? value.length > 0 : list === 'input' && typeof value === 'string' && value !== '';

/** A program that asked for JSON would stumble over a text, and look for the fault in itself. */
function unmetWish({ n, response_format, text, output_config, tool_choice }: WishesAsked): string | null {
  if (typeof n === 'number' && n > 1) return 'n';
  if (isJson(response_format)) return 'response_format';
  if (isJson(memberOf(text, 'format'))) return 'text.format';
  if (isJson(memberOf(output_config, 'format'))) return 'output_config.format';
  return isCallForced(tool_choice) ? 'tool_choice' : null;
}

const isJson = (format: unknown): boolean => ['json_schema', 'json_object'].includes(String(memberOf(format, 'type')));

function isCallForced(choice: unknown): boolean {
  if (typeof choice !== 'object' || choice === null) return choice === 'required';
  const [type, mode] = [memberOf(choice, 'type'), memberOf(choice, 'mode')];
  return mode === undefined ? type !== 'auto' && type !== 'none' : mode === 'required';
}

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;

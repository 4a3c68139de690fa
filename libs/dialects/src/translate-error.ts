import type { ClientFormat } from './format';
import { record, text, type Json } from './json';

/** What a provider says is wrong, whatever its dialect. */
export interface ToldError {
  readonly message: string;
  readonly type: string | null;
  readonly param: string | null;
  readonly code: string | null;
}

/** Reads an error answer of any provider; null if it is none. */
export function readError(body: Buffer): ToldError | null {
  let told: Json | undefined;
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    // Google writes a list of one where a stream was asked for.
    told = record(Array.isArray(parsed) ? parsed[0] : parsed);
  } catch {
    return null;
  }
  const error = record(told?.['error']) ?? (told?.['object'] === 'error' ? told : undefined);
  if (!error) return null;
  return {
    message: text(error['message']) ?? 'The provider refused the request.',
    type: text(error['type']) ?? text(error['status']) ?? null,
    param: text(error['param']) ?? null,
    code: text(error['code']) ?? null,
  };
}

/** A provider's error with this status in the shape of the client's dialect. */
export function writeError(to: ClientFormat, status: number, error: ToldError): Buffer {
  const isTooLong = TOO_LONG.test(error.message) || error.code === 'context_length_exceeded';
  return Buffer.from(
    JSON.stringify(to === 'messages' ? anthropic(status, error, isTooLong) : openAi(status, error, isTooLong)),
    'utf8',
  );
}

const TOO_LONG =
  /prompt is too long|maximum context length|longer than the model's context length|exceed context limit|exceeds? the (available context size|context window|maximum number of tokens)/i;

const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

function anthropic(status: number, { message }: ToldError, isTooLong: boolean): object {
  const usual = status >= 500 ? 'api_error' : 'invalid_request_error';
  return {
    type: 'error',
    error: { type: ANTHROPIC_TYPES[status] ?? usual, message: isTooLong ? tooLong(message) : message },
  };
}

/** Claude Code shortens a conversation when it reads these words, and only then. */
function tooLong(message: string): string {
  if (message.startsWith('prompt is too long')) return message;
  const numbers = [...message.matchAll(/\d+/g)].map(([digits]) => Number(digits)).sort((a, b) => b - a);
  const [sent, most] = numbers;
  return sent !== undefined && most !== undefined
    ? `prompt is too long: ${sent} tokens > ${most} maximum`
    : `prompt is too long: ${message}`;
}

/** OpenAI's clients look at the code. */
function openAi(status: number, { message, type, param, code }: ToldError, isTooLong: boolean): object {
  return {
    error: {
      message,
      type: errorType('chat', type) ?? (status >= 500 ? 'server_error' : 'invalid_request_error'),
      param,
      code: isTooLong ? 'context_length_exceeded' : code,
    },
  };
}

const GOOGLE_TYPES: Readonly<Record<string, string>> = {
  INVALID_ARGUMENT: 'invalid_request_error',
  FAILED_PRECONDITION: 'invalid_request_error',
  NOT_FOUND: 'not_found_error',
  RESOURCE_EXHAUSTED: 'rate_limit_error',
  UNAVAILABLE: 'overloaded_error',
  DEADLINE_EXCEEDED: 'timeout_error',
  INTERNAL: 'api_error',
};

const OPENAI_TYPES: Readonly<Record<string, string>> = {
  overloaded_error: 'server_error',
  api_error: 'server_error',
  timeout_error: 'server_error',
  not_found_error: 'invalid_request_error',
  request_too_large: 'invalid_request_error',
  permission_error: 'invalid_request_error',
  authentication_error: 'invalid_request_error',
  exceed_context_size_error: 'invalid_request_error',
};

const FROM_OPENAI: Readonly<Record<string, string>> = {
  server_error: 'api_error',
  rate_limit_exceeded: 'rate_limit_error',
};

/** A provider's type of error as the client's dialect calls it; null where it has no word for it. */
export function errorType(to: ClientFormat, type: string | null): string | null {
  if (type === null) return null;
  const known = GOOGLE_TYPES[type] ?? type;
  if (!/^[a-z_]{1,64}$/.test(known)) return null;
  return (to === 'messages' ? FROM_OPENAI[known] : OPENAI_TYPES[known]) ?? known;
}

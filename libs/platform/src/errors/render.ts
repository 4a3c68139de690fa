import type { CodedError } from './coded-error';

/** In whose words an error is told: the two model APIs, or RFC 9457 problem details for everything else. */
export type Dialect = 'openai' | 'anthropic' | 'problem';

export interface RenderedError {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** What clients ask for whose base URL ends one `/v1` too early; in other words than theirs they would not show why. */
const LACKS_V1 = /^\/(chat\/completions|responses|embeddings|models|messages)(\/|$)/;

/** The dialect a path is answered in. `/v1/models` is shared: clients of the Anthropic API send `anthropic-version`. */
export function dialectOf(path: string, headers: Readonly<Record<string, unknown>> = {}): Dialect {
  if (path.startsWith('/v1/v1/')) return dialectOf(path.slice(3), headers);
  if (!path.startsWith('/v1/') && path !== '/v1')
    return LACKS_V1.test(path) ? dialectOf(`/v1${path}`, headers) : 'problem';
  if (path.startsWith('/v1/messages')) return 'anthropic';
  if (path.startsWith('/v1/models') && headers['anthropic-version'] !== undefined) return 'anthropic';
  return 'openai';
}

export function renderError(error: CodedError, dialect: Dialect, requestId: string): RenderedError {
  const { entry } = error;
  const headers: Record<string, string> = {
    'content-type': dialect === 'problem' ? 'application/problem+json' : 'application/json',
    'cache-control': 'no-store',
    'x-request-id': requestId,
    'request-id': requestId,
    ...error.headers,
  };
  if (entry.retry === false) headers['x-should-retry'] ??= 'false';
  if (entry.status === 401) headers['www-authenticate'] = 'Bearer';
  return { status: entry.status, headers, body: JSON.stringify(bodyOf(error, dialect, requestId)) };
}

/** The details stand first in each body, so that none of them can displace a field of the dialect. */
function bodyOf(error: CodedError, dialect: Dialect, requestId: string): unknown {
  const { entry, code, details } = error;
  const message = `${error.message} ${entry.remedy}`;
  switch (dialect) {
    case 'openai':
      return {
        error: {
          ...details,
          message,
          type: entry.openai.type,
          param: null,
          code: entry.openai.code ?? code,
          gateway_code: code,
        },
        request_id: requestId,
      };
    case 'anthropic':
      return {
        type: 'error',
        error: { ...details, type: entry.anthropic, message, gateway_code: code },
        request_id: requestId,
      };
    case 'problem':
      return {
        ...details,
        type: `urn:openclawmu:error:${code}`,
        title: entry.title,
        status: entry.status,
        detail: message,
        code,
        requestId,
      };
  }
}

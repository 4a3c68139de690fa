/**
 * One error that the gateway answers with: the HTTP status, what is wrong in a few words, what the reader can do, and how the
 * two model dialects call it.
 *
 * `retry: false` becomes `x-should-retry: false`, which the official SDKs and CLIs obey; without it Claude Code repeats
 * a request with a revoked token for minutes before telling the user. An error that knows better says so in its own headers.
 */
export interface ErrorEntry {
  readonly status: number;
  readonly title: string;
  readonly remedy: string;
  readonly openai: { readonly type: string; readonly code?: string };
  readonly anthropic: string;
  readonly retry?: false;
}

/** Kinds of errors, as the dialects call them. */
export const invalid = {
  openai: { type: 'invalid_request_error' },
  anthropic: 'invalid_request_error',
  retry: false,
} as const;
export const unauthenticated = {
  status: 401,
  openai: { type: 'invalid_request_error', code: 'invalid_api_key' },
  anthropic: 'authentication_error',
  retry: false,
} as const;
export const forbidden = {
  status: 403,
  openai: { type: 'invalid_request_error' },
  anthropic: 'permission_error',
  retry: false,
} as const;
export const missing = {
  status: 404,
  openai: { type: 'invalid_request_error' },
  anthropic: 'not_found_error',
  retry: false,
} as const;
/** What the gateway does not do. A 5xx is repeated unless it says otherwise. */
export const notOffered = {
  status: 501,
  openai: { type: 'invalid_request_error', code: 'not_supported' },
  anthropic: 'not_supported',
  retry: false,
} as const;
export const conflict = { status: 409, ...invalid } as const;
export const upstream = { openai: { type: 'server_error' }, anthropic: 'api_error' } as const;
export const unavailable = { status: 503, openai: { type: 'server_error' }, anthropic: 'overloaded_error' } as const;

/* eslint-disable max-lines -- one closed list, of which nobody should have to know the parts */
/**
 * Every error the gateway answers with. One entry: the HTTP status, what is wrong in a few words, what the reader can do,
 * and how the two model dialects call it. Adding a code here is the only way to answer with an error.
 *
 * `retry: false` becomes `x-should-retry: false`, which the official SDKs and CLIs obey; without it Claude Code repeats
 * a request with a revoked token for minutes before telling the user.
 */
export interface ErrorEntry {
  readonly status: number;
  readonly title: string;
  readonly remedy: string;
  readonly openai: { readonly type: string; readonly code?: string };
  readonly anthropic: string;
  readonly retry?: false;
}

const invalid = {
  openai: { type: 'invalid_request_error' },
  anthropic: 'invalid_request_error',
  retry: false,
} as const;
const unauthenticated = {
  status: 401,
  openai: { type: 'invalid_request_error', code: 'invalid_api_key' },
  anthropic: 'authentication_error',
  retry: false,
} as const;
const forbidden = {
  status: 403,
  openai: { type: 'invalid_request_error' },
  anthropic: 'permission_error',
  retry: false,
} as const;
const missing = {
  status: 404,
  openai: { type: 'invalid_request_error' },
  anthropic: 'not_found_error',
  retry: false,
} as const;
const conflict = { status: 409, ...invalid } as const;
const upstream = { openai: { type: 'server_error' }, anthropic: 'api_error' } as const;
const unavailable = { status: 503, openai: { type: 'server_error' }, anthropic: 'overloaded_error' } as const;

export const ERRORS = {
  // who is calling
  credentials_missing: {
    ...unauthenticated,
    title: 'No credentials.',
    remedy: 'Send the key as "Authorization: Bearer …" or "x-api-key".',
  },
  credentials_invalid: {
    ...unauthenticated,
    title: 'This key is not valid here.',
    remedy: 'It may be mistyped, expired or revoked; ask your gateway administrator for a new one.',
  },
  tenant_suspended: { ...forbidden, title: 'This tenant is suspended.', remedy: 'Ask your gateway administrator.' },
  permission_denied: {
    ...forbidden,
    title: 'This key lacks the permission for that.',
    remedy: 'Use a key that has it.',
  },
  model_not_allowed: {
    ...forbidden,
    title: 'This key may not use that model.',
    remedy: 'GET /v1/models lists the models it may use.',
  },

  // what is asked for
  route_not_found: { ...missing, title: 'There is no such route.', remedy: 'The API is documented at /docs.' },
  method_not_allowed: {
    ...invalid,
    status: 405,
    title: 'That method is not supported.',
    remedy: 'The API is documented at /docs.',
  },
  tenant_not_found: { ...missing, title: 'There is no such tenant.', remedy: 'List the tenants to see their ids.' },
  token_not_found: { ...missing, title: 'There is no such token.', remedy: 'List the tokens to see their ids.' },
  budget_not_found: { ...missing, title: 'There is no such budget.', remedy: 'List the budgets to see their ids.' },
  lost_process_not_found: {
    ...missing,
    title: 'There is no such lost process.',
    remedy: 'List the lost processes to see their ids; one that was resolved is not among them.',
  },
  rate_card_not_found: {
    ...missing,
    title: 'There is no such rate card.',
    remedy: 'List the rate cards to see their versions.',
  },
  statement_not_found: {
    ...missing,
    title: 'There is no such statement.',
    remedy: 'List the statements to see their ids.',
  },
  webhook_not_found: {
    ...missing,
    title: 'There is no such webhook.',
    remedy: "Webhooks are declared in the gateway's configuration; list them to see their names.",
  },
  webhook_delivery_not_found: {
    ...missing,
    title: 'There is no such delivery.',
    remedy: 'List the deliveries to see their ids; delivered ones are kept for 30 days.',
  },
  delivery_not_found: {
    ...missing,
    title: 'There is no such delivery.',
    remedy: 'Deliveries are part of the configuration; list them to see their names.',
  },
  usage_not_found: { ...missing, title: 'There is no such usage record.', remedy: 'Check the request id.' },
  row_is_correction: {
    ...conflict,
    title: 'That row is a correction itself.',
    remedy: 'Correct the request that it corrects; all corrections of it so far are taken into account.',
  },
  correction_empty: {
    ...conflict,
    title: 'The request is billed at that already.',
    remedy: 'Nothing was booked, and nothing needs to be.',
  },
  model_not_found: {
    ...missing,
    openai: { type: 'invalid_request_error', code: 'model_not_found' },
    title: 'There is no such model.',
    remedy: 'GET /v1/models lists the models you may use.',
  },
  provider_not_found: {
    ...missing,
    status: 422,
    title: 'There is no such provider.',
    remedy: "Providers are declared in the gateway's configuration.",
  },

  // how it is asked
  body_malformed: {
    ...invalid,
    status: 400,
    title: 'The body is not valid JSON.',
    remedy: 'Send one JSON object, encoded as UTF-8.',
  },
  body_too_large: {
    ...invalid,
    status: 413,
    anthropic: 'request_too_large',
    title: 'The body is too large.',
    remedy: 'Send less, or ask your gateway administrator about server.bodyLimitBytes.',
  },
  body_timeout: {
    ...invalid,
    status: 408,
    title: 'The body did not arrive in time.',
    remedy: 'Send the request again.',
  },
  request_timeout: {
    ...invalid,
    status: 408,
    title: 'The request did not arrive in time.',
    remedy: 'Send it again.',
  },
  header_malformed: { ...invalid, status: 400, title: 'A header is not valid.', remedy: 'Correct it.' },
  headers_too_large: {
    ...invalid,
    status: 431,
    title: 'The headers are too large.',
    remedy: 'Send fewer or shorter headers.',
  },
  request_malformed: {
    ...invalid,
    status: 400,
    title: 'The HTTP request is malformed.',
    remedy: 'Send a well-formed HTTP/1.1 request.',
  },
  media_type_unsupported: {
    ...invalid,
    status: 415,
    title: 'That content type is not supported.',
    remedy: 'Send "Content-Type: application/json".',
  },
  validation_failed: {
    ...invalid,
    status: 400,
    title: 'Some values are not valid.',
    remedy: 'Correct the named fields.',
  },
  setting_reserved: {
    ...invalid,
    status: 400,
    title: 'That setting belongs to the gateway and cannot be set by a tenant.',
    remedy: 'Ask your gateway administrator.',
  },
  cursor_invalid: {
    ...invalid,
    status: 400,
    title: 'The paging cursor is not valid.',
    remedy: 'Use nextCursor from the previous page, unchanged, with the same filters.',
  },
  feature_not_supported: {
    ...invalid,
    status: 400,
    title: 'The gateway does not offer that feature.',
    remedy: 'Leave it out of the request.',
  },
  dialect_not_supported: {
    ...invalid,
    status: 400,
    title: 'That model is not offered on this route.',
    remedy: "Use the route of the provider's own dialect.",
  },
  process_alive: {
    ...conflict,
    title: 'That gateway process is alive, or just being settled.',
    remedy: 'Stop it first; what it had leased then comes back by itself.',
  },
  tenant_exists: { ...conflict, title: 'A tenant with that id exists.', remedy: 'Choose another id.' },
  tenant_state: { ...conflict, title: "The tenant's state does not allow that.", remedy: 'Look at its status first.' },
  token_revoked: { ...conflict, title: 'The token is revoked or expired.', remedy: 'Create a new one.' },
  rate_card_conflict: {
    ...conflict,
    title: 'A rate card with that effective time exists.',
    remedy: 'Choose another effective time.',
  },
  rate_card_in_past: {
    ...invalid,
    status: 422,
    title: 'A rate card cannot take effect in the past.',
    remedy: 'Choose a time from now on; rows already priced are never changed.',
  },
  period_not_over: {
    ...conflict,
    title: 'That month is not over.',
    remedy: 'Close it when it is, in the time zone of the gateway.',
  },
  statement_out_of_order: {
    ...conflict,
    title: 'Months are closed one after the other.',
    remedy: 'List the statements and close the month that follows the last.',
  },
  statement_altered: {
    ...upstream,
    status: 500,
    title: 'The ledger no longer gives the statement that was closed.',
    remedy: 'Do not use it. Have the ledger compared with a backup; the audit log has the hash it was closed with.',
    retry: false,
  },
  webhook_delivered: {
    ...conflict,
    title: 'That notice has been delivered.',
    remedy: 'Only notices that are pending or dead can be sent again.',
  },
  ledger_month_not_found: {
    ...missing,
    title: 'The ledger has no such month.',
    remedy: 'List the months of the ledger.',
  },
  ledger_month_state: {
    ...conflict,
    title: 'The state of that month does not allow that.',
    remedy: 'List the months of the ledger to see what is missing.',
  },
  ledger_month_archived: {
    ...invalid,
    status: 410,
    title: 'The rows of that month were taken out of the ledger.',
    remedy:
      'Totals of whole hours are still there. For single rows, attach the month again; the page for finance says how.',
  },
  idempotency_conflict: {
    ...conflict,
    status: 422,
    title: 'This idempotency key was used for another request.',
    remedy: 'Use a fresh Idempotency-Key for a new request.',
  },

  // money
  model_not_priced: {
    ...forbidden,
    title: 'The rate card in force has no price for that model.',
    remedy: 'Ask your gateway administrator to price it; unpriced models are refused, never free.',
  },
  budget_exceeded: {
    status: 429,
    openai: { type: 'insufficient_quota', code: 'insufficient_quota' },
    anthropic: 'billing_error',
    retry: false,
    title: 'The budget does not cover this request.',
    remedy: 'Wait for the reset, ask for a smaller answer, or ask your gateway administrator for a larger budget.',
  },

  rate_limited: {
    status: 429,
    openai: { type: 'requests', code: 'rate_limit_exceeded' },
    anthropic: 'rate_limit_error',
    title: 'Too many requests in this minute.',
    remedy: 'Wait as long as Retry-After says, or ask your gateway administrator for a higher limit.',
  },

  concurrency_exceeded: {
    status: 429,
    openai: { type: 'requests', code: 'rate_limit_exceeded' },
    anthropic: 'rate_limit_error',
    title: 'Too many calls at the same time.',
    remedy: 'Send it again when another has ended, or ask your gateway administrator for a higher limit.',
  },

  // what failed
  provider_unreachable: { ...upstream, status: 502, title: 'The provider could not be reached.', remedy: 'Try again.' },
  provider_timeout: {
    ...upstream,
    status: 504,
    title: 'The provider did not answer in time.',
    remedy: 'Try again, or ask for a shorter answer.',
  },
  provider_rejected_gateway: {
    ...upstream,
    status: 502,
    retry: false,
    title: "The provider refused the gateway's own credentials.",
    remedy: 'Tell your gateway administrator: the provider key must be renewed.',
  },
  provider_error: { ...upstream, status: 502, title: 'The provider failed.', remedy: 'Try again.' },
  provider_disabled: {
    ...unavailable,
    retry: false,
    title: 'The provider of this model is not configured.',
    remedy: 'Ask your gateway administrator.',
  },
  database_unavailable: {
    ...unavailable,
    title: "The gateway's database does not answer.",
    remedy: 'Try again in a moment.',
  },
  journal_unavailable: {
    ...unavailable,
    title: 'The gateway cannot write its journal, so it accepts no work it could not bill.',
    remedy: 'Tell your gateway administrator: disk full or not writable.',
  },
  draining: {
    ...unavailable,
    title: 'This gateway process is shutting down.',
    remedy: 'Try again; another process will answer.',
  },
  internal_error: {
    status: 500,
    openai: { type: 'server_error' },
    anthropic: 'api_error',
    title: 'Something unexpected went wrong.',
    remedy: 'Tell your gateway administrator the request id.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

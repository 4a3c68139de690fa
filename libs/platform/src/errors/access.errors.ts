import { conflict, forbidden, invalid, missing, unauthenticated, type ErrorEntry } from './error-entry';

/** Errors of who is calling, and of what is not there for that caller. */
export const ACCESS_ERRORS = {
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
  budget_not_found: {
    ...missing,
    title: 'There is no such budget.',
    remedy: 'List the budgets to see which there are.',
  },
  lost_process_not_found: {
    ...missing,
    title: 'There is no such lost process.',
    remedy: 'List the lost processes to see their ids; one that was resolved is not among them.',
  },
  policy_not_found: {
    ...missing,
    title: 'There is no policy.',
    remedy: 'Set one; until then only the one for all tenants holds, if there is one.',
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
} as const satisfies Record<string, ErrorEntry>;

import { conflict, forbidden, missing, unavailable, upstream, type ErrorEntry } from './error-entry';

/** Errors of money, and of what failed. */
export const OPERATION_ERRORS = {
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

  end_users_exceeded: {
    status: 429,
    openai: { type: 'insufficient_quota', code: 'insufficient_quota' },
    anthropic: 'billing_error',
    retry: false,
    title: 'Too many end users were named in this period.',
    remedy:
      'Name people, not calls or sessions, as end users, or leave the name out; or ask your gateway administrator to remove the budget that each end user has.',
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

  // prompts that are kept
  prompt_not_found: {
    ...missing,
    title: 'Nothing is kept of that call.',
    remedy: 'List what is kept; a call is kept only while its tenant has the prompt log, and only for its time.',
  },
  prompt_key_missing: {
    ...conflict,
    title: 'The key that opens this entry is not in the configuration.',
    remedy: 'Add the key of that id under promptLog.keys, behind the first, and reload the gateway.',
  },
  prompt_damaged: {
    status: 500,
    openai: { type: 'server_error', code: 'prompt_damaged' },
    anthropic: 'api_error',
    retry: false,
    title: 'The entry was altered since it was kept, or the key of that id is another one.',
    remedy:
      'Do not trust it. Compare the key of that id with your records, then look for who can write to the database.',
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
  provider_resting: {
    ...unavailable,
    title: 'The provider has failed several times in a row and is not asked for a moment.',
    remedy: 'Try again when Retry-After says.',
  },
  provider_busy: {
    ...unavailable,
    title: 'The provider has as many calls as it may have, and none ended in time.',
    remedy: 'Try again.',
  },
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

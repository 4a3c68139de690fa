import { conflict, invalid, missing, notOffered, upstream, type ErrorEntry } from './error-entry';

/** Errors of how something is asked. */
export const REQUEST_ERRORS = {
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
    remedy:
      'Send less. What a model is asked may be longer where your gateway administrator raises server.bodyLimitBytes.',
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
  header_required: {
    ...invalid,
    status: 400,
    title: 'Your company requires a header that is missing or has another value than it may have.',
    remedy: 'Send the header with each call; your gateway administrator knows its value.',
  },
  prompt_refused: {
    ...invalid,
    status: 400,
    title: 'The request holds something that a rule of your company keeps from models.',
    remedy: 'Take it out of the request, or ask your gateway administrator about the rule.',
  },
  prompt_uninspectable: {
    ...invalid,
    status: 400,
    title: 'The request holds something that the rules of your company cannot look into.',
    remedy: 'Send it as text, or ask your gateway administrator.',
  },
  answer_refused: {
    ...invalid,
    status: 400,
    title: 'The answer held something that a rule of your company keeps from leaving models.',
    remedy:
      'Ask for something else, or ask your gateway administrator about the rule. What was made of the answer is billed.',
  },
  thought_masked: {
    ...invalid,
    status: 400,
    title:
      'The provider refused a thought of an earlier answer because it is no longer as the model wrote it: a rule of your company masks what it finds in answers.',
    remedy:
      'Leave that thought out of the request, or, where the model thinks within a fixed budget, that answer. To avoid it, ask for thoughts without their text ("thinking.display": "omitted"), or ask your gateway administrator to set thoughts.keys, with which the gateway puts back what it masked.',
  },
  thought_altered: {
    ...invalid,
    status: 400,
    title:
      'A thought of an earlier answer came back other than the gateway gave it, so what it masked there cannot be put back.',
    remedy: 'Send thoughts back as they came, each with its signature, or leave that answer out of the request.',
  },
  thought_foreign: {
    ...invalid,
    status: 400,
    title:
      'A thought of an earlier answer was sealed for another tenant or by a key that this gateway does not have, or its signature is damaged.',
    remedy:
      'Leave that answer out of the request. If the conversation is your own, your gateway administrator may have taken its key out of thoughts.keys.',
  },
  feature_not_supported: {
    ...invalid,
    status: 400,
    title: 'The gateway does not offer that feature.',
    remedy: 'Leave it out of the request.',
  },
  not_expressible: {
    ...invalid,
    status: 400,
    title: 'The provider of this model speaks another dialect, which has no way to express that.',
    remedy: 'Leave it out of the request, or take a model whose provider speaks the dialect of this route.',
  },
  dialect_not_supported: {
    ...invalid,
    status: 400,
    title: 'That model is not offered on this route.',
    remedy: 'Use a route that the message names.',
  },
  answer_not_kept: {
    ...missing,
    title: 'Answers are not kept, because all departments share the provider account they would be kept in.',
    remedy: 'Keep them in your program and send the conversation along each time.',
  },
  state_not_offered: {
    ...notOffered,
    title: 'The gateway does not offer what providers keep in the account that all departments share.',
    remedy: 'Keep it in your program and send it along with each request.',
  },
  api_not_offered: {
    ...notOffered,
    title: 'The gateway does not offer that API.',
    remedy: 'It offers chat completions, responses, embeddings, messages and models; see /docs.',
  },
  count_not_offered: {
    ...notOffered,
    title: 'Nobody can count the tokens of that model beforehand.',
    remedy: 'Go without; the usage is in each answer.',
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
    remedy:
      'Choose a time from now on. To bill calls of the past by it, import it as a correction with a reason: their rows stay, and the difference is booked beside them.',
  },
  period_not_over: {
    ...conflict,
    title: 'That month is not over.',
    remedy: 'Close it when it is over, in the time zone of the gateway.',
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
} as const satisfies Record<string, ErrorEntry>;

import type { ErrorCode } from '@app/platform';

/** What providers keep in the account that all departments share. */
const STATE =
  /^\/v1\/(files|uploads|batches|conversations|vector_stores|containers|threads|assistants|chatkit|skills|sessions|agents|environments|fine_tuning|evals|videos|messages\/(batches|threads))(\/|$)/;

const STORED_RESPONSE = /^\/v1\/responses\/(?!(compact|input_tokens)\/?$)[^/]+(\/(input_items|cancel))?\/?$/;
const STORED_COMPLETION = /^\/v1\/chat\/completions\/[^/]+(\/messages)?\/?$/;

/** The rest of what SDKs know to ask for. */
const OTHER =
  /^\/v1\/(completions|complete|audio|images|moderations|realtime|organizations?|responses\/(compact|input_tokens))(\/|$)/;

/** Why a path of the model APIs that has no route here has none. Nothing of it is ever passed on to a provider. */
export function whyNotOffered(path: string): ErrorCode {
  if (STORED_RESPONSE.test(path) || STORED_COMPLETION.test(path)) return 'answer_not_kept';
  if (STATE.test(path)) return 'state_not_offered';
  return OTHER.test(path) ? 'api_not_offered' : 'route_not_found';
}

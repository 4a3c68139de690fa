import { CodedError, type ErrorCode } from '@app/platform';

/** What providers keep in the account that all departments share. */
const STATE =
  /^\/v1\/(files|uploads|batches|conversations|vector_stores|containers|threads|assistants|chatkit|skills|sessions|agents|environments|fine_tuning|evals|videos|messages\/(batches|threads))(\/|$)/;

const STORED_RESPONSE = /^\/v1\/responses\/(?!(compact|input_tokens)\/?$)[^/]+(\/(input_items|cancel))?\/?$/;
const STORED_COMPLETION = /^\/v1\/chat\/completions\/[^/]+(\/messages)?\/?$/;

/** The rest of what SDKs know to ask for. */
const OTHER =
  /^\/v1\/(completions|complete|audio|images|moderations|realtime|organizations?|responses\/(compact|input_tokens))(\/|$)/;

/** What clients ask for whose base URL ends one `/v1` too early. */
const LACKS_V1 = /^\/(chat\/completions|responses|embeddings|messages|models)(\/|$)/;

/** The answer to a path that has no route here. Nothing of it is ever passed on to a provider. */
export const notOffered = (path: string): CodedError => new CodedError(whyNotOffered(path), wrongBase(path));

function wrongBase(path: string): string | undefined {
  if (path.startsWith('/v1/v1/'))
    return 'There is no such route: this client adds /v1 itself, so take it off the end of its base URL.';
  if (LACKS_V1.test(path))
    return "There is no such route: the model APIs are under /v1, so end the client's base URL with it.";
  return undefined;
}

/** Why a path of the model APIs that has no route here has none. */
function whyNotOffered(path: string): ErrorCode {
  if (STORED_RESPONSE.test(path) || STORED_COMPLETION.test(path)) return 'answer_not_kept';
  if (STATE.test(path)) return 'state_not_offered';
  return OTHER.test(path) ? 'api_not_offered' : 'route_not_found';
}

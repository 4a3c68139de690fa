const MESSAGE_PARTS =
  'text image image_url document thinking redacted_thinking tool_use tool_result server_tool_use web_search_tool_result search_result ' +
  'input_text input_image input_file input_audio output_text refusal summary_text reasoning_text file function custom function_call ' +
  'function_call_output custom_tool_call custom_tool_call_output local_shell_call local_shell_call_output reasoning message ' +
  'tool_calls ephemeral enabled disabled adaptive auto any none required tool json_schema json_object object string number integer ' +
  'boolean array null base64 url content web_search namespace char_location page_location url_citation image_generation_call ' +
  'text_delta thinking_delta input_json_delta signature_delta citations_delta grammar';
const STOPS =
  'stop length tool_calls content_filter function_call end_turn max_tokens stop_sequence tool_use pause_turn refusal ' +
  'model_context_window_exceeded';

const set = (words: string): ReadonlySet<string> => new Set(words.split(' '));

/**
 * What the APIs themselves say under some keys. A company whose rule looks for the word "user" does not mean the role; whatever else
 * stands under these keys is looked through like any other text.
 */
export const STRUCTURAL_WORDS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['role', set('user assistant system developer tool function')],
  ['type', set(MESSAGE_PARTS)],
  ['object', set('chat.completion chat.completion.chunk response list embedding model')],
  ['status', set('in_progress completed incomplete failed cancelled queued')],
  ['finish_reason', set(STOPS)],
  ['stop_reason', set(STOPS)],
  ['tool_choice', set('auto any none required')],
  ['effort', set('none minimal low medium high xhigh max')],
  ['reasoning_effort', set('none minimal low medium high xhigh max')],
  ['verbosity', set('low medium high')],
  ['detail', set('auto low high original')],
  ['summary', set('auto concise detailed')],
  ['encoding_format', set('float base64')],
  ['media_type', set('image/png image/jpeg image/gif image/webp application/pdf text/plain')],
]);

/** Names that the APIs give to members. Under any key but these a caller's own words may stand as the key. */
export const API_KEYS: ReadonlySet<string> = set(
  'model messages role content type text name id input output tools function functions parameters properties description required ' +
    'system instructions metadata user user_id arguments tool_calls tool_call_id call_id tool_use_id source media_type data url image_url ' +
    'file file_data filename title context cache_control ttl stream stream_options include_usage max_tokens max_output_tokens ' +
    'max_completion_tokens temperature top_p top_k stop stop_sequences seed n tool_choice thinking budget_tokens signature summary ' +
    'encrypted_content reasoning effort format schema strict items enum additionalProperties default anyOf oneOf allOf $ref $defs $schema ' +
    'minimum maximum minLength maxLength minItems maxItems pattern const input_schema response_format json_schema output_config ' +
    'parallel_tool_calls store include status phase detail citations is_error refusal annotations logprobs top_logprobs ' +
    'prompt_cache_key safety_identifier client_metadata service_tier context_management edits display verbosity',
);

/** What is sealed is one long word, so no sentence can hide there. */
export const isSealedText = (text: string): boolean => /^[\w+/=.:-]*$/.test(text);

/** What a provider wrote for itself alone: under which key, and in objects of which types. Nobody else can read or write it. */
export const SEALED: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['signature', set('thinking signature_delta')],
  ['data', set('redacted_thinking')],
  ['encrypted_content', set('reasoning compaction web_search_result web_search_result_location')],
  ['encrypted_index', set('web_search_result_location')],
]);

const JSON_TEXTS = set('text output_text response.output_text.done');

/** Whether a string holds the text of an answer, and not a thought or a remark, by its key and its object's type and role. */
export const isJsonText = (key: string, type: string | undefined, role: string | undefined): boolean =>
  key === 'text' ? JSON_TEXTS.has(type ?? '') : key === 'content' && role === 'assistant';

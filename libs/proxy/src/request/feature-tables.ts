import type { Wire } from '../wire';

/**
 * Something in a request that its tokens alone do not pay for, or that reaches beyond the request:
 * - `hosted_tool`: the provider runs it and bills per use, or samples again with an input nobody can bound beforehand;
 * - `price`: tokens at another price, or of another model, than the catalogue's entry;
 * - `state`: reads or leaves something in the provider account that all tenants share.
 */
export interface Feature {
  readonly kind: 'hosted_tool' | 'price' | 'state';
  /** The tool's type without its date, or the name of the request field. */
  readonly name: string;
}

/** A block whose tokens its bytes do not bound as text: an image's URL is short, a page's scan is long. */
export interface MediaBlock {
  /** `other` is a document, or a kind that is not known here. A video may have sound. */
  readonly kind: 'image' | 'audio' | 'video' | 'other';
  /** Offsets in the body, the end exclusive. */
  readonly start: number;
  readonly end: number;
}

/**
 * What servers of these conventions offer beside them and bill apart: other models at their own prices instead of the one asked for,
 * and searches (https://openrouter.ai/docs/guides/routing/model-fallbacks, https://docs.litellm.ai/docs/proxy/client_side_fallbacks,
 * https://docs.x.ai/docs/guides/live-search, https://www.alibabacloud.com/help/en/model-studio/web-search).
 */
const OFFERED_BESIDE: readonly Feature[] = [
  { kind: 'price', name: 'models' },
  { kind: 'price', name: 'fallbacks' },
  { kind: 'hosted_tool', name: 'plugins' },
  { kind: 'hosted_tool', name: 'search_parameters' },
  { kind: 'hosted_tool', name: 'enable_search' },
];
const BESIDE_KEYS = OFFERED_BESIDE.map(({ name }) => name);

const CHAT_KEYS = [
  ...BESIDE_KEYS,
  'messages',
  'tools',
  'functions',
  'web_search_options',
  'modalities',
  'audio',
  'prediction',
  'store',
  'previous_response_id',
  'conversation',
];

/** Top-level keys that `survey` reads; the scan of the body has to want them. */
export const SURVEYED_KEYS = {
  chat: CHAT_KEYS,
  embeddings: CHAT_KEYS,
  responses: [
    ...BESIDE_KEYS,
    'input',
    'tools',
    'max_tool_calls',
    'modalities',
    'audio',
    'previous_response_id',
    'conversation',
    'prompt',
    'background',
    'context_management',
  ],
  messages: [
    ...BESIDE_KEYS,
    'messages',
    'tools',
    'container',
    'mcp_servers',
    'thread',
    'previous_message_id',
    'diagnostics',
    'fallback_credit_token',
    'compaction',
    'context_management',
  ],
} satisfies Record<Wire, readonly string[]>;

const CHAT_FEATURES: readonly Feature[] = [
  ...OFFERED_BESIDE,
  { kind: 'price', name: 'prediction' },
  { kind: 'state', name: 'store' },
  { kind: 'state', name: 'previous_response_id' },
  { kind: 'state', name: 'conversation' },
];

/** Fields that are a feature whenever they hold more than null, false or an empty list. */
export const FEATURE_FIELDS: Readonly<Record<Wire, readonly Feature[]>> = {
  chat: CHAT_FEATURES,
  embeddings: CHAT_FEATURES,
  responses: [
    ...OFFERED_BESIDE,
    { kind: 'state', name: 'previous_response_id' },
    { kind: 'state', name: 'conversation' },
    { kind: 'state', name: 'prompt' },
    { kind: 'state', name: 'background' },
    { kind: 'price', name: 'context_management' },
  ],
  messages: [
    ...OFFERED_BESIDE,
    { kind: 'state', name: 'container' },
    { kind: 'hosted_tool', name: 'mcp_servers' },
    { kind: 'state', name: 'thread' },
    { kind: 'state', name: 'previous_message_id' },
    { kind: 'price', name: 'fallback_credit_token' },
    { kind: 'price', name: 'compaction' },
  ],
};

const FUNCTIONS: ReadonlySet<string> = new Set(['function', 'custom']);

/** Tool types that the caller runs itself. Any other type is taken for hosted: a new one must not slip through free. */
export const CLIENT_TOOLS: Readonly<Record<Wire, ReadonlySet<string>>> = {
  chat: FUNCTIONS,
  embeddings: FUNCTIONS,
  responses: new Set([...FUNCTIONS, 'local_shell', 'apply_patch', 'computer', 'computer_use_preview', 'namespace']),
  messages: new Set(['custom', 'bash', 'text_editor', 'computer', 'computer_toolset', 'browser_toolset', 'memory']),
};

/** Tool types that the caller describes itself, in the body; a namespace holds others. */
export const DESCRIBED_TOOLS: ReadonlySet<string> = new Set([...FUNCTIONS, 'namespace']);

const SEARCHES: ReadonlySet<string> = new Set(['web_search', 'web_search_preview']);

/** Tool types that search, within a number of uses. */
export const SEARCH_TOOLS: Readonly<Record<Wire, ReadonlySet<string>>> = {
  chat: new Set(),
  embeddings: new Set(),
  responses: SEARCHES,
  messages: new Set(['web_search', 'web_fetch']),
};

const CHAT_TEXTS: ReadonlySet<string> = new Set(['text', 'refusal']);

/** Content blocks that are text, or hold others. Any other type counts as media, an unknown one too. */
export const TEXT_BLOCKS: Readonly<Record<Wire, ReadonlySet<string>>> = {
  chat: CHAT_TEXTS,
  embeddings: CHAT_TEXTS,
  responses: new Set(['input_text', 'output_text', 'refusal', 'text', 'summary_text', 'reasoning_text']),
  messages: new Set([
    'text',
    'thinking',
    'redacted_thinking',
    'search_result',
    'tool_reference',
    'compaction',
    'fallback',
  ]),
};

/** Items of a response's input that are text beside messages and outputs of tools. */
export const TEXT_ITEMS: ReadonlySet<string> = new Set([
  'reasoning',
  'compaction',
  'function_call',
  'custom_tool_call',
  'local_shell_call',
  'shell_call',
  'apply_patch_call',
  'computer_call',
  'web_search_call',
  'file_search_call',
  'tool_search_call',
  'additional_tools',
]);

export const MEDIA_KINDS: Readonly<Record<string, MediaBlock['kind']>> = {
  image: 'image',
  image_url: 'image',
  input_image: 'image',
  computer_screenshot: 'image',
  image_generation_call: 'image',
  input_audio: 'audio',
  video_url: 'video',
  input_video: 'video',
  video: 'video',
};

/** Where a public model name leads: which provider, under which name, within which limits. */
export interface ModelEntry {
  /** The name that was asked for; it is what is priced and billed. */
  readonly id: string;
  /** Name of a configured provider, or `local` for the built-in demonstration model. */
  readonly provider: string;
  /** What the provider calls it. */
  readonly upstreamModel: string;
  readonly displayName: string;
  readonly contextTokens: number;
  readonly maxOutputTokens: number;
  /** By which its text can be counted here; without one, text is bounded by its bytes. */
  readonly tokenizer?: Tokenizer | null;
  /** The most input tokens a picture costs; without it, a picture may fill the context window. */
  readonly imageTokens?: number | null;
  /** Side of the square patches a picture is billed by, a token each; without it, every picture costs the most. */
  readonly imagePatchPixels?: number | null;
  /** Input tokens that a second of sound costs; without it, sound may fill the context window. */
  readonly audioTokensPerSecond?: number | null;
  /** The most input tokens that the results of one web search or fetch add; without it, they may fill the context window. */
  readonly searchTokens?: number | null;
  /** How many searches a request gets that says no number, where the tenant lets us choose. */
  readonly maxSearches?: number | null;
}

export const TOKENIZERS = ['o200k_base', 'cl100k_base'] as const;
export type Tokenizer = (typeof TOKENIZERS)[number];

const TOKENIZER_OF: readonly (readonly [RegExp, Tokenizer])[] = [
  [/^(?:gpt-4o|chatgpt-4o|gpt-4\.1|gpt-4\.5|gpt-5|gpt-audio|gpt-oss|o[134](?:-|$))/, 'o200k_base'],
  [/^(?:gpt-4|gpt-3\.5)/, 'cl100k_base'],
];

/** The tokenizer of OpenAI's models, by the provider's name of one (https://github.com/openai/tiktoken, `model.py`). */
export const tokenizerOf = (upstreamModel: string): Tokenizer | null =>
  TOKENIZER_OF.find(([names]) => names.test(upstreamModel))?.[1] ?? null;

/** Provider of the built-in offline model; it needs no configuration. */
export const LOCAL_PROVIDER = 'local';

import type { Bounds, ModelEntry } from '@app/billing';
import type { RequestFacts } from '../request/request-facts';
import { mediaTokensMax } from './media-bounds';

/**
 * What stands around the messages that nobody sent: separators, roles, the system prompt that a chat template brings along
 * (Mistral's has some hundred tokens), instructions for a JSON schema.
 */
const TEMPLATE_TOKENS = 1_024;
/** What providers add when tools are declared; Anthropic documents up to 735. */
const TOOL_PROMPT_TOKENS = 1_024;
/** A tool named by its type alone is described by the provider: up to 735 as documented, and a toolset is several tools. */
const KNOWN_TOOL_TOKENS = 4_096;

/** What a closer look at a request found: an upper bound of the tokens of its text, or of all of its input. */
export type Counted = { readonly text: number } | { readonly input: number };

/** What the gateway decided about a request. */
export interface Decided {
  /** A closer look at the input. */
  readonly counted?: Counted | undefined;
  /** Uses of each of its searching tools, in their order. */
  readonly uses: readonly number[];
  /** The service tier it may be served in, beside the standard one. */
  readonly serviceTier?: string | undefined;
}

/**
 * The most a request can use. A token of text is at least one byte, so the bytes outside media bound the text where nobody
 * counted. All of the input fits the model's context window: a provider refuses a longer prompt, unbilled. Only of vectors there are
 * many asked for at once, each for a text that may fill it.
 */
export function boundsOf(facts: RequestFacts, body: Buffer, model: ModelEntry, decided: Decided = NOTHING): Bounds {
  const { counted, uses, serviceTier } = decided;
  const media = mediaTokensMax(facts.media, body, model);
  const prompt =
    counted && 'input' in counted
      ? counted.input
      : Math.min(textBytesOf(facts), counted?.text ?? Infinity) + addedTokens(facts) + media.tokens;
  const isAnswer = facts.wire !== 'embeddings';
  // Some servers take a limit of 0 for none.
  const outputTokensMax = isAnswer ? facts.outputLimitTokens || model.maxOutputTokens : 0;
  const inputTokensMax = isAnswer ? withFindings(prompt, facts, model, uses, outputTokensMax) : prompt;
  return {
    inputTokensMax,
    audioInputTokensMax: Math.min(media.audioTokens, inputTokensMax),
    outputTokensMax,
    audioOutputAllowed: facts.speaks,
    choices: facts.choices,
    webSearchesMax: searchesMax(facts, uses),
    serviceTiers: serviceTier === undefined ? [] : [serviceTier],
  };
}

const NOTHING: Decided = { uses: [] };

/**
 * What a search or a fetch finds comes back as input: Anthropic reads the whole prompt again for each round of uses
 * (https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool), and once more for each it sifts with code;
 * OpenAI's chat models read it once, and its responses again for each search, too. Each round fits the context window.
 */
function withFindings(
  prompt: number,
  { searches, wire }: RequestFacts,
  { contextTokens, searchTokens }: ModelEntry,
  uses: readonly number[],
  outputTokensMax: number,
): number {
  if (searches.length === 0) return Math.min(prompt, contextTokens);
  const used = uses.reduce((sum, next) => sum + next, 0);
  const found = searchTokens ? used * searchTokens : contextTokens;
  if (wire === 'chat') return Math.min(prompt + found, contextTokens);
  const rounds = searches.reduce((sum, { sifts }, i) => sum + (uses[i] ?? 0) * (sifts ? 2 : 1), 1);
  return rounds * Math.min(prompt + found + outputTokensMax, contextTokens);
}

/** A fetch costs no fee. Every choice searches for itself. */
const searchesMax = ({ searches, choices }: RequestFacts, uses: readonly number[]): number =>
  choices * searches.reduce((sum, { name }, i) => sum + (name === 'web_fetch' ? 0 : (uses[i] ?? 0)), 0);

const textBytesOf = ({ bodyBytes, media }: RequestFacts): number =>
  media.reduce((bytes, { start, end }) => bytes - (end - start), bodyBytes);

const addedTokens = ({ declaresTools, knownTools }: RequestFacts): number =>
  TEMPLATE_TOKENS + (declaresTools ? TOOL_PROMPT_TOKENS : 0) + knownTools * KNOWN_TOOL_TOKENS;

import type { Bounds, ModelEntry } from '@app/billing';
import type { RequestFacts } from '../request-facts';
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

/**
 * The most tokens a request can use. A token of text is at least one byte, so the bytes outside media bound the text where
 * nobody counted. All of the input fits the model's context window: a provider refuses a longer prompt, unbilled.
 */
export function boundsOf(facts: RequestFacts, body: Buffer, model: ModelEntry, counted?: Counted): Bounds {
  const media = mediaTokensMax(facts.media, body, model);
  const input =
    counted && 'input' in counted
      ? counted.input
      : Math.min(textBytesOf(facts), counted?.text ?? Infinity) + addedTokens(facts) + media.tokens;
  const inputTokensMax = Math.min(input, model.contextTokens);
  return {
    inputTokensMax,
    // Some servers take a limit of 0 for none.
    outputTokensMax: facts.outputLimitTokens || model.maxOutputTokens,
    choices: facts.choices,
  };
}

const textBytesOf = ({ bodyBytes, media }: RequestFacts): number =>
  media.reduce((bytes, { start, end }) => bytes - (end - start), bodyBytes);

const addedTokens = ({ declaresTools, knownTools }: RequestFacts): number =>
  TEMPLATE_TOKENS + (declaresTools ? TOOL_PROMPT_TOKENS : 0) + knownTools * KNOWN_TOOL_TOKENS;

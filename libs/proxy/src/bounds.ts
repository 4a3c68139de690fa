import type { Bounds, ModelEntry } from '@app/billing';
import type { RequestFacts } from './request-facts';

/**
 * What stands around the messages that nobody sent: separators, roles, the system prompt that a chat template brings along
 * (Mistral's has some hundred tokens), instructions for a JSON schema.
 */
const TEMPLATE_TOKENS = 1_024;
/** What providers add when tools are declared; Anthropic documents up to 735. */
const TOOL_PROMPT_TOKENS = 1_024;
/** A tool named by its type alone is described by the provider: up to 735 as documented, and a toolset is several tools. */
const KNOWN_TOOL_TOKENS = 4_096;

/**
 * The most tokens a request can use. A token of text is at least one byte, so the bytes outside media bound the text.
 * What an image or a document costs cannot be seen from its bytes, but all of the input fits the model's context window.
 */
export function boundsOf(facts: RequestFacts, model: ModelEntry): Bounds {
  const { media, declaresTools, knownTools } = facts;
  const tools = (declaresTools ? TOOL_PROMPT_TOKENS : 0) + knownTools * KNOWN_TOOL_TOKENS;
  const text = facts.bodyBytes - media.bytes + TEMPLATE_TOKENS + tools;
  return {
    inputTokensMax: media.blocks > 0 ? text + model.contextTokens : text,
    // Some servers take a limit of 0 for none.
    outputTokensMax: facts.outputLimitTokens || model.maxOutputTokens,
    choices: facts.choices,
  };
}

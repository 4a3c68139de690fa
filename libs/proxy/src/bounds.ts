import type { Bounds, ModelEntry } from '@app/billing';
import type { RequestFacts } from './request-facts';

/** What providers add to the input when tools are declared (their own instructions), rounded up; Anthropic documents up to 735. */
const TOOL_PROMPT_TOKENS = 1_024;
/** Separators and roles of the chat template: a few per request beyond what their own JSON takes in bytes. */
const TEMPLATE_TOKENS = 64;

/**
 * The most tokens a request can use. A token of text is at least one byte, so the bytes outside media bound the text.
 * What an image or a document costs cannot be seen from its bytes, but all of the input fits the model's context window.
 */
export function boundsOf(facts: RequestFacts, model: ModelEntry): Bounds {
  const text = facts.bodyBytes - facts.media.bytes + TEMPLATE_TOKENS + (facts.declaresTools ? TOOL_PROMPT_TOKENS : 0);
  return {
    inputTokensMax: facts.media.blocks > 0 ? text + model.contextTokens : text,
    outputTokensMax: facts.outputLimitTokens ?? model.maxOutputTokens,
    choices: facts.choices,
  };
}

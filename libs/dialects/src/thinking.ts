import type { Effort, Thinking } from './conversation';

/** Shares of the output limit that an effort sets aside for thinking, as gateways over several vendors have agreed on. */
const SHARES: Readonly<Record<Effort, number>> = {
  minimal: 0.1,
  low: 0.2,
  medium: 0.5,
  high: 0.8,
  xhigh: 0.95,
  max: 0.95,
};

const MOST_TOKENS = 32_000;

/** Tokens for an effort, within what the answer may have in all. */
export const budgetOf = (effort: Effort, outputLimit: number): number =>
  Math.min(MOST_TOKENS, Math.floor(outputLimit * SHARES[effort]));

/** The effort that a number of tokens stands for; the bounds are those Google documents for its own translation. */
export function effortOf(thinking: Thinking): Effort {
  if (thinking.kind === 'effort') return thinking.effort;
  if (thinking.kind !== 'budget') return 'medium';
  if (thinking.tokens <= 1_024) return 'low';
  return thinking.tokens <= 8_192 ? 'medium' : 'high';
}

/** Gemini since 3 takes a level; earlier ones take a number of tokens. */
export const takesLevel = (model: string): boolean => /gemini-([3-9]|\d\d)/.test(model);

/**
 * Tokens of one call in disjoint classes: each token is counted once, in the class it is billed in. `input` leaves out
 * what was read from or written to a cache; `output` leaves out reasoning. All are integers from 0.
 */
export interface TokenCounts {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
  readonly reasoning: number;
}

export type TokenClass = keyof TokenCounts;

/** The plain class first, so that it is the one named among equally dear ones. */
export const INPUT_CLASSES = ['input', 'cacheRead', 'cacheWrite5m', 'cacheWrite1h'] as const;
export const OUTPUT_CLASSES = ['output', 'reasoning'] as const;
export const TOKEN_CLASSES: readonly TokenClass[] = [...INPUT_CLASSES, ...OUTPUT_CLASSES];

export const NO_TOKENS: TokenCounts = {
  input: 0,
  output: 0,
  cacheRead: 0,
  cacheWrite5m: 0,
  cacheWrite1h: 0,
  reasoning: 0,
};

/** More tokens than any model reads or writes in one call; beyond it a count is a lie or a defect. */
export const MAX_TOKENS = 2 ** 40;

export const totalTokens = (counts: TokenCounts): number =>
  TOKEN_CLASSES.reduce((sum, tokenClass) => sum + counts[tokenClass], 0);

/** The prompt's length: input of every class, which is what long-context prices go by. */
export const inputTokens = (counts: TokenCounts): number =>
  counts.input + counts.cacheRead + counts.cacheWrite5m + counts.cacheWrite1h;

export const isTokenCount = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= MAX_TOKENS;

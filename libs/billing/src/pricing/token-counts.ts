/**
 * Tokens of one call in disjoint classes: each token is counted once, in the class it is billed in. `input` leaves out
 * spoken input and what was read from or written to a cache; `output` leaves out spoken output and reasoning. All are
 * integers from 0.
 */
export interface TokenCounts {
  readonly input: number;
  readonly audioInput: number;
  readonly output: number;
  readonly audioOutput: number;
  readonly cacheRead: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
  readonly reasoning: number;
}

export type TokenClass = keyof TokenCounts;

const TEXT_INPUT = ['input', 'cacheRead', 'cacheWrite5m', 'cacheWrite1h'] as const;
const TEXT_OUTPUT = ['output', 'reasoning'] as const;

/**
 * The classes that input can fall into, without and with sound; the plain class first, so that it is the one named among
 * equally dear ones.
 */
const INPUT_CLASSES = { text: TEXT_INPUT, audio: [...TEXT_INPUT, 'audioInput'] } as const;
const OUTPUT_CLASSES = { text: TEXT_OUTPUT, audio: [...TEXT_OUTPUT, 'audioOutput'] } as const;
export const TOKEN_CLASSES: readonly TokenClass[] = [...INPUT_CLASSES.audio, ...OUTPUT_CLASSES.audio];

const placesOf = (classes: readonly TokenClass[]): readonly number[] =>
  classes.map((tokenClass) => TOKEN_CLASSES.indexOf(tokenClass));
/** Where those stand in `TOKEN_CLASSES`. */
export const INPUT_PLACES = { text: placesOf(INPUT_CLASSES.text), audio: placesOf(INPUT_CLASSES.audio) } as const;
export const OUTPUT_PLACES = { text: placesOf(OUTPUT_CLASSES.text), audio: placesOf(OUTPUT_CLASSES.audio) } as const;

/** What each class is called in the ledger and in bills. */
export const TOKEN_COLUMNS: Readonly<Record<TokenClass, string>> = {
  input: 'input_tokens',
  audioInput: 'audio_input_tokens',
  cacheRead: 'cache_read_tokens',
  cacheWrite5m: 'cache_write_5m_tokens',
  cacheWrite1h: 'cache_write_1h_tokens',
  output: 'output_tokens',
  audioOutput: 'audio_output_tokens',
  reasoning: 'reasoning_tokens',
};

export const NO_TOKENS: TokenCounts = {
  input: 0,
  audioInput: 0,
  output: 0,
  audioOutput: 0,
  cacheRead: 0,
  cacheWrite5m: 0,
  cacheWrite1h: 0,
  reasoning: 0,
};

/** More tokens than any model reads or writes in one call; beyond it a count is a lie or a defect. */
export const MAX_TOKENS = 2 ** 40;

/**
 * The counts in the order of `TOKEN_CLASSES`. Written out, because each call asks for all of them some ten times, and a member whose name
 * varies takes V8 a hundred instructions to find.
 */
export const byClass = (counts: TokenCounts): number[] => [
  counts.input,
  counts.cacheRead,
  counts.cacheWrite5m,
  counts.cacheWrite1h,
  counts.audioInput,
  counts.output,
  counts.reasoning,
  counts.audioOutput,
];

/** Of counts in the order that `byClass` gives them. */
export const fromClasses = (counts: readonly number[]): TokenCounts => {
  const [input, cacheRead, cacheWrite5m, cacheWrite1h, audioInput, output, reasoning, audioOutput] = counts;
  return { input, audioInput, output, audioOutput, cacheRead, cacheWrite5m, cacheWrite1h, reasoning } as TokenCounts;
};

export const totalTokens = (counts: TokenCounts): number => byClass(counts).reduce((sum, tokens) => sum + tokens, 0);

/** The prompt's length: input of every class, which is what long-context prices go by. */
export const inputTokens = (counts: TokenCounts): number =>
  counts.input + counts.audioInput + counts.cacheRead + counts.cacheWrite5m + counts.cacheWrite1h;

export const isTokenCount = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= MAX_TOKENS;

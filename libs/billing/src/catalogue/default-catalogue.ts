import type { StatedClasses, StatedPrice } from '../rates/rate-card';
import { LOCAL_PROVIDER, tokenizerOf, type ModelEntry } from './model-entry';

/**
 * What a new gateway starts with: well-known models and their list prices in US dollars per million tokens, as published
 * in November 2026. Providers change prices and you may have your own: check them, and import your own rate card.
 *
 * Left out are models whose price depends on what a card cannot say yet.
 */
export const DEFAULT_NOTE = 'Shipped list prices of November 2026; check them against your contract';

interface Default {
  readonly provider: string;
  readonly name: string;
  readonly context: number;
  readonly maxOutput: number;
  /** The most tokens a picture costs, and the patches of a smaller one, see below. */
  readonly images?: readonly [tokens: number, patchPixels?: number];
  /** What a second of sound costs. */
  readonly audioTokensPerSecond?: number;
  readonly price: Omit<StatedPrice, 'model'>;
  /** Dated names of the same model at the same price. */
  readonly snapshots?: readonly string[];
}

/** Anthropic's cache writes cost 1.25 times the input for five minutes and twice for an hour; stated, because a card never guesses. */
const anthropic = (
  input: string,
  output: string,
  cacheWrite5m: string,
  cacheWrite1h: string,
  cacheRead: string,
): StatedClasses => ({ input, output, cacheWrite5m, cacheWrite1h, cacheRead });

/**
 * Models that hear and speak are not cached. A token of input stands for a tenth of a second
 * (https://platform.openai.com/docs/guides/realtime-costs).
 */
const spoken = (input: string, output: string, audioInput: string, audioOutput: string): StatedClasses => ({
  input,
  output,
  audioInput,
  audioOutput,
});
const AUDIO_TOKENS_PER_SECOND = 10;

const openai = (input: string, cacheRead: string, output: string): StatedClasses => ({ input, cacheRead, output });

/** Vectors have no output; the context is that of one text (https://platform.openai.com/docs/guides/embeddings). */
const embedding = (name: string, input: string): Default => ({
  provider: 'openai',
  name,
  context: 8_191,
  maxOutput: 0,
  price: { input, output: '0' },
});

const OPUS = anthropic('5', '25', '6.25', '10', '0.50');
const SONNET = anthropic('3', '15', '3.75', '6', '0.30');
const MILLION = 1_000_000;

/**
 * Anthropic bills a token for each 28 x 28 pixels, formerly for each 750 pixels, which patches of 27 bound both
 * (https://platform.claude.com/docs/en/build-with-claude/vision). OpenAI bills tiles of 512 pixels, at most eight, or
 * patches of 32 pixels, at most 1,536 and times a factor; newer models take up to 10,000 of them
 * (https://platform.openai.com/docs/guides/images-vision#calculating-costs).
 */
const CLAUDE_IMAGES = [1_600, 27] as const;
const CLAUDE_LARGE_IMAGES = [4_800, 27] as const;

const DEFAULTS: Readonly<Record<string, Default>> = {
  'claude-fable-5-1': {
    provider: 'anthropic',
    name: 'Claude Fable 5.1',
    context: MILLION,
    maxOutput: 128_000,
    images: CLAUDE_LARGE_IMAGES,
    price: anthropic('10', '50', '12.50', '20', '0.25'),
  },
  'claude-opus-5-5': {
    provider: 'anthropic',
    name: 'Claude Opus 5.5',
    context: MILLION,
    maxOutput: 128_000,
    images: CLAUDE_LARGE_IMAGES,
    price: anthropic('4', '20', '5', '8', '0.20'),
  },
  'claude-opus-5': {
    provider: 'anthropic',
    name: 'Claude Opus 5',
    context: MILLION,
    maxOutput: 128_000,
    images: CLAUDE_LARGE_IMAGES,
    price: OPUS,
  },
  'claude-opus-4-8': {
    provider: 'anthropic',
    name: 'Claude Opus 4.8',
    context: MILLION,
    maxOutput: 128_000,
    images: CLAUDE_LARGE_IMAGES,
    price: OPUS,
  },
  'claude-opus-4-5': {
    provider: 'anthropic',
    name: 'Claude Opus 4.5',
    context: 200_000,
    maxOutput: 64_000,
    images: CLAUDE_IMAGES,
    price: OPUS,
    snapshots: ['claude-opus-4-5-20251101'],
  },
  'claude-sonnet-5-5': {
    provider: 'anthropic',
    name: 'Claude Sonnet 5.5',
    context: MILLION,
    maxOutput: 128_000,
    images: CLAUDE_LARGE_IMAGES,
    price: anthropic('2', '10', '2.50', '4', '0.10'),
  },
  'claude-sonnet-5': {
    provider: 'anthropic',
    name: 'Claude Sonnet 5',
    context: MILLION,
    maxOutput: 128_000,
    images: CLAUDE_LARGE_IMAGES,
    price: anthropic('2', '10', '2.50', '4', '0.20'),
  },
  'claude-sonnet-4-6': {
    provider: 'anthropic',
    name: 'Claude Sonnet 4.6',
    context: MILLION,
    maxOutput: 64_000,
    images: CLAUDE_IMAGES,
    price: SONNET,
  },
  'claude-sonnet-4-5': {
    provider: 'anthropic',
    name: 'Claude Sonnet 4.5',
    context: MILLION,
    maxOutput: 64_000,
    images: CLAUDE_IMAGES,
    price: { ...SONNET, longContext: { aboveTokens: 200_000, ...anthropic('6', '22.50', '7.50', '12', '0.60') } },
    snapshots: ['claude-sonnet-4-5-20250929'],
  },
  'claude-haiku-5-5': {
    provider: 'anthropic',
    name: 'Claude Haiku 5.5',
    context: MILLION,
    maxOutput: 128_000,
    images: CLAUDE_LARGE_IMAGES,
    price: {
      ...anthropic('0.10', '0.50', '0.125', '0.20', '0.01'),
      longContext: { aboveTokens: 100_000, ...anthropic('0.50', '2.50', '0.625', '1', '0.05') },
    },
  },
  'claude-haiku-4-5': {
    provider: 'anthropic',
    name: 'Claude Haiku 4.5',
    context: 200_000,
    maxOutput: 64_000,
    images: CLAUDE_IMAGES,
    price: anthropic('1', '5', '1.25', '2', '0.10'),
    snapshots: ['claude-haiku-4-5-20251001'],
  },
  'gpt-5.4': {
    provider: 'openai',
    name: 'GPT-5.4',
    context: 1_050_000,
    maxOutput: 128_000,
    images: [12_000],
    price: {
      ...openai('2.50', '0.25', '15'),
      longContext: { aboveTokens: 272_000, ...openai('5', '0.50', '22.50') },
    },
  },
  'gpt-5.4-mini': {
    provider: 'openai',
    name: 'GPT-5.4 mini',
    context: 400_000,
    maxOutput: 128_000,
    images: [2_500],
    price: openai('0.75', '0.075', '4.50'),
  },
  'gpt-5.2': {
    provider: 'openai',
    name: 'GPT-5.2',
    context: 400_000,
    maxOutput: 128_000,
    images: [2_000],
    price: openai('1.75', '0.175', '14'),
  },
  'gpt-5': {
    provider: 'openai',
    name: 'GPT-5',
    context: 400_000,
    maxOutput: 128_000,
    images: [1_200],
    price: {
      ...openai('1.25', '0.125', '10'),
      tiers: { flex: openai('0.625', '0.0625', '5'), priority: openai('2.50', '0.25', '20') },
    },
  },
  'gpt-5-mini': {
    provider: 'openai',
    name: 'GPT-5 mini',
    context: 400_000,
    maxOutput: 128_000,
    images: [2_500],
    price: {
      ...openai('0.25', '0.025', '2'),
      tiers: { flex: openai('0.125', '0.0125', '1'), priority: openai('0.45', '0.045', '3.60') },
    },
  },
  'gpt-5-nano': {
    provider: 'openai',
    name: 'GPT-5 nano',
    context: 400_000,
    maxOutput: 128_000,
    images: [3_800],
    price: openai('0.05', '0.005', '0.40'),
  },
  'gpt-4.1': {
    provider: 'openai',
    name: 'GPT-4.1',
    context: 1_047_576,
    maxOutput: 32_768,
    images: [1_536, 32],
    price: { ...openai('2', '0.50', '8'), tiers: { priority: openai('3.50', '0.875', '14') } },
  },
  'gpt-4.1-mini': {
    provider: 'openai',
    name: 'GPT-4.1 mini',
    context: 1_047_576,
    maxOutput: 32_768,
    images: [2_500],
    price: openai('0.40', '0.10', '1.60'),
  },
  'gpt-4o': {
    provider: 'openai',
    name: 'GPT-4o',
    context: 128_000,
    maxOutput: 16_384,
    images: [1_445],
    price: { ...openai('2.50', '1.25', '10'), tiers: { priority: openai('4.25', '2.125', '17') } },
    snapshots: ['gpt-4o-2024-08-06', 'gpt-4o-2024-11-20'],
  },
  'gpt-4o-mini': {
    provider: 'openai',
    name: 'GPT-4o mini',
    context: 128_000,
    maxOutput: 16_384,
    images: [48_169],
    price: { ...openai('0.15', '0.075', '0.60'), tiers: { priority: openai('0.25', '0.125', '1') } },
    snapshots: ['gpt-4o-mini-2024-07-18'],
  },
  'o4-mini': {
    provider: 'openai',
    name: 'o4-mini',
    context: 200_000,
    maxOutput: 100_000,
    images: [2_650],
    price: openai('1.10', '0.275', '4.40'),
  },
  'gpt-audio': {
    provider: 'openai',
    name: 'GPT Audio',
    context: 128_000,
    maxOutput: 16_384,
    audioTokensPerSecond: AUDIO_TOKENS_PER_SECOND,
    price: spoken('2.50', '10', '32', '64'),
  },
  'gpt-audio-mini': {
    provider: 'openai',
    name: 'GPT Audio mini',
    context: 128_000,
    maxOutput: 16_384,
    audioTokensPerSecond: AUDIO_TOKENS_PER_SECOND,
    price: spoken('0.60', '2.40', '10', '20'),
  },
  'text-embedding-3-small': embedding('Text embedding 3 small', '0.02'),
  'text-embedding-3-large': embedding('Text embedding 3 large', '0.13'),
  'text-embedding-ada-002': embedding('Text embedding ada 002', '0.10'),
  // Costs nothing to run; the small price is there so that a tour with it shows money.
  'local/demo': {
    provider: LOCAL_PROVIDER,
    name: 'Demonstration (no model behind it)',
    context: 128_000,
    maxOutput: 4_096,
    price: { input: '0.10', output: '0.40' },
  },
};

export const DEFAULT_MODELS: readonly ModelEntry[] = Object.entries(DEFAULTS).flatMap(
  ([
    name,
    { provider, name: displayName, context, maxOutput, images = [], snapshots = [], audioTokensPerSecond = null },
  ]) =>
    [name, ...snapshots].map((id) => ({
      id,
      provider,
      upstreamModel: id.replace(/^local\//, ''),
      displayName,
      contextTokens: context,
      maxOutputTokens: maxOutput,
      tokenizer: provider === 'openai' ? tokenizerOf(id) : null,
      imageTokens: images[0] ?? null,
      imagePatchPixels: images[1] ?? null,
      audioTokensPerSecond,
    })),
);

/** Ten dollars for a thousand searches, with every model (https://platform.claude.com/docs/en/about-claude/pricing). */
const ANTHROPIC_FEES = { webSearch: '0.01' };

export const defaultPrices = (): StatedPrice[] =>
  Object.entries(DEFAULTS).flatMap(([name, { provider, price, snapshots = [] }]) =>
    [name, ...snapshots].map((model) => ({
      model,
      ...price,
      ...(provider === 'anthropic' && { fees: ANTHROPIC_FEES }),
    })),
  );

import type { StatedClasses } from '../../rates/rate-card';
import type { ShippedModel, ShippedModels } from './shipped-model';

/**
 * Models that hear and speak are not cached. A token of input stands for a tenth of a second
 * (https://platform.openai.com/docs/guides/realtime-costs). Spoken tokens have prices of their own, on the page of each model
 * (https://platform.openai.com/docs/models/gpt-audio-mini) apart from those of text. What `gpt-audio-mini` asks for a spoken answer is
 * known from public price tables only: twice a spoken prompt.
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
const embedding = (name: string, input: string): ShippedModel => ({
  provider: 'openai',
  name,
  context: 8_191,
  maxOutput: 0,
  price: { input, output: '0' },
});

/**
 * OpenAI bills pictures as tiles of 512 pixels, at most eight, or patches of 32 pixels, at most 1,536 and times a factor; newer models
 * take up to 10,000 of them (https://platform.openai.com/docs/guides/images-vision#calculating-costs).
 */
export const OPENAI_MODELS: ShippedModels = {
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
};

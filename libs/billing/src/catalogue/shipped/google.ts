import type { StatedClasses } from '../../rates/rate-card';
import type { ShippedModel, ShippedModels } from './shipped-model';

/**
 * Google bills a second of sound as 32 tokens (https://ai.google.dev/gemini-api/docs/audio), and a picture for models of
 * the third generation as at most 2,240 (https://ai.google.dev/gemini-api/docs/media-resolution); those before cut it into
 * any number of tiles, so that the context window alone bounds it. What is kept in a cache is not billed by the hour here:
 * nothing that goes through the gateway makes a cache of its own.
 */
const gemini = (input: string, cacheRead: string, output: string, audioInput = input): StatedClasses => ({
  input,
  cacheRead,
  output,
  audioInput,
});
const google = (name: string, price: ShippedModel['price'], images?: ShippedModel['images']): ShippedModel => ({
  provider: 'gemini',
  name,
  context: 1_048_576,
  maxOutput: 65_536,
  images,
  audioTokensPerSecond: 32,
  price,
});
const GEMINI_3_IMAGES = [2_240] as const;

export const GOOGLE_MODELS: ShippedModels = {
  'gemini-3.1-pro-preview': google(
    'Gemini 3.1 Pro (preview)',
    { ...gemini('2', '0.20', '12'), longContext: { aboveTokens: 200_000, ...gemini('4', '0.40', '18') } },
    GEMINI_3_IMAGES,
  ),
  // At half its price until the end of 2026; then 1.50, 0.15 and 7.50.
  'gemini-3.8-flash': google('Gemini 3.8 Flash', gemini('0.75', '0.075', '3.75'), GEMINI_3_IMAGES),
  'gemini-3.5-flash': google('Gemini 3.5 Flash', gemini('1.50', '0.15', '9'), GEMINI_3_IMAGES),
  'gemini-2.5-pro': google('Gemini 2.5 Pro', {
    ...gemini('1.25', '0.125', '10'),
    longContext: { aboveTokens: 200_000, ...gemini('2.50', '0.25', '15') },
  }),
  'gemini-2.5-flash': google('Gemini 2.5 Flash', gemini('0.30', '0.03', '2.50', '1')),
  'gemini-2.5-flash-lite': google('Gemini 2.5 Flash-Lite', gemini('0.10', '0.01', '0.40', '0.30')),
};

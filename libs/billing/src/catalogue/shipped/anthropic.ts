import type { StatedClasses } from '../../rates/rate-card';
import type { ShippedModels } from './shipped-model';

/** Anthropic's cache writes cost 1.25 times the input for five minutes and twice for an hour; stated, because a card never guesses. */
const anthropic = (
  input: string,
  output: string,
  cacheWrite5m: string,
  cacheWrite1h: string,
  cacheRead: string,
): StatedClasses => ({ input, output, cacheWrite5m, cacheWrite1h, cacheRead });

const OPUS = anthropic('5', '25', '6.25', '10', '0.50');
const SONNET = anthropic('3', '15', '3.75', '6', '0.30');
const MILLION = 1_000_000;

/**
 * Anthropic bills a token for each 28 x 28 pixels, formerly for each 750 pixels, which patches of 27 bound both
 * (https://platform.claude.com/docs/en/build-with-claude/vision).
 */
const CLAUDE_IMAGES = [1_600, 27] as const;
const CLAUDE_LARGE_IMAGES = [4_800, 27] as const;

export const ANTHROPIC_MODELS: ShippedModels = {
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
};

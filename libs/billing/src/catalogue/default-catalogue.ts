import type { StatedPrice } from '../rates/rate-card';
import { LOCAL_PROVIDER, tokenizerOf, type ModelEntry } from './model-entry';
import { ANTHROPIC_MODELS } from './shipped/anthropic';
import { GOOGLE_MODELS } from './shipped/google';
import { OPENAI_MODELS } from './shipped/openai';
import type { ShippedModels } from './shipped/shipped-model';

/**
 * What a new gateway starts with: well-known models and their list prices in US dollars per million tokens, as published
 * in November 2026. Providers change prices and you may have your own: check them, and import your own rate card.
 *
 * Left out are models whose price depends on what a card cannot say yet.
 */
export const DEFAULT_NOTE = 'Shipped list prices of November 2026; check them against your contract';

const DEFAULTS: ShippedModels = {
  ...ANTHROPIC_MODELS,
  ...OPENAI_MODELS,
  ...GOOGLE_MODELS,
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

import { MODEL_PATTERN } from '../rates/rate-card.dto';
import type { StatedClasses, StatedPrice } from '../rates/rate-card';
import type { TokenClass } from '../pricing/token-counts';
import { Digits, readExactJson, type ExactJson, type ExactObject } from './exact-json';
import { exactDecimal, RateFileError, type RateFile, type SkippedEntry } from './rate-file';

/** Which entries are wanted; an empty list of providers wants all. */
export interface EntryFilter {
  /** Values of `litellm_provider`. */
  readonly providers: readonly string[];
  /** Values of `mode`. */
  readonly modes: readonly string[];
}

/** The kind of call that this gateway relays. */
export const DEFAULT_MODES: readonly string[] = ['chat'];

/** Members of the file that describe its layout, not a model. */
const NO_MODELS = new Set(['sample_spec', 'fallback_generalizations']);

/** US dollars per token; those with the same class are two names for one price. */
const CLASS_FIELDS: ReadonlyMap<string, TokenClass> = new Map([
  ['input_cost_per_token', 'input'],
  ['cache_read_input_token_cost', 'cacheRead'],
  ['input_cost_per_token_cache_hit', 'cacheRead'],
  ['cache_creation_input_token_cost', 'cacheWrite5m'],
  ['cache_creation_input_token_cost_above_1hr', 'cacheWrite1h'],
  ['output_cost_per_token', 'output'],
  ['output_cost_per_reasoning_token', 'reasoning'],
] as const);
const TIER = /^(.+?)_above_(\d{1,6})k_tokens$/;

/** Prices of what the gateway lets no request ask for: other service tiers, batches, tools that the provider runs, spoken answers. */
const OUT_OF_REACH =
  /_(?:priority|flex|batches)$|^(?:search_context|code_interpreter|computer_use|file_search|vector_store|google_maps|output_cost_per_audio)_|_dbu_cost_per_token$/;
/** The same tokens counted apart; harmless where they cost what all tokens of that side cost. */
const MEDIA_TOKENS: Readonly<Record<string, TokenClass>> = {
  input_cost_per_audio_token: 'input',
  input_cost_per_image_token: 'input',
  input_cost_per_video_token: 'input',
  cache_read_input_audio_token_cost: 'cacheRead',
  output_cost_per_image_token: 'output',
  output_cost_per_video_token: 'output',
};
const PER_MILLION = 6;

type Classes = Partial<Record<TokenClass, string>>;

/** Why an entry cannot become a price. */
class Inexpressible extends Error {}

/**
 * Reads the public price map of LiteLLM (`model_prices_and_context_window.json`). An entry is taken whole or not at all: one
 * with a price that a card cannot say would bill some calls wrongly, so it is listed with that price as the reason.
 * Layout: https://github.com/BerriAI/litellm/blob/main/model_prices_and_context_window.schema.json
 * @throws RateFileError for what is not such a map
 */
export function readLitellmRates(text: string, { providers, modes }: EntryFilter): RateFile {
  const map = readExactJson(text);
  if (!(map instanceof Map))
    throw new RateFileError('the file must be a JSON object with a member for each model', 1, 1);
  const prices: StatedPrice[] = [];
  const skipped: SkippedEntry[] = [];
  let filtered = 0;
  for (const [model, entry] of map as ExactObject) {
    if (NO_MODELS.has(model)) continue;
    if (!(entry instanceof Map)) {
      skipped.push({ model, reason: 'is not an object' });
      continue;
    }
    const fields = entry as ExactObject;
    if (!isWanted(fields.get('litellm_provider'), providers) || !isWanted(fields.get('mode'), modes)) {
      filtered += 1;
      continue;
    }
    try {
      prices.push(priceOf(model, fields));
    } catch (error) {
      if (!(error instanceof Inexpressible)) throw error;
      skipped.push({ model, reason: error.message });
    }
  }
  return { currency: 'USD', prices, skipped, filtered };
}

const isWanted = (value: ExactJson | undefined, wanted: readonly string[]): boolean =>
  wanted.length === 0 || (typeof value === 'string' && wanted.includes(value));

function priceOf(model: string, fields: ExactObject): StatedPrice {
  if (!MODEL_PATTERN.test(model)) throw new Inexpressible('its name is not one that callers of this gateway can use');
  const normal: Classes = {};
  const tiers = new Map<number, Classes>();
  const others: string[] = [];
  for (const field of fields.keys()) {
    const [, base = field, thousands] = TIER.exec(field) ?? [];
    const tokenClass = CLASS_FIELDS.get(base);
    if (tokenClass === undefined) others.push(field);
    else if (thousands === undefined) state(normal, tokenClass, field, fields);
    else {
      const aboveTokens = Number(thousands) * 1_000;
      const tier = tiers.get(aboveTokens) ?? {};
      if (state(tier, tokenClass, field, fields)) tiers.set(aboveTokens, tier);
    }
  }
  for (const field of others) refuseOtherPrice(field, fields, normal);
  const stated = complete(normal, 'it states no input_cost_per_token and output_cost_per_token');
  if (tiers.size > 1) throw new Inexpressible(`it has ${tiers.size} long-context thresholds, and a card has one`);
  const [tier] = tiers;
  if (!tier) return { model, ...stated };
  // What a tier does not state stays at the normal price.
  return { model, ...stated, longContext: { aboveTokens: tier[0], ...stated, ...tier[1] } };
}

/** Notes the price of a class, if the field holds one. */
function state(classes: Classes, tokenClass: TokenClass, field: string, fields: ExactObject): boolean {
  const value = fields.get(field);
  if (value === null || value === undefined) return false;
  const price = perMillion(field, value);
  if (classes[tokenClass] !== undefined && classes[tokenClass] !== price)
    throw new Inexpressible(`${field}: another field states another price for the same tokens`);
  classes[tokenClass] = price;
  return true;
}

function perMillion(field: string, value: ExactJson): string {
  if (!(value instanceof Digits)) throw new Inexpressible(`${field}: is not a number`);
  const exact = exactDecimal(value.text, PER_MILLION);
  if (exact !== undefined) return exact;
  throw new Inexpressible(
    `${field}: ${value.text} is not exact with nine decimals per million tokens, from 0 to 1000000`,
  );
}

function complete(classes: Classes, otherwise: string): StatedClasses {
  const { input, output } = classes;
  if (input === undefined || output === undefined) throw new Inexpressible(otherwise);
  return { ...classes, input, output };
}

/** @throws Inexpressible for a price that calls could incur and a card cannot say */
function refuseOtherPrice(field: string, fields: ExactObject, normal: Classes): void {
  if (!(field.includes('cost') || field === 'tiered_pricing') || OUT_OF_REACH.test(field)) return;
  const value = fields.get(field);
  if (value === null || (value instanceof Digits && /^[0.]+(?:[eE].*)?$/.test(value.text))) return;
  const tokenClass = MEDIA_TOKENS[field];
  if (tokenClass !== undefined && value instanceof Digits) {
    const same = normal[tokenClass] ?? (tokenClass === 'cacheRead' ? normal.input : undefined);
    if (exactDecimal(value.text, PER_MILLION) === same) return;
  }
  throw new Inexpressible(`${field}: a card has no such price`);
}

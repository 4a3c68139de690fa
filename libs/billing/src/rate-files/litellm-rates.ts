import { MODEL_PATTERN } from '../rates/rate-card.dto';
import type { StatedClasses, StatedFees, StatedPrice, StatedTier } from '../rates/rate-card';
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

/** The kinds of call that this gateway relays. */
export const DEFAULT_MODES: readonly string[] = ['chat', 'embedding', 'responses'];

/** Members of the file that describe its layout, not a model. */
const NO_MODELS = new Set(['sample_spec', 'fallback_generalizations']);

/** US dollars per token; those with the same class are two names for one price. */
const CLASS_FIELDS: ReadonlyMap<string, TokenClass> = new Map([
  ['input_cost_per_token', 'input'],
  ['input_cost_per_audio_token', 'audioInput'],
  ['cache_read_input_token_cost', 'cacheRead'],
  ['input_cost_per_token_cache_hit', 'cacheRead'],
  ['cache_creation_input_token_cost', 'cacheWrite5m'],
  ['cache_creation_input_token_cost_above_1hr', 'cacheWrite1h'],
  ['output_cost_per_token', 'output'],
  ['output_cost_per_audio_token', 'audioOutput'],
  ['output_cost_per_reasoning_token', 'reasoning'],
] as const);
/** A field's name without the service tier and the threshold that it is of. */
const PARTS = /^(.+?)(?:_above_(\d{1,6})k_tokens)?(?:_(priority|flex|batches))?$/;
/** The map's names of service tiers, as providers call them. */
const TIERS: Readonly<Record<string, string>> = { priority: 'priority', flex: 'flex', batches: 'batch' };

/** US dollars for each. */
const FEE_FIELDS: Readonly<Record<string, keyof StatedFees>> = {
  input_cost_per_request: 'request',
  search_context_cost_per_query: 'webSearch',
};

/** Prices of tools that the gateway lets no request ask the provider to run. */
const OUT_OF_REACH = /^(?:code_interpreter|computer_use|file_search|vector_store|google_maps)_|_dbu_cost_per_token$/;
/** The same tokens counted apart; harmless where they cost what all tokens of that side cost. */
const MEDIA_TOKENS: Readonly<Record<string, TokenClass>> = {
  input_cost_per_image_token: 'input',
  input_cost_per_video_token: 'input',
  cache_read_input_audio_token_cost: 'cacheRead',
  output_cost_per_image_token: 'output',
  output_cost_per_video_token: 'output',
};
const PER_MILLION = 6;
const ONE_BY_ONE = 0;

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
    throw new RateFileError([
      { problem: 'the file must be a JSON object with a member for each model', line: 1, column: 1 },
    ]);
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
  return { pricesIn: 'USD', prices, skipped, filtered };
}

const isWanted = (value: ExactJson | undefined, wanted: readonly string[]): boolean =>
  wanted.length === 0 || (typeof value === 'string' && wanted.includes(value));

/** Prices of one service tier: the normal ones, and by threshold those of long prompts. */
class Tier {
  readonly normal: Classes = {};
  readonly above = new Map<number, Classes>();
}

function priceOf(model: string, fields: ExactObject): StatedPrice {
  if (!MODEL_PATTERN.test(model)) throw new Inexpressible('its name is not one that callers of this gateway can use');
  const standard = new Tier();
  const tiers = new Map<string, Tier>();
  const fees: Partial<Record<keyof StatedFees, string>> = {};
  const others: [field: string, base: string, tier: string | undefined][] = [];
  for (const field of fields.keys()) {
    const [, base = field, thousands, suffix] = PARTS.exec(field) ?? [];
    const tokenClass = CLASS_FIELDS.get(base);
    const fee = FEE_FIELDS[field];
    if (fee !== undefined) stateFee(fees, fee, field, fields);
    else if (tokenClass === undefined) others.push([field, base, suffix]);
    else {
      const tier = suffix === undefined ? standard : (tiers.get(suffix) ?? new Tier());
      const aboveTokens = Number(thousands) * 1_000;
      const classes = thousands === undefined ? tier.normal : (tier.above.get(aboveTokens) ?? {});
      if (!state(classes, tokenClass, field, fields)) continue;
      if (thousands !== undefined) tier.above.set(aboveTokens, classes);
      if (suffix !== undefined) tiers.set(suffix, tier);
    }
  }
  for (const [field, base, suffix] of others)
    refuseOtherPrice(field, base, fields, { ...standard.normal, ...(suffix && tiers.get(suffix)?.normal) });
  // Embeddings have no answer that could cost anything.
  if (fields.get('mode') === 'embedding') standard.normal.output ??= '0.00';
  const price: StatedPrice = { model, ...tierPrice(standard, standard) };
  return {
    ...price,
    ...(tiers.size > 0 && {
      tiers: Object.fromEntries(
        [...tiers].map(([suffix, tier]): [string, StatedTier] => [TIERS[suffix] ?? suffix, tierPrice(tier, standard)]),
      ),
    }),
    ...(Object.keys(fees).length > 0 && { fees }),
  };
}

/** What a tier does not state costs what it costs in the standard one, and what a long prompt does not, what all do. */
function tierPrice({ normal, above }: Tier, standard: Tier): StatedTier {
  const stated = complete({ ...standard.normal, ...normal });
  const thresholds = new Set([...standard.above.keys(), ...above.keys()]);
  if (thresholds.size > 1)
    throw new Inexpressible(`it has ${thresholds.size} long-context thresholds, and a card has one`);
  const [aboveTokens] = thresholds;
  if (aboveTokens === undefined) return stated;
  return {
    ...stated,
    longContext: { aboveTokens, ...stated, ...standard.above.get(aboveTokens), ...above.get(aboveTokens) },
  };
}

/** Notes a fee, if the field holds one. Searches may cost by the size of their results; a card has one price for them. */
function stateFee(
  fees: Partial<Record<keyof StatedFees, string>>,
  fee: keyof StatedFees,
  field: string,
  fields: ExactObject,
): void {
  const value = fields.get(field);
  const values = value instanceof Map ? [...(value as ExactObject).values()] : [value];
  const stated = new Set(
    values.filter((one) => one !== null && one !== undefined).map((one) => exact(field, one, ONE_BY_ONE)),
  );
  if (stated.size > 1) throw new Inexpressible(`${field}: has ${stated.size} prices, and a card has one`);
  const [price] = stated;
  if (price !== undefined && price !== '0.00') fees[fee] = price;
}

/** Notes the price of a class, if the field holds one. */
function state(classes: Classes, tokenClass: TokenClass, field: string, fields: ExactObject): boolean {
  const value = fields.get(field);
  if (value === null || value === undefined) return false;
  const price = exact(field, value, PER_MILLION);
  if (classes[tokenClass] !== undefined && classes[tokenClass] !== price)
    throw new Inexpressible(`${field}: another field states another price for the same tokens`);
  classes[tokenClass] = price;
  return true;
}

function exact(field: string, value: ExactJson, shift: number): string {
  if (!(value instanceof Digits)) throw new Inexpressible(`${field}: is not a number`);
  const price = exactDecimal(value.text, shift);
  if (price !== undefined) return price;
  const unit = shift === PER_MILLION ? ' per million tokens' : '';
  throw new Inexpressible(`${field}: ${value.text} is not exact with nine decimals${unit}, from 0 to 1000000`);
}

function complete(classes: Classes): StatedClasses {
  const { input, output } = classes;
  if (input === undefined || output === undefined)
    throw new Inexpressible('it states no input_cost_per_token and output_cost_per_token');
  return { ...classes, input, output };
}

/** @throws Inexpressible for a price that calls could incur and a card cannot say */
function refuseOtherPrice(field: string, base: string, fields: ExactObject, normal: Classes): void {
  if (!(field.includes('cost') || field === 'tiered_pricing') || OUT_OF_REACH.test(base)) return;
  const value = fields.get(field);
  if (value === null || (value instanceof Digits && /^[0.]+(?:[eE].*)?$/.test(value.text))) return;
  const tokenClass = MEDIA_TOKENS[base];
  if (tokenClass !== undefined && value instanceof Digits) {
    const same = normal[tokenClass] ?? (tokenClass === 'cacheRead' ? normal.input : undefined);
    if (exactDecimal(value.text, PER_MILLION) === same) return;
  }
  throw new Inexpressible(`${field}: a card has no such price`);
}

import { createHash } from 'node:crypto';
import { formatNanos, NANOS_PER_UNIT, parseNanos } from '@app/platform';
import type { ClassPrices, ModelPrice, TierPrice } from '../pricing/model-price';
import { ratio, type Ratio } from '../pricing/ratio';
import type { TokenClass } from '../pricing/token-counts';

/** One version of the price list, as the hot path needs it. */
export interface RateCard {
  readonly version: number;
  readonly effectiveAt: Date;
  /** ISO 4217, of what is billed. */
  readonly currency: string;
  readonly note: string;
  /** SHA-256 of the canonical text, hex. */
  readonly hash: string;
  /** By model name or pattern, with the markup of `*`. */
  readonly prices: ReadonlyMap<string, ModelPrice>;
  /** Of tenants that have one of their own. */
  readonly markups: ReadonlyMap<string, Ratio>;
}

/** Prices as an admin states them: decimals per million tokens; a class left out is billed like its neighbour. */
export interface StatedClasses {
  readonly input: string;
  readonly output: string;
  readonly cacheRead?: string | undefined;
  readonly cacheWrite5m?: string | undefined;
  readonly cacheWrite1h?: string | undefined;
  readonly reasoning?: string | undefined;
  readonly audioInput?: string | undefined;
  readonly audioOutput?: string | undefined;
}

export interface StatedTier extends StatedClasses {
  readonly longContext?: (StatedClasses & { readonly aboveTokens: number }) | undefined;
}

export interface StatedPrice extends StatedTier {
  readonly model: string;
  /** Other prices in a service tier of the provider, by its name; nothing of them follows the standard tier. */
  readonly tiers?: Readonly<Record<string, StatedTier>> | undefined;
  /** For each call or search; a fee left out is none. */
  readonly fees?: StatedFees | undefined;
}

export interface StatedFees {
  readonly request?: string | undefined;
  readonly webSearch?: string | undefined;
}

/** In which currency the prices are stated, and how many units of the card's currency one of its units is billed at. */
export interface StatedExchange {
  readonly from: string;
  readonly rate: string;
}

/** What a tenant, or `*` for all others, pays more than the list price, or less, in percent of it. */
export interface StatedMarkup {
  readonly tenant: string;
  readonly percent: string;
}

/** What the hash of a card covers; its version is given when it is stored. */
export interface RateCardContent {
  readonly effectiveAt: Date;
  readonly currency: string;
  readonly note: string;
  /** Left out where prices are stated in the card's currency. */
  readonly exchange?: StatedExchange | undefined;
  readonly markups?: readonly StatedMarkup[] | undefined;
  readonly prices: readonly StatedPrice[];
}

/** In the order of the canonical text. */
const STATED: readonly TokenClass[] = [
  'input',
  'output',
  'cacheRead',
  'cacheWrite5m',
  'cacheWrite1h',
  'reasoning',
  'audioInput',
  'audioOutput',
];
const FEES: readonly (keyof StatedFees)[] = ['request', 'webSearch'];

/** The markup of tenants that have none of their own. */
const EVERYBODY = '*';
const HUNDRED_PERCENT = parseNanos('100');

/** The price of a model in every class, tier and fee, before exchange and markup. */
export function fullPrice({ tiers, fees, ...stated }: StatedPrice): ModelPrice {
  const price: ModelPrice = tierPrice(stated);
  if (!tiers && !fees) return price;
  return {
    ...price,
    ...(fees && { fees: { request: parseNanos(fees.request ?? '0'), webSearch: parseNanos(fees.webSearch ?? '0') } }),
    ...(tiers && { tiers: new Map(Object.entries(tiers).map(([name, tier]) => [name, tierPrice(tier)])) }),
  };
}

const tierPrice = ({ longContext, ...stated }: StatedTier): TierPrice => ({
  ...classPrices(stated),
  ...(stated.audioInput !== undefined && { hears: true as const }),
  ...(stated.audioOutput !== undefined && { speaks: true as const }),
  ...(longContext && { longContext: { aboveTokens: longContext.aboveTokens, prices: classPrices(longContext) } }),
});

/**
 * A class that is not stated follows its neighbour, never a guessed multiple: `cacheRead`, `cacheWrite5m` and `audioInput`
 * cost what `input` costs, `cacheWrite1h` what `cacheWrite5m` costs, `reasoning` and `audioOutput` what `output` costs.
 */
function classPrices(stated: StatedClasses): ClassPrices {
  const input = parseNanos(stated.input);
  const output = parseNanos(stated.output);
  const or = (text: string | undefined, neighbour: bigint): bigint =>
    text === undefined ? neighbour : parseNanos(text);
  const cacheWrite5m = or(stated.cacheWrite5m, input);
  return {
    input,
    output,
    audioInput: or(stated.audioInput, input),
    audioOutput: or(stated.audioOutput, output),
    cacheRead: or(stated.cacheRead, input),
    cacheWrite5m,
    cacheWrite1h: or(stated.cacheWrite1h, cacheWrite5m),
    reasoning: or(stated.reasoning, output),
  };
}

/**
 * The one text of a card: members in a fixed order, models, tiers and tenants sorted, decimals in their shortest exact form
 * of at least two places, nothing that is left out. Two cards that state the same have the same text, and this text is what
 * is stored, hashed and exported.
 */
export const canonicalText = ({ effectiveAt, currency, note, ...billed }: RateCardContent): string =>
  JSON.stringify({ effectiveAt: effectiveAt.toISOString(), currency, note, ...canonicalCard(billed) });

/** What calls cost by a card. */
export type CardPrices = Pick<RateCardContent, 'exchange' | 'markups' | 'prices'>;

/** The same as the canonical text has it. */
export const canonicalCard = ({ exchange, markups = [], prices }: CardPrices): CardPrices => ({
  ...(exchange && { exchange: { from: exchange.from, rate: canonical(exchange.rate) } }),
  ...(markups.length > 0 && { markups: canonicalMarkups(markups) }),
  prices: [...prices].sort((a, b) => (a.model < b.model ? -1 : 1)).map(canonicalPrice),
});

const canonicalMarkups = (markups: readonly StatedMarkup[]): StatedMarkup[] =>
  [...markups]
    .sort((a, b) => (a.tenant < b.tenant ? -1 : 1))
    .map(({ tenant, percent }) => ({ tenant, percent: canonical(percent) }));

const canonicalPrice = ({ model, tiers = {}, fees = {}, ...stated }: StatedPrice): StatedPrice => {
  const names = Object.keys(tiers).sort();
  const feesStated = members(FEES, fees);
  return {
    model,
    ...canonicalTier(stated),
    ...(names.length > 0 && {
      tiers: Object.fromEntries(names.map((name) => [name, canonicalTier(tiers[name] as StatedTier)])),
    }),
    ...(Object.keys(feesStated).length > 0 && { fees: feesStated }),
  };
};

const canonicalTier = ({ longContext, ...stated }: StatedTier): StatedTier => ({
  ...canonicalClasses(stated),
  ...(longContext && {
    longContext: { aboveTokens: longContext.aboveTokens, ...canonicalClasses(longContext) },
  }),
});

const canonicalClasses = (stated: StatedClasses): StatedClasses => members(STATED, stated) as unknown as StatedClasses;

/** The amounts that are stated, in a fixed order. */
const members = <Name extends string>(
  names: readonly Name[],
  stated: Readonly<Partial<Record<Name, string | undefined>>>,
): Partial<Record<Name, string>> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const text = stated[name];
      return text === undefined ? [] : [[name, canonical(text)]];
    }),
  ) as Partial<Record<Name, string>>;

const canonical = (amount: string): string => formatNanos(parseNanos(amount));

export const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A card whose stored text no longer has its hash: somebody changed history, so nothing may be priced by it. */
export class RateCardAltered extends Error {
  constructor(readonly version: number) {
    super(`rate card ${version} does not match its hash; restore it from a backup or from an export`);
    this.name = 'RateCardAltered';
  }
}

/** What a card's canonical text says. @throws RateCardAltered unless the text has the hash it was stored with. */
export function readContent(version: number, text: string, hash: string): RateCardContent {
  if (hashOf(text) !== hash) throw new RateCardAltered(version);
  const content = JSON.parse(text) as Omit<RateCardContent, 'effectiveAt'> & { effectiveAt: string };
  return { ...content, effectiveAt: new Date(content.effectiveAt) };
}

export function rateCard(version: number, hash: string, content: RateCardContent): RateCard {
  const { effectiveAt, currency, note, exchange, markups = [], prices } = content;
  const shares = new Map(markups.map(({ tenant, percent }) => [tenant, shareOf(percent)]));
  const everybody = shares.get(EVERYBODY);
  const factors: Pick<ModelPrice, 'exchange' | 'markup'> = {
    ...(exchange && { exchange: ratio(parseNanos(exchange.rate), NANOS_PER_UNIT) }),
    ...(everybody && { markup: everybody }),
  };
  shares.delete(EVERYBODY);
  return {
    version,
    hash,
    effectiveAt,
    currency,
    note,
    prices: new Map(prices.map((stated) => [stated.model, { ...fullPrice(stated), ...factors }])),
    markups: shares,
  };
}

const shareOf = (percent: string): Ratio => ratio(HUNDRED_PERCENT + parseNanos(percent), HUNDRED_PERCENT);

/** The card in force at an instant, of cards sorted by when they take effect. */
export const inForce = <Card extends Pick<RateCard, 'effectiveAt'>>(
  cards: readonly Card[],
  at: Date,
): Card | undefined => cards.findLast((card) => card.effectiveAt <= at);

import { Injectable } from '@nestjs/common';
import { bestMatch, Clock, Config, matchesPattern } from '@app/platform';
import { priceOf } from '../pricing/pricing';
import { inForce, type RateCard } from '../rates/rate-card';
import { LOCAL_PROVIDER, type ModelEntry } from './model-entry';

/** Between which two moments a card is in force: from the one, before the other. */
interface Tenure {
  readonly card: RateCard | undefined;
  readonly fromMs: number;
  readonly untilMs: number;
}

const NEVER: Tenure = { card: undefined, fromMs: Infinity, untilMs: -Infinity };

/** All models and all rate cards, the scheduled ones included, as they stood in the database at one moment. */
export interface CatalogueContents {
  readonly models: readonly ModelEntry[];
  /** In any order. */
  readonly cards: readonly RateCard[];
}

/**
 * The models and prices of this process, in memory. It answers for any instant, so a card loaded ahead takes effect at its
 * time without anybody doing anything. `CatalogueLoader` keeps it up to date.
 */
@Injectable()
export class Catalogue {
  #models: ReadonlyMap<string, ModelEntry> = new Map();
  #cards: readonly RateCard[] = [];
  #byVersion: ReadonlyMap<number, RateCard> = new Map();
  /** The answer to the last question for a card; calls ask for that of the moment. */
  #tenure = NEVER;

  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  replace({ models, cards }: CatalogueContents): void {
    this.#models = new Map(models.map((model) => [model.id, model]));
    this.#cards = [...cards].sort(byEffect);
    this.#byVersion = new Map(cards.map((card) => [card.version, card]));
    this.#tenure = NEVER;
  }

  /** Where a name leads: an exact entry, else the longest pattern, under which the provider's name `*` means "as asked". */
  model(name: string): ModelEntry | undefined {
    const entry = bestMatch(this.#models, name);
    if (!entry || entry.id === name) return entry;
    return { ...entry, id: name, upstreamModel: entry.upstreamModel === '*' ? name : entry.upstreamModel };
  }

  /** The card in force at an instant; undefined before the first one. */
  cardAt(at: Date): RateCard | undefined {
    const atMs = at.getTime();
    const { card, fromMs, untilMs } = this.#tenure;
    if (fromMs <= atMs && atMs < untilMs) return card;
    this.#tenure = tenureAt(this.#cards, at);
    return this.#tenure.card;
  }

  card(version: number): RateCard | undefined {
    return this.#byVersion.get(version);
  }

  /** Whether the card in force has a price for a model. */
  isPriced(name: string): boolean {
    const card = this.cardAt(this.clock.now());
    return card !== undefined && priceOf(card, name, null) !== undefined;
  }

  /**
   * The named models that could be called now: every list of patterns admits them (`null` admits all), they have a price,
   * and their provider is configured. Patterns of the catalogue are not names, so they are not listed.
   */
  modelsFor(...allowed: readonly (readonly string[] | null)[]): readonly ModelEntry[] {
    const card = this.cardAt(this.clock.now());
    if (!card) return [];
    const admitted = ({ id }: ModelEntry): boolean =>
      allowed.every((patterns) => patterns === null || patterns.some((pattern) => matchesPattern(pattern, id)));
    return [...this.#models.values()]
      .filter((model) => !model.id.endsWith('*') && admitted(model) && priceOf(card, model.id, null))
      .filter((model) => isConfigured(this.config, model.provider));
  }
}

/** @param cards in the order of `byEffect` */
function tenureAt(cards: readonly RateCard[], at: Date): Tenure {
  const card = inForce(cards, at);
  const next = cards.find(({ effectiveAt }) => effectiveAt > at);
  return {
    card,
    fromMs: card?.effectiveAt.getTime() ?? -Infinity,
    untilMs: next?.effectiveAt.getTime() ?? Infinity,
  };
}

/** Of two with the same moment the later version is in force: it corrects the other. */
const byEffect = (a: RateCard, b: RateCard): number =>
  a.effectiveAt.getTime() - b.effectiveAt.getTime() || a.version - b.version;

export const isConfigured = (config: Config, provider: string): boolean =>
  provider === LOCAL_PROVIDER || Object.hasOwn(config.current.providers, provider);

import type { ModelPrice, Usage } from '@app/billing';
import { CodedError } from '@app/platform';
import type { RequestFacts, TierAsked } from '../request/request-facts';

/** A class of sound that a card leaves out is billed like text, which would undercharge it many times over. */
const pricesSpeechIn = (price: ModelPrice): boolean => price.audioInput !== price.input;
const pricesSpeechOut = (price: ModelPrice): boolean => price.audioOutput !== price.output;
export const pricesSearch = ({ fees }: ModelPrice): boolean => (fees?.webSearch ?? 0n) > 0n;

/** Whether all that was used has a price of its own; what has none is not billed at another's. */
export const isPriced = (price: ModelPrice, { counts, webSearches }: Usage): boolean =>
  (counts.audioInput === 0 || pricesSpeechIn(price)) &&
  (counts.audioOutput === 0 || pricesSpeechOut(price)) &&
  (webSearches === 0 || pricesSearch(price));

/** Refuses what the card has no price for. @throws CodedError `feature_not_supported` */
export function refuseUnpriced({ media, speaks, searches }: RequestFacts, price: ModelPrice): void {
  if (media.some(({ kind }) => kind === 'audio') && !pricesSpeechIn(price)) throw unpriced('input_audio', 'audioInput');
  if (speaks && !pricesSpeechOut(price)) throw unpriced('audio', 'audioOutput');
  const search = searches.find(({ name, optionalAt }) => name !== 'web_fetch' && optionalAt === null);
  if (search && !pricesSearch(price)) throw unpriced(search.name, 'fees.webSearch');
}

const unpriced = (name: string, member: string): CodedError =>
  new CodedError(
    'feature_not_supported',
    `"${name}" has no price: the rate card in force states no "${member}" for this model.`,
    {
      details: { features: [{ kind: 'price', name }] },
    },
  );

/** The service tier a request is let into: one that it asks for and the card prices. Any other wish is taken out. */
export const tierGranted = ({ tiers }: RequestFacts, price: ModelPrice): TierAsked | undefined =>
  tiers.find(({ name }) => price.tiers?.has(name));

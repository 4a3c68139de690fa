import { tierOf, type ModelPrice, type TierPrice, type Usage } from '@app/billing';
import { CodedError } from '@app/platform';
import type { RequestFacts, TierAsked } from '../request/request-facts';

/**
 * A class of sound that a card leaves out is billed like text, which would undercharge it many times over; one that it states may
 * well cost the same, as it does with some of Google's models.
 */
const pricesSpeechIn = (price: TierPrice): boolean => price.hears === true || price.audioInput !== price.input;
const pricesSpeechOut = (price: TierPrice): boolean => price.speaks === true || price.audioOutput !== price.output;
export const pricesSearch = ({ fees }: ModelPrice): boolean => (fees?.webSearch ?? 0n) > 0n;

/** Whether all that was used has a price of its own; what has none is not billed at another's. */
export function isPriced(price: ModelPrice, { counts, webSearches, serviceTier }: Usage): boolean {
  const tier = tierOf(price, serviceTier);
  return (
    (counts.audioInput === 0 || pricesSpeechIn(tier)) &&
    (counts.audioOutput === 0 || pricesSpeechOut(tier)) &&
    (webSearches === 0 || pricesSearch(price))
  );
}

/** Refuses what the card has no price for. @throws CodedError `feature_not_supported` */
export function refuseUnpriced({ media, speaks, searches }: RequestFacts, price: ModelPrice): void {
  if (hasSound(media) && !pricesSpeechIn(price)) throw unpriced('input_audio', 'audioInput');
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

const hasSound = (media: RequestFacts['media']): boolean => media.some(({ kind }) => kind === 'audio');

/**
 * The service tier a request is let into: one that it asks for and the card prices, sound included if there may be any. Any
 * other wish is taken out.
 */
export const tierGranted = ({ tiers, media, speaks }: RequestFacts, price: ModelPrice): TierAsked | undefined =>
  tiers.find(({ name }) => {
    const tier = price.tiers?.get(name);
    return tier && (!hasSound(media) || pricesSpeechIn(tier)) && (!speaks || pricesSpeechOut(tier));
  });

import type { Tx } from '@app/platform';
import type { RateCard } from '../rates/rate-card';
import { selectRateCards } from '../rates/rate-cards.queries';
import type { Catalogue } from './catalogue.service';

/** Cards by their versions. Another process may have priced a row by one that this process has not heard of yet. */
export async function knownCards(
  tx: Tx,
  catalogue: Catalogue,
  versions: Iterable<number>,
): Promise<ReadonlyMap<number, RateCard>> {
  const cards = new Map<number, RateCard>();
  const unheard = new Set<number>();
  for (const version of versions) {
    const card = catalogue.card(version);
    if (card) cards.set(version, card);
    else unheard.add(version);
  }
  if (unheard.size > 0) for (const card of await selectRateCards(tx, [...unheard])) cards.set(card.version, card);
  return cards;
}

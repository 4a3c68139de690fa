import { priceOf } from '../pricing/pricing';
import type { RateCard } from '../rates/rate-card';
import { difference, isNothing, repriced, STATED, type Repriced } from './correction';
import type { CorrectableRow } from './corrections.queries';
import type { CardCorrectionCounts, TenantDifference } from './card-corrections.queries';

/** What another card makes of some rows. */
export interface Repricing {
  readonly changed: readonly { readonly row: CorrectableRow; readonly after: Repriced }[];
  readonly counts: CardCorrectionCounts;
}

/**
 * Prices rows by a card that should have been in force. What a person has stated stays; so does what the card does not
 * price, because nobody can say what it should have cost.
 */
export function repriceRows(rows: readonly CorrectableRow[], card: RateCard): Repricing {
  const counts = { corrected: 0, unchanged: 0, unpriced: 0, stated: 0 };
  const changed: { row: CorrectableRow; after: Repriced }[] = [];
  for (const row of rows) {
    if (row.rateCard === card.version) continue;
    const price = priceOf(card, row.model, row.tenantId);
    if (row.formula === STATED) counts.stated += 1;
    else if (!price) counts.unpriced += 1;
    else {
      const after = repriced(row, card.version, price);
      if (isNothing(difference(row, after))) counts.unchanged += 1;
      else {
        counts.corrected += 1;
        changed.push({ row, after });
      }
    }
  }
  return { changed, counts };
}

/** Adds counts up, or a whole pass's differences by tenant. */
export const addCounts = (a: CardCorrectionCounts, b: CardCorrectionCounts): CardCorrectionCounts => ({
  corrected: a.corrected + b.corrected,
  unchanged: a.unchanged + b.unchanged,
  unpriced: a.unpriced + b.unpriced,
  stated: a.stated + b.stated,
});

export const NO_COUNTS: CardCorrectionCounts = { corrected: 0, unchanged: 0, unpriced: 0, stated: 0 };

/** How much more or less each tenant pays, by its id. */
export function differencesOf({ changed }: Repricing, before: readonly TenantDifference[] = []): TenantDifference[] {
  const tenants = new Map(before.map((each) => [each.tenant, each]));
  for (const { row, after } of changed) {
    const { tenantId: tenant, costNanos } = row;
    const { rows = 0, differenceNanos = 0n } = tenants.get(tenant) ?? {};
    tenants.set(tenant, {
      tenant,
      rows: rows + 1,
      differenceNanos: differenceNanos + after.costNanos - costNanos,
    });
  }
  return [...tenants.values()].sort((a, b) => (a.tenant < b.tenant ? -1 : 1));
}

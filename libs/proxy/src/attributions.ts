import type { LedgerHead } from '@app/billing';
import { Attribution } from '@app/quota';

/** End users are named by callers, so there may be any number of them. */
const MOST = 10_000;

/** One attribution for all calls of the same caller, model and price. */
export class Attributions {
  readonly #known = new Map<string, Attribution<LedgerHead>>();

  of(head: LedgerHead): Attribution<LedgerHead> {
    const { tenantId, tokenId, subject, endUser, model, provider, rateCard, formula } = head;
    const key = `${tenantId} ${tokenId} ${rateCard} ${formula} ${provider} ${told(model)} ${told(subject)} ${told(endUser)}`;
    let attribution = this.#known.get(key);
    if (attribution === undefined) {
      if (this.#known.size === MOST) this.#known.clear();
      this.#known.set(key, (attribution = new Attribution(tenantId, head)));
    }
    return attribution;
  }
}

/** No two texts, one after the other, look like two others. */
const told = (text: string | null): string => (text === null ? '-' : `${text.length}:${text}`);

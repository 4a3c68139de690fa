import type { LedgerHead } from '@app/billing';
import { Attribution } from '@app/quota';

/** End users are named by callers, so there may be any number of them. */
const MOST = 10_000;

/** One attribution for all calls of the same caller, API, model and price. */
export class Attributions {
  readonly #known = new Map<string, Attribution<LedgerHead>>();
  /** The last one of each token: mostly the next one too, and found without making a key. */
  readonly #last = new Map<string, Attribution<LedgerHead>>();

  /** @param lineage of the head's token, which has no other */
  of(head: LedgerHead, lineage: string): Attribution<LedgerHead> {
    const last = this.#last.get(head.tokenId);
    if (last !== undefined && isSame(last.facts, head)) return last;
    const attribution = this.#find(head, lineage);
    this.#last.set(head.tokenId, attribution);
    return attribution;
  }

  #find(head: LedgerHead, lineage: string): Attribution<LedgerHead> {
    const { tenantId, tokenId, subject, endUser, api, model, provider, rateCard, formula } = head;
    const key = `${tenantId} ${tokenId} ${rateCard} ${formula} ${provider} ${api} ${told(model)} ${told(subject)} ${told(endUser)}`;
    let attribution = this.#known.get(key);
    if (attribution === undefined) {
      if (this.#known.size === MOST) {
        this.#known.clear();
        this.#last.clear();
      }
      this.#known.set(key, (attribution = new Attribution(tenantId, head, lineage)));
    }
    return attribution;
  }
}

const isSame = (one: LedgerHead, other: LedgerHead): boolean =>
  one.model === other.model &&
  one.endUser === other.endUser &&
  one.api === other.api &&
  one.subject === other.subject &&
  one.rateCard === other.rateCard &&
  one.provider === other.provider &&
  one.tokenId === other.tokenId &&
  one.tenantId === other.tenantId &&
  one.formula === other.formula;

/** No two texts, one after the other, look like two others. */
const told = (text: string | null): string => (text === null ? '-' : `${text.length}:${text}`);

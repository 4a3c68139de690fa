import { Injectable } from '@nestjs/common';
import { Clock, CodedError } from '@app/platform';
import type { ModelPrice } from '../pricing/model-price';
import { priceOf } from '../pricing/pricing';
import type { RateCard } from '../rates/rate-card';
import { Catalogue } from './catalogue.service';
import { UnpricedCalls } from './unpriced-calls.service';

/** What calls cost that begin now. */
@Injectable()
export class Prices {
  constructor(
    private readonly catalogue: Catalogue,
    private readonly clock: Clock,
    private readonly unpriced: UnpricedCalls,
  ) {}

  /** @throws CodedError `model_not_priced`, which somebody is warned of: a model without a price is never free */
  of(model: string, tenantId: string | null): { readonly card: RateCard; readonly price: ModelPrice } {
    const card = this.catalogue.cardAt(this.clock.now());
    const price = card && priceOf(card, model, tenantId);
    if (card && price) return { card, price };
    this.unpriced.refused(model);
    throw new CodedError('model_not_priced', `The rate card in force has no price for "${model}".`);
  }
}

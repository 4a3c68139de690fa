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

  /**
   * Of several models under one card, in their order.
   * @throws CodedError `model_not_priced`, which somebody is warned of: a model without a price is never free
   */
  of(models: readonly Priceable[], tenantId: string | null): PricedModels {
    const card = this.catalogue.cardAt(this.clock.now());
    const prices: ModelPrice[] = [];
    for (const { model } of models) {
      const price = card && priceOf(card, model.id, tenantId);
      if (!price) throw this.refusal(model.id);
      prices.push(price);
    }
    return { card: card as RateCard, prices };
  }

  private refusal(model: string): CodedError {
    this.unpriced.refused(model);
    return new CodedError('model_not_priced', `The rate card in force has no price for "${model}".`);
  }
}

/** What leads to a model. */
export interface Priceable {
  readonly model: { readonly id: string };
}

export interface PricedModels {
  readonly card: RateCard;
  readonly prices: readonly ModelPrice[];
}

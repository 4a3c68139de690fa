import { Injectable } from '@nestjs/common';
import { Clock, Database, type Principal, type Tx } from '@app/platform';
import { RateCards } from '../rates/rate-cards.service';
import { DEFAULT_MODELS, DEFAULT_NOTE, defaultPrices } from './default-catalogue';
import { Models } from './models.service';

/** Gives a new gateway models and prices to start with. */
@Injectable()
export class Seeding {
  constructor(
    private readonly database: Database,
    private readonly models: Models,
    private readonly cards: RateCards,
    private readonly clock: Clock,
  ) {}

  /** Seeds the shipped defaults unless there is a rate card; tells whether it did. Of several processes one does. */
  seedDefaults(principal: Principal): Promise<boolean> {
    return this.database.platform(principal, async (tx) => {
      if (await hasRateCard(tx)) return false;
      await tx.query("SELECT pg_advisory_xact_lock(hashtext('seed_defaults'))");
      if (await hasRateCard(tx)) return false;
      const now = this.clock.now();
      const content = { effectiveAt: now, currency: 'USD', note: DEFAULT_NOTE, prices: defaultPrices() };
      await this.cards.add(tx, content, now);
      for (const model of DEFAULT_MODELS) await this.models.write(tx, model);
      return true;
    });
  }
}

async function hasRateCard(tx: Tx): Promise<boolean> {
  return (await tx.query('SELECT 1 FROM rate_cards LIMIT 1')).length > 0;
}

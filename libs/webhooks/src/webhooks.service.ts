import { Injectable } from '@nestjs/common';
import { Clock, Config, type Tx } from '@app/platform';
import { insertDeliveries } from './deliveries.queries';
import { bodyOf, wants, type Notice } from './notice';

/** Tells receivers outside what happened. */
@Injectable()
export class Webhooks {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  /**
   * Notes a notice for every endpoint that wants it, in the transaction of what it tells of: both are committed or neither is.
   * It is delivered afterwards, at least once, by whichever gateway process comes first.
   */
  async announce(tx: Tx, notice: Notice): Promise<void> {
    const endpoints = this.config.current.webhooks.filter((endpoint) => wants(endpoint, notice));
    if (endpoints.length === 0) return;
    const names = endpoints.map(({ name }) => name);
    await insertDeliveries(tx, names, { ...notice, body: bodyOf(notice, this.clock.now()) });
  }
}

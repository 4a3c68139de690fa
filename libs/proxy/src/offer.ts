import type { Catalogue, ModelEntry } from '@app/billing';
import { DEMO_PROVIDER } from './demo-provider';
import type { Dialect } from './request-facts';
import type { RouteTable } from './router';
import type { Upstream } from './upstream';

const BOTH: readonly Dialect[] = ['openai', 'anthropic'];

/** What the catalogue and the configured providers offer together. */
export class Offer implements RouteTable {
  constructor(
    private readonly catalogue: Catalogue,
    private readonly upstream: Upstream,
  ) {}

  model(name: string): ModelEntry | undefined {
    return this.catalogue.model(name);
  }

  dialectsOf(name: string): readonly Dialect[] | undefined {
    if (name === DEMO_PROVIDER) return BOTH;
    const provider = this.upstream.provider(name);
    return provider && [provider.dialect];
  }
}

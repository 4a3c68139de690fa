import type { Catalogue, ModelEntry } from '@app/billing';
import { DEMO_PROVIDER } from './demo-provider';
import type { RouteTable } from './router';
import type { Upstream } from './upstream';
import { WIRES, wiresOf, type Wire } from './wire';

const SPOKEN = { openai: wiresOf('openai'), anthropic: wiresOf('anthropic') } as const;

/** What the catalogue and the configured providers offer together. */
export class Offer implements RouteTable {
  constructor(
    private readonly catalogue: Catalogue,
    private readonly upstream: Upstream,
  ) {}

  model(name: string): ModelEntry | undefined {
    return this.catalogue.model(name);
  }

  wiresOf(name: string): readonly Wire[] | undefined {
    if (name === DEMO_PROVIDER) return WIRES;
    const provider = this.upstream.provider(name);
    return provider && SPOKEN[provider.dialect];
  }
}

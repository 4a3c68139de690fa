import { Catalogue, type ModelEntry } from '@app/billing';
import { Config, type GatewayConfig, type RouteConfig } from '@app/platform';
import { Injectable } from '@nestjs/common';
import { DEMO_PROVIDER } from '../demo/demo-provider';
import { mayUse, type RouteTable } from '../route/router';
import { Upstream } from '../upstream';
import { WIRES, type ProviderWire } from '../wire';

const SPOKEN = {
  openai: ['chat', 'embeddings'],
  anthropic: ['messages'],
  gemini: ['gemini'],
} as const satisfies Record<string, readonly ProviderWire[]>;
const WITH_RESPONSES: readonly ProviderWire[] = ['responses', ...SPOKEN.openai];

/** What the catalogue, the configured providers and the configured routes offer together. */
@Injectable()
export class Offer implements RouteTable {
  #routes: ReadonlyMap<string, RouteConfig> = new Map();

  constructor(
    private readonly catalogue: Catalogue,
    private readonly upstream: Upstream,
    config: Config,
  ) {
    this.follow(config.current);
    config.onReload((next) => this.follow(next));
  }

  route(name: string): RouteConfig | undefined {
    return this.#routes.size === 0 ? undefined : this.#routes.get(name);
  }

  model(name: string): ModelEntry | undefined {
    return this.catalogue.model(name);
  }

  wiresOf(name: string): readonly ProviderWire[] | undefined {
    if (name === DEMO_PROVIDER) return WIRES;
    const provider = this.upstream.provider(name);
    return provider && (provider.responses ? WITH_RESPONSES : SPOKEN[provider.dialect]);
  }

  /** The models and routes that a key may use and that could be called now, routes first. */
  namesFor(allowed: readonly string[] | null): readonly Named[] {
    const routes = [...this.#routes]
      .filter(([name, { targets }]) => mayUse(allowed, name) && this.isOpen(targets.map(({ model }) => model)))
      .map(([name]) => ({ id: name, displayName: name, provider: 'openclawmu' }));
    return [...routes, ...this.catalogue.modelsFor(allowed).filter(({ id }) => !this.#routes.has(id))];
  }

  /** Whether some of a route's targets can be asked, and all of those have a price. */
  private isOpen(targets: readonly string[]): boolean {
    const asked = targets.filter((target) => {
      const entry = this.model(target);
      return entry && this.wiresOf(entry.provider);
    });
    return asked.length > 0 && asked.every((target) => this.catalogue.isPriced(target));
  }

  private follow({ routes }: GatewayConfig): void {
    this.#routes = new Map(Object.entries(routes));
  }
}

/** What lists tell of a model or a route. */
export type Named = Pick<ModelEntry, 'id' | 'displayName' | 'provider'>;
